# AUDIT: some curves once more by NUTS, to see whether the quadrature can be believed.
#
# REQUIRED INPUTS
#   data/processed/tidy/{benchmark}.parquet
#   data/processed/tags/{benchmark}.parquet
#   data/processed/fits/{benchmark}.parquet     which curves there are, and which are unsure
# OUTPUTS
#   data/processed/audit/{benchmark}.parquet    table audit of docs/tables.md


rule audit_curves:
    """Sample some curves with NUTS and compare with the quadrature."""
    input:
        tidy="data/processed/tidy/{benchmark}.parquet",
        tags="data/processed/tags/{benchmark}.parquet",
        fits="data/processed/fits/{benchmark}.parquet",
    output:
        audit="data/processed/audit/{benchmark}.parquet",
    log:
        "logs/audit/{benchmark}.log",
    threads: 8
    params:
        *code("audit_curves"),
        seed=lookup(dpath="seed", within=config),
        engine=lookup(dpath="engine", within=config),
        prior=lookup(dpath="prior", within=config),
        n_audit=lookup(dpath="n_audit", within=config),
        libraries=versions("numpy", "scipy", "numba", "pymc", "nutpie", "arviz"),
    script:
        "../scripts/audit_curves.py"
