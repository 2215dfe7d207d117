# RESIDUAL: which tasks stay sharp whatever the metric, and what goes with that?
#
# REQUIRED INPUTS
#   data/processed/tidy/{benchmark}.parquet
#   data/processed/tags/{benchmark}.parquet
#   data/processed/fits/{benchmark}.parquet
# OUTPUTS
#   data/processed/residual/{benchmark}.parquet          table residual of docs/tables.md
#   data/processed/residual/{benchmark}.tests.parquet    table residual_tests


rule relate_residual:
    """Find the tasks that are sharp under every metric, and test what goes with that."""
    input:
        tidy="data/processed/tidy/{benchmark}.parquet",
        tags="data/processed/tags/{benchmark}.parquet",
        fits="data/processed/fits/{benchmark}.parquet",
    output:
        residual="data/processed/residual/{benchmark}.parquet",
        tests="data/processed/residual/{benchmark}.tests.parquet",
    log:
        "logs/residual/{benchmark}.log",
    threads: 8
    params:
        *code("relate_residual"),
        seed=lookup(dpath="seed", within=config),
        prior=lookup(dpath="prior", within=config),
        n_permutations=lookup(dpath="n_permutations", within=config),
        libraries=versions("numpy", "scipy", "numba", "pymc", "statsmodels"),
    script:
        "../scripts/relate_residual.py"
