# EXPERIMENTS: transformers on arithmetic and on sparse parity, trained again. No part of a full run:
#
#   envs/build.sh experiments       (adds JAX to .venv; a GPU is used where JAX finds one)
#   snakemake --cores 8 experiments
#
# The analysis reads the tables that ship. To put new ones in their place, copy them there.
#
# REQUIRED INPUTS
#   data/raw/{experiment}/scores.csv                        the table that ships, to compare with
# OUTPUTS
#   data/processed/experiments/{experiment}/{model}.{seed}.csv      one network
#   data/processed/experiments/{experiment}.csv             table like the one that ships
#   data/processed/experiments/{experiment}.agreement.csv   both, held against the spread over seeds

# Seeds of the tables that ship.
EXPERIMENT_SEEDS = {"arithmetic": range(3), "compositional": range(5)}


def networks_of(wildcards):
    """Return the tables of all networks of an experiment."""
    # Only here: importing it costs each start of Snakemake a second.
    from metamirage.experiments import EXPERIMENTS

    return [
        f"data/processed/experiments/{wildcards.experiment}/{model}.{seed}.csv"
        for seed in EXPERIMENT_SEEDS[wildcards.experiment]
        for model in EXPERIMENTS[wildcards.experiment].shapes
    ]


rule train_network:
    """Train and score one network: one size, one seed."""
    input:
        code=code("networks"),
    output:
        scores="data/processed/experiments/{experiment}/{model}.{seed}.csv",
    log:
        "logs/experiments/{experiment}.{model}.{seed}.log",
    wildcard_constraints:
        experiment="|".join(EXPERIMENT_SEEDS),
        model=r"w\d+(l\d+)?",
        seed=r"\d+",
    script:
        "../scripts/train_network.py"


rule join_networks:
    """Join the scores of all networks, and compare them with the table that ships."""
    input:
        code=code("experiments"),
        scores=networks_of,
        shipped="data/raw/{experiment}/scores.csv",
    output:
        joined="data/processed/experiments/{experiment}.csv",
        agreement="data/processed/experiments/{experiment}.agreement.csv",
    log:
        "logs/experiments/{experiment}.log",
    wildcard_constraints:
        experiment="|".join(EXPERIMENT_SEEDS),
    params:
        contents=contents("data/raw/{experiment}/scores.csv"),
    script:
        "../scripts/join_networks.py"


rule experiments:
    """Train every network of both experiments again."""
    input:
        expand(
            "data/processed/experiments/{experiment}.agreement.csv",
            experiment=EXPERIMENT_SEEDS,
        ),
