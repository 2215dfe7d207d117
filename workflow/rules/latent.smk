# LATENT: does one smooth latent explain both metrics of a task, or does it break?
#
# REQUIRED INPUTS
#   data/processed/tidy/{benchmark}.parquet
#   data/processed/tags/{benchmark}.parquet
#   data/processed/forecasts/{benchmark}.parquet
# OUTPUTS
#   data/processed/latent/{benchmark}.parquet    table latent of docs/tables.md


rule judge_tasks:
    """Say of every task with both kinds of metric where its sharpness sits (H3)."""
    input:
        tidy="data/processed/tidy/{benchmark}.parquet",
        tags="data/processed/tags/{benchmark}.parquet",
        forecasts="data/processed/forecasts/{benchmark}.parquet",
    output:
        latent="data/processed/latent/{benchmark}.parquet",
    log:
        "logs/latent/{benchmark}.log",
    threads: 8
    params:
        *code("judge_tasks"),
        seed=lookup(dpath="seed", within=config),
        prior=lookup(dpath="prior", within=config),
        libraries=versions("numpy", "scipy", "numba", "pymc"),
    script:
        "../scripts/judge_tasks.py"
