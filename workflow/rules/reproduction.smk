# REPRODUCTION: numbers that earlier papers printed about BIG-bench, next to the same from the scores.
#
# REQUIRED INPUTS
#   config/facts/*.csv                              labels and printed numbers
#   data/processed/tidy/{benchmark}.parquet
#   data/processed/tags/{benchmark}.parquet
# OUTPUTS
#   data/processed/reproduction/{benchmark}.parquet   table reproduction of docs/tables.md

FACTS = expand(
    "config/facts/{table}.csv",
    table=["wei_labels", "bigbench_lists", "published_claims"],
)


rule reproduce_claims:
    """Compare the numbers that earlier papers printed with the scores."""
    input:
        facts=FACTS,
        tidy="data/processed/tidy/{benchmark}.parquet",
        tags="data/processed/tags/{benchmark}.parquet",
    output:
        reproduction="data/processed/reproduction/{benchmark}.parquet",
    log:
        "logs/reproduction/{benchmark}.log",
    wildcard_constraints:
        benchmark="|".join(map(re.escape, REPRODUCED)),
    params:
        *code("reproduce_claims"),
        contents=contents(*FACTS),
        libraries=versions("numpy", "pandas"),
    script:
        "../scripts/reproduce_claims.py"
