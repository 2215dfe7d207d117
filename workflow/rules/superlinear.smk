# SUPERLINEAR: do scores rise faster than linearly in log size?
#
# REQUIRED INPUTS
#   data/processed/tidy/{benchmark}.parquet
#   data/processed/tags/{benchmark}.parquet
#   data/processed/fits/{benchmark}.parquet
#   data/processed/fits/{benchmark}.models.parquet
# OUTPUTS
#   data/processed/superlinear/{benchmark}.parquet          table superlinear of docs/tables.md
#   data/processed/superlinear/{benchmark}.tests.parquet    table superlinear_tests


rule compare_bends:
    """Say which way each curve bends, and test whether that goes with the metric."""
    input:
        tidy="data/processed/tidy/{benchmark}.parquet",
        tags="data/processed/tags/{benchmark}.parquet",
        fits="data/processed/fits/{benchmark}.parquet",
        models="data/processed/fits/{benchmark}.models.parquet",
    output:
        superlinear="data/processed/superlinear/{benchmark}.parquet",
        tests="data/processed/superlinear/{benchmark}.tests.parquet",
    log:
        "logs/superlinear/{benchmark}.log",
    params:
        *code("compare_bends"),
        seed=lookup(dpath="seed", within=config),
        n_permutations=lookup(dpath="n_permutations", within=config),
        libraries=versions("numpy", "scipy", "statsmodels"),
    script:
        "../scripts/compare_bends.py"
