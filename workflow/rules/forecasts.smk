# FORECASTS: what the smaller models say about the largest ones.
#
# REQUIRED INPUTS
#   data/processed/tidy/{benchmark}.parquet
#   data/processed/tags/{benchmark}.parquet
# OUTPUTS
#   data/processed/forecasts/{benchmark}.parquet    table forecasts of docs/tables.md


rule forecast_curves:
    """Predict the scores of the largest models of every curve from the smaller ones."""
    input:
        tidy="data/processed/tidy/{benchmark}.parquet",
        tags="data/processed/tags/{benchmark}.parquet",
    output:
        forecasts="data/processed/forecasts/{benchmark}.parquet",
    log:
        "logs/forecasts/{benchmark}.log",
    threads: 8
    params:
        *code("forecast_curves"),
        seed=lookup(dpath="seed", within=config),
        engine=lookup(dpath="engine", within=config),
        prior=lookup(dpath="prior", within=config),
        libraries=versions("numpy", "scipy", "numba", "pymc", "nutpie", "arviz"),
    script:
        "../scripts/forecast_curves.py"
