# TAGS: what kind of metric each (task, metric) is, with the reason.
#
# REQUIRED INPUTS
#   config/metrics.csv                              one row a kind of metric
#   config/benchmarks/{benchmark}.yaml              overrides
#   data/processed/tidy/{benchmark}.parquet
# OUTPUTS
#   data/processed/tags/{benchmark}.parquet         table tags of docs/tables.md


rule tag_metrics:
    """Tag every metric as discontinuous, nonlinear, both or neither."""
    input:
        spec="config/benchmarks/{benchmark}.yaml",
        metrics="config/metrics.csv",
        tidy="data/processed/tidy/{benchmark}.parquet",
    output:
        tags="data/processed/tags/{benchmark}.parquet",
    log:
        "logs/tags/{benchmark}.log",
    params:
        *code("tag_metrics"),
        contents=contents("config/benchmarks/{benchmark}.yaml", "config/metrics.csv"),
    script:
        "../scripts/tag_metrics.py"
