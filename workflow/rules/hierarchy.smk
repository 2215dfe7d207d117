# HIERARCHY: one model of the widths of all curves of a benchmark.
#
# REQUIRED INPUTS
#   data/processed/tags/{benchmark}.parquet
#   data/processed/fits/{benchmark}.parquet
#   data/processed/fits/{benchmark}.profiles.parquet
# OUTPUTS
#   data/processed/concentration/{benchmark}.hierarchy.parquet    table hierarchy of docs/tables.md


rule model_hierarchy:
    """Estimate the class effect on width beside the spread of metrics, tasks and families."""
    input:
        tags="data/processed/tags/{benchmark}.parquet",
        fits="data/processed/fits/{benchmark}.parquet",
        profiles="data/processed/fits/{benchmark}.profiles.parquet",
    output:
        hierarchy="data/processed/concentration/{benchmark}.hierarchy.parquet",
    log:
        "logs/hierarchy/{benchmark}.log",
    threads: 4
    params:
        *code("model_hierarchy"),
        seed=lookup(dpath="seed", within=config),
        libraries=versions("numpy", "scipy", "numba", "nutpie", "arviz-stats"),
    script:
        "../scripts/model_hierarchy.py"
