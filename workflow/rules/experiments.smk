# EXPERIMENTS: transformers on arithmetic and small networks on parity, trained again. No part of a
# full run:
#
#   envs/build.sh experiments       (adds JAX to .venv; a GPU is used where JAX finds one)
#   snakemake --cores 8 experiments
#
# The analysis reads the tables that ship. To put new ones in their place, copy them there.
#
# REQUIRED INPUTS
#   data/raw/{experiment}/scores.csv                        the table that ships, to compare with
# OUTPUTS
#   data/processed/experiments/arithmetic/{model}.{seed}.csv      one network
#   data/processed/experiments/{experiment}.csv             table like the one that ships
#   data/processed/experiments/{experiment}.agreement.csv   both, held against the spread over seeds


rule train_network:
    """Train and score one transformer on arithmetic: one size, one seed."""
    output:
        scores="data/processed/experiments/arithmetic/{model}.{seed}.csv",
    log:
        "logs/experiments/arithmetic.{model}.{seed}.log",
    wildcard_constraints:
        model=r"w\d+",
        seed=r"\d+",
    params:
        *code("train_network"),
    script:
        "../scripts/train_network.py"


rule join_networks:
    """Join the scores of all transformers."""
    input:
        scores=networks_of,
    output:
        scores="data/processed/experiments/arithmetic.csv",
    log:
        "logs/experiments/arithmetic.log",
    params:
        *code("join_networks"),
    script:
        "../scripts/join_networks.py"


rule train_parities:
    """Train and score small networks on sparse parity."""
    output:
        scores="data/processed/experiments/compositional.csv",
    log:
        "logs/experiments/compositional.log",
    params:
        *code("train_parities"),
        libraries=versions("numpy", "scipy", "scikit-learn"),
    script:
        "../scripts/train_parities.py"


rule compare_seeds:
    """Hold a table made again against the spread over seeds of the one that ships."""
    input:
        remade="data/processed/experiments/{experiment}.csv",
        shipped="data/raw/{experiment}/scores.csv",
    output:
        agreement="data/processed/experiments/{experiment}.agreement.csv",
    log:
        "logs/experiments/{experiment}.agreement.log",
    wildcard_constraints:
        experiment="|".join(EXPERIMENTS),
    params:
        *code("compare_seeds"),
        contents=contents("data/raw/{experiment}/scores.csv"),
    script:
        "../scripts/compare_seeds.py"


rule experiments:
    """Train every network of both experiments again."""
    input:
        expand(
            "data/processed/experiments/{experiment}.agreement.csv",
            experiment=EXPERIMENTS,
        ),
