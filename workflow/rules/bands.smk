# BANDS: what each candidate says between the observed sizes, for pictures.
#
# REQUIRED INPUTS
#   data/processed/tidy/{benchmark}.parquet
#   data/processed/tags/{benchmark}.parquet
# OUTPUTS
#   data/processed/bands/{benchmark}.parquet    table bands of docs/tables.md


rule band_curves:
    """Take the posterior band of every candidate on every curve."""
    input:
        tidy="data/processed/tidy/{benchmark}.parquet",
        tags="data/processed/tags/{benchmark}.parquet",
    output:
        bands="data/processed/bands/{benchmark}.parquet",
    log:
        "logs/bands/{benchmark}.log",
    threads: 8
    params:
        *code("band_curves"),
        seed=lookup(dpath="seed", within=config),
        prior=lookup(dpath="prior", within=config),
        libraries=versions("numpy", "scipy", "numba"),
    script:
        "../scripts/band_curves.py"
