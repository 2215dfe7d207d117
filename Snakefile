# metamirage: are emergent abilities in the models, or in the metrics?
#
# Stages in the order in which a published score passes through them. Each has a rule file of its own
# and a folder data/processed/<stage>/.

from snakemake.utils import min_version

min_version("9.0")


configfile: "config/config.yaml"


# Read only under --sdm apptainer; the supported environment is the locked one of `make env`.
container: "docker://python:3.13"


include: "workflow/rules/common.smk"
include: "workflow/rules/terminal.smk"
include: "workflow/rules/keep.smk"
include: "workflow/rules/digits.smk"
include: "workflow/rules/download.smk"
include: "workflow/rules/tidy.smk"
include: "workflow/rules/tags.smk"
include: "workflow/rules/scores.smk"
include: "workflow/rules/fits.smk"
include: "workflow/rules/bands.smk"
include: "workflow/rules/audit.smk"
include: "workflow/rules/forecasts.smk"
include: "workflow/rules/latent.smk"
include: "workflow/rules/concentration.smk"
include: "workflow/rules/hierarchy.smk"
include: "workflow/rules/residual.smk"
include: "workflow/rules/superlinear.smk"
include: "workflow/rules/multiverse.smk"
include: "workflow/rules/reproduction.smk"
include: "workflow/rules/mechanism.smk"
include: "workflow/rules/experiments.smk"
include: "workflow/rules/selfcheck.smk"
include: "workflow/rules/report.smk"


wildcard_constraints:
    benchmark="|".join(map(re.escape, REGISTERED)),


rule all:
    """Render the overview and one page for every enabled benchmark."""
    default_target: True
    input:
        "reports/index.html",
        expand("reports/{page}", page=PAGES),
        expand(
            "reports/{benchmark}/{page}.html",
            benchmark=config["benchmarks"],
            page=["index", "explorer"],
        ),
        expand(
            "data/processed/reproduction/{benchmark}.parquet",
            benchmark=[name for name in REPRODUCED if name in config["benchmarks"]],
        ),
