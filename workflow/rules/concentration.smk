# CONCENTRATION: do sharp transitions sit with some metrics more than with others?
#
# REQUIRED INPUTS
#   data/processed/tidy/{benchmark}.parquet
#   data/processed/tags/{benchmark}.parquet
#   data/processed/fits/{benchmark}.parquet
#   data/processed/fits/{benchmark}.profiles.parquet
#   data/processed/forecasts/{benchmark}.parquet
# OUTPUTS
#   data/processed/concentration/{benchmark}.parquet    table concentration of docs/tables.md
#   data/processed/concentration/pooled.parquet         the same over enabled benchmarks, published ones
#   data/processed/concentration/{benchmark}.against.parquet    cases against the thesis
#   data/processed/concentration/{benchmark}.controls.parquet   classes that mean nothing


rule assess_concentration:
    """Test the hypotheses on one benchmark."""
    input:
        tidy="data/processed/tidy/{benchmark}.parquet",
        tags="data/processed/tags/{benchmark}.parquet",
        fits="data/processed/fits/{benchmark}.parquet",
        profiles="data/processed/fits/{benchmark}.profiles.parquet",
        forecasts="data/processed/forecasts/{benchmark}.parquet",
    output:
        concentration="data/processed/concentration/{benchmark}.parquet",
    log:
        "logs/concentration/{benchmark}.log",
    params:
        *code("assess_concentration"),
        seed=lookup(dpath="seed", within=config),
        n_permutations=lookup(dpath="n_permutations", within=config),
        libraries=versions("numpy", "scipy", "statsmodels"),
    script:
        "../scripts/assess_concentration.py"


rule pool_concentration:
    """Pool the estimates over the enabled benchmarks that are not of networks trained here."""
    input:
        concentration=expand(
            "data/processed/concentration/{benchmark}.parquet", benchmark=answering()
        ),
    output:
        pooled="data/processed/concentration/pooled.parquet",
    log:
        "logs/concentration/pooled.log",
    params:
        *code("pool_concentration"),
        libraries=versions("numpy", "scipy", "statsmodels"),
    script:
        "../scripts/pool_concentration.py"


rule list_contrary:
    """List by name what speaks against the mirage."""
    input:
        tags="data/processed/tags/{benchmark}.parquet",
        fits="data/processed/fits/{benchmark}.parquet",
        forecasts="data/processed/forecasts/{benchmark}.parquet",
        concentration="data/processed/concentration/{benchmark}.parquet",
    output:
        against="data/processed/concentration/{benchmark}.against.parquet",
    log:
        "logs/concentration/{benchmark}.against.log",
    params:
        *code("list_contrary"),
    script:
        "../scripts/list_contrary.py"


rule assess_controls:
    """Test classes that mean nothing, on the same curves."""
    input:
        tags="data/processed/tags/{benchmark}.parquet",
        fits="data/processed/fits/{benchmark}.parquet",
        profiles="data/processed/fits/{benchmark}.profiles.parquet",
    output:
        controls="data/processed/concentration/{benchmark}.controls.parquet",
    log:
        "logs/concentration/{benchmark}.controls.log",
    params:
        *code("assess_controls"),
        seed=lookup(dpath="seed", within=config),
        n_permutations=lookup(dpath="n_permutations", within=config),
        libraries=versions("numpy", "scipy", "pandas"),
    script:
        "../scripts/assess_controls.py"
