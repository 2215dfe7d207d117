# SCORES: the published heuristics S and L, for fidelity; they decide nothing.
#
# REQUIRED INPUTS
#   data/processed/tidy/{benchmark}.parquet
#   data/processed/tags/{benchmark}.parquet
# OUTPUTS
#   data/processed/scores/{benchmark}.parquet       table scores of docs/tables.md


rule score_curves:
    """Compute the emergence score and linearity of every curve."""
    input:
        tidy="data/processed/tidy/{benchmark}.parquet",
        tags="data/processed/tags/{benchmark}.parquet",
    output:
        scores="data/processed/scores/{benchmark}.parquet",
    log:
        "logs/scores/{benchmark}.log",
    params:
        *code("score_curves"),
        seed=lookup(dpath="seed", within=config),
        libraries=versions("numpy"),
    script:
        "../scripts/score_curves.py"
