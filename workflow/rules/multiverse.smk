# MULTIVERSE: would the paired answer be another one, had other choices been made?
#
# REQUIRED INPUTS
#   data/processed/tidy/{benchmark}.parquet
#   data/processed/tags/{benchmark}.parquet
#   data/processed/scores/{benchmark}.parquet
#   data/processed/fits/{benchmark}.parquet
#   data/processed/fits/{benchmark}.profiles.parquet
#   data/processed/forecasts/{benchmark}.parquet
# OUTPUTS
#   data/processed/multiverse/{benchmark}.parquet          table multiverse of docs/tables.md
#   data/processed/multiverse/{benchmark}.joint.parquet    the whole curve against swapped labels


rule assess_multiverse:
    """Estimate every specification on one benchmark, and test the curve as a whole."""
    input:
        tidy="data/processed/tidy/{benchmark}.parquet",
        tags="data/processed/tags/{benchmark}.parquet",
        scores="data/processed/scores/{benchmark}.parquet",
        fits="data/processed/fits/{benchmark}.parquet",
        profiles="data/processed/fits/{benchmark}.profiles.parquet",
        forecasts="data/processed/forecasts/{benchmark}.parquet",
    output:
        multiverse="data/processed/multiverse/{benchmark}.parquet",
        joint="data/processed/multiverse/{benchmark}.joint.parquet",
    log:
        "logs/multiverse/{benchmark}.log",
    params:
        *code("assess_multiverse"),
        seed=lookup(dpath="seed", within=config),
        libraries=versions("numpy", "scipy", "pandas"),
    script:
        "../scripts/assess_multiverse.py"
