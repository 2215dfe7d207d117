# COMMON: what every rule file uses.
#
# REQUIRED INPUTS
#   config                      from config/config.yaml, --configfile and --config
#   config/benchmarks/*.yaml    their names are the closed set of the wildcard {benchmark}
# PROVIDES
#   *code(script)               what a script runs of the package, file by file, for the params
#   templates()                 page templates, for the input `templates` of the report rules
#   versions(package, ...)      library versions, for the params of rules that compute
#   local_files(wildcards)      tables of a benchmark that lie on this machine
#   made_tables(wildcards)      raw tables of a benchmark that another rule makes
#   contents(file, ...)         digests of inputs that people write, for the params
#   SETTINGS                    checked settings that shape results, for the report
#   REGISTERED                  names of all benchmarks, enabled or not
#   measured_rates()            the tests' measured error rates: file and digest, for the report
#   trial_files(), sets_of(wildcards)   parts of the selfcheck
#   EXPERIMENTS, networks_of(wildcards)   what `snakemake experiments` trains again
#   trained_here(), beside_them()       what the page of the mechanism shows
#   answering()                         what the pooled answer is made from
#   REPRODUCED                  benchmarks of which earlier papers printed numbers
#   reproduction_of(wildcards)  table of those numbers, for the benchmarks that have one

import importlib.metadata
import os
import re
import sys
from importlib.machinery import PathFinder
from pathlib import Path

from snakemake.exceptions import WorkflowError

SRC = Path(workflow.basedir) / "src"


def refuse_foreign_copy():
    """Stop if another metamirage than this checkout's could be imported by the scripts."""
    elsewhere = [path for path in sys.path if path != str(SRC)]
    found = PathFinder.find_spec("metamirage", elsewhere)
    if (
        found
        and found.origin
        and not Path(found.origin).resolve().is_relative_to(SRC.resolve())
    ):
        raise WorkflowError(
            f"Two copies of metamirage: {Path(found.origin).parent} is installed, "
            f"{SRC / 'metamirage'} belongs to this workflow. "
            "Uninstall the first (pip uninstall metamirage) or leave its environment."
        )


refuse_foreign_copy()
# First on the path, which Snakemake hands on to the scripts: nothing has to be installed.
sys.path.insert(0, str(SRC))

from metamirage.project.code_graph import code_digests
from metamirage.ingest.transfer import sha256_of
from metamirage.base.errors import InputError
from metamirage.ingest.registry import load_spec
from metamirage.project.settings import check_config, find_mirror


def clearly(function, *args, **kwargs):
    """Call a function of the package; bad input ends the run with its text, not a traceback."""
    try:
        return function(*args, **kwargs)
    except InputError as error:
        raise WorkflowError(str(error)) from None


def code(script):
    """Return name and digest of every file of the package that a script runs.

    One param each, for Snakemake compares param by param: its reason then names the edited file.
    """
    return code_digests(Path(workflow.basedir) / "workflow/scripts" / f"{script}.py")


def templates():
    """Return the parts of the pages that are not Python, which the import graph does not see."""
    files = (SRC / "metamirage" / "report" / "templates").rglob("*.*")
    return sorted(os.path.relpath(file) for file in files)


def versions(*packages):
    """Return library versions: a new release must rerun what it computed."""
    return {package: importlib.metadata.version(package) for package in packages}


def entry(benchmark):
    """Return the registry entry of a benchmark."""
    return Path("config/benchmarks") / f"{benchmark}.yaml"


def local_files(wildcards):
    """Return the tables that people put into data/raw themselves: an edited table reruns."""
    spec = clearly(load_spec, entry(wildcards.benchmark))
    mirrored = config["mirror"] and Path(config["mirror"], spec.name).is_dir()
    made_here = spec.name in MADE_TABLES
    if spec.source.kind not in ("shipped", "path") or mirrored or made_here:
        return []
    folder = Path("data/raw") / spec.name
    found = {file for pattern in spec.source.include for file in folder.glob(pattern)}
    return sorted(
        str(file) for file in found if file.is_file() and file.name != "MANIFEST.json"
    )


def made_tables(wildcards):
    """Return the raw tables of a benchmark that are made here and not by people.

    Their digests are no params, for before the first run there are none.
    """
    return MADE_TABLES.get(wildcards.benchmark, [])


def trained_here():
    """Return the enabled benchmarks of networks trained here."""
    return [name for name in TRAINED_HERE if name in config["benchmarks"]]


def answering():
    """Return the enabled benchmarks that answer the question of the report.

    Networks trained here were chosen to show a mirage and a transition: no evidence about others.
    """
    published = [name for name in config["benchmarks"] if name not in TRAINED_HERE]
    return published or config["benchmarks"]


def beside_them():
    """Return these and GPT-3, where it is enabled, to compare them with."""
    published = [name for name in ["gpt3"] if name in config["benchmarks"]]
    return [*trained_here(), *published]


def contents(*sources):
    """Return a params function: digests of input files, named or given by an input function.

    Snakemake reads an input again only if its time is new. A file put back from a copy brings its
    old time along and would be passed over. (Params that are handed `input` are not recorded.)
    """

    def digests(wildcards):
        files = [
            file
            for source in sources
            for file in (
                source(wildcards)
                if callable(source)
                else [source.format(**dict(wildcards.items()))]
            )
        ]
        return [f"{file}:{sha256_of(Path(file))}" for file in files]

    return digests


def reproduction_of(wildcards):
    """Return the table of reproduced numbers of a benchmark that has one, else nothing."""
    return expand(
        "data/processed/reproduction/{benchmark}.parquet",
        benchmark=[name for name in REPRODUCED if name == wildcards.benchmark],
    )


def measured_rates():
    """Return the table of measured error rates, this machine's or the shipped one, and its digest.

    As params and not as an input: a page must not start an hour of simulation.
    """
    own = Path("data/processed/selfcheck/rates.csv")
    shipped = Path("data/raw/selfcheck/rates.csv")
    for file in (own, shipped):
        if file.is_file():
            return [["rates", str(file)], ["digest", sha256_of(file)]]
    return []


# Worlds of the selfcheck, and the setting that says how many sets of each there are. The package
# has the same list; importing it here would cost each start of Snakemake a second.
WORLD_SETS = {
    "W0": "null_sets",
    "W1": "null_sets",
    "W2": "other_sets",
    "W3": "other_sets",
    "W4": "other_sets",
    "W5": "other_sets",
}
# Sets a job: minutes each, so that a run that was cut off loses little.
SETS_A_PART = 50


def trial_files():
    """Return the tables of all parts of the selfcheck."""
    settings = config["selfcheck"]
    return [
        f"data/processed/selfcheck/{world}.{part}.parquet"
        for world, key in WORLD_SETS.items()
        for part in range(-(-settings[key] // SETS_A_PART))
    ]


def sets_of(wildcards):
    """Return the first simulated set of a part and the one after its last."""
    first = int(wildcards.part) * SETS_A_PART
    return [
        first,
        min(first + SETS_A_PART, config["selfcheck"][WORLD_SETS[wildcards.world]]),
    ]


# Seeds of the table that ships.
ARITHMETIC_SEEDS = range(3)
EXPERIMENTS = ["arithmetic", "compositional"]


def networks_of(wildcards):
    """Return the tables of all networks of the arithmetic."""
    # Only here: importing it costs each start of Snakemake a second.
    from metamirage.networks.experiments import ARITHMETIC

    return [
        f"data/processed/experiments/arithmetic/{model}.{seed}.csv"
        for seed in ARITHMETIC_SEEDS
        for model in ARITHMETIC.shapes
    ]


REPRODUCED = ["bigbench"]
# Benchmarks of networks trained here, with a page of their own beside that of GPT-3.
TRAINED_HERE = ["digits", "arithmetic", "compositional"]
# Raw tables that a rule makes, by the benchmark that reads them.
MADE_TABLES = {"digits": ["data/raw/digits/scores.csv"]}
REGISTERED = sorted(path.stem for path in Path("config/benchmarks").glob("*.yaml"))
config.update(
    clearly(
        check_config,
        config,
        schema=Path(workflow.basedir) / "workflow/schemas/config.schema.yaml",
        registered=REGISTERED,
    )
)
config["mirror"] = find_mirror(config, os.environ)
# Where bytes came from and which benchmarks ran beside it shape no benchmark's result.
SETTINGS = {
    key: value
    for key, value in config.items()
    if key not in ("benchmarks", "mirror", "selfcheck", "digits")
}
# Faulty entries end the run here: inside an input function Snakemake would pass over them where
# the rule's output is there from an earlier run.
for benchmark in config["benchmarks"]:
    clearly(load_spec, entry(benchmark))
