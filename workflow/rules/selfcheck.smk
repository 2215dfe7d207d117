# SELFCHECK: the tests' own error rates, on simulated worlds of known truth. No part of a full run:
#
#   snakemake --cores 8 selfcheck
#
# The next full run prints its rates beside each claim; until then, those that ship.
#
# REQUIRED INPUTS
#   none: worlds are drawn from the settings `selfcheck`
# OUTPUTS
#   data/processed/selfcheck/{world}.{part}.parquet   table trials of docs/tables.md
#   data/processed/selfcheck/rates.csv                table rates
#
# SHIPS
#   data/raw/selfcheck/rates.csv                      the same, from an earlier run


rule check_sets:
    """Take fifty simulated benchmarks of one world through fits and tests."""
    output:
        trials="data/processed/selfcheck/{world}.{part}.parquet",
    log:
        "logs/selfcheck/{world}.{part}.log",
    wildcard_constraints:
        world="|".join(WORLD_SETS),
        part=r"\d+",
    params:
        *code("check_sets"),
        sets=sets_of,
        seed=lookup(dpath="selfcheck/seed", within=config),
        forecast_sets=lookup(dpath="selfcheck/forecast_sets", within=config),
        n_permutations=lookup(dpath="selfcheck/n_permutations", within=config),
        libraries=versions("numpy", "scipy", "numba", "statsmodels"),
    script:
        "../scripts/check_sets.py"


rule selfcheck:
    """Count how often the tests reject in each simulated world."""
    input:
        trials=trial_files(),
    output:
        rates="data/processed/selfcheck/rates.csv",
    log:
        "logs/selfcheck/rates.log",
    params:
        *code("count_rates"),
        n_permutations=lookup(dpath="selfcheck/n_permutations", within=config),
        libraries=versions("numpy", "scipy", "numba", "statsmodels"),
    script:
        "../scripts/count_rates.py"
