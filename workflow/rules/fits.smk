# FITS: posterior, evidence and verdict of every curve.
#
# REQUIRED INPUTS
#   data/processed/tidy/{benchmark}.parquet
#   data/processed/tags/{benchmark}.parquet
# OUTPUTS
#   data/processed/fits/{benchmark}.parquet             table fits of docs/tables.md
#   data/processed/fits/{benchmark}.models.parquet      table models: one row a candidate
#   data/processed/fits/{benchmark}.profiles.parquet    table profiles: marginal over width


rule fit_curves:
    """Fit flat, linear, power and sigmoid to every curve and give its verdict."""
    input:
        tidy="data/processed/tidy/{benchmark}.parquet",
        tags="data/processed/tags/{benchmark}.parquet",
    output:
        fits="data/processed/fits/{benchmark}.parquet",
        models="data/processed/fits/{benchmark}.models.parquet",
        profiles="data/processed/fits/{benchmark}.profiles.parquet",
    log:
        "logs/fits/{benchmark}.log",
    threads: 8
    params:
        *code("fit_curves"),
        seed=lookup(dpath="seed", within=config),
        engine=lookup(dpath="engine", within=config),
        prior=lookup(dpath="prior", within=config),
        libraries=versions("numpy", "scipy", "numba", "pymc", "nutpie", "arviz"),
    script:
        "../scripts/fit_curves.py"
