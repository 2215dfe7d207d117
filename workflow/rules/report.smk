# REPORT: the pages people read.
#
# REQUIRED INPUTS
#   every table of the stages before
# OUTPUTS
#   reports/{benchmark}/index.html      one benchmark
#   reports/{benchmark}/explorer.html   its curves, to be searched and looked at
#   reports/index.html                  overview and pooled answer
#   reports/selfcheck.html              error rates of the tests, measured on simulated worlds
#   reports/methods.html                model, priors, verdict rules and tests in words
#   reports/metamirage.zip              pages, tables, settings and provenance, when asked for
#   reports/screenshots/                the pages as seen in a browser, when asked for
#   docs/figures/gpt3.png               figure of the README, only when asked for

from metamirage.project.assumptions import collect_assumptions

# The page lists those of the whole package, also of modules that no rule here runs.
ASSUMPTIONS = [tuple(assumption) for assumption in collect_assumptions()]
# Pages beside those of the benchmarks, with the words that lead to them.
PAGES = (
    {"methods.html": "Methods"}
    | ({"selfcheck.html": "How often the tests are wrong"} if measured_rates() else {})
    | (
        {"mechanism.html": "How a metric can make a sharp transition"}
        if trained_here()
        else {}
    )
)
# What the archive holds of each benchmark.
TABLES = [
    "tidy/{benchmark}",
    "tidy/{benchmark}.issues",
    "tags/{benchmark}",
    "scores/{benchmark}",
    "fits/{benchmark}",
    "fits/{benchmark}.models",
    "fits/{benchmark}.profiles",
    "bands/{benchmark}",
    "audit/{benchmark}",
    "forecasts/{benchmark}",
    "latent/{benchmark}",
    "concentration/{benchmark}",
    "concentration/{benchmark}.against",
    "concentration/{benchmark}.controls",
    "concentration/{benchmark}.hierarchy",
    "residual/{benchmark}",
    "residual/{benchmark}.tests",
    "superlinear/{benchmark}",
    "superlinear/{benchmark}.tests",
    "multiverse/{benchmark}",
    "multiverse/{benchmark}.joint",
]


report: "../report/workflow.rst"


rule render_benchmark:
    """Render the page of one benchmark."""
    input:
        templates=templates(),
        spec="config/benchmarks/{benchmark}.yaml",
        manifest="data/raw/{benchmark}/MANIFEST.json",
        tidy="data/processed/tidy/{benchmark}.parquet",
        issues="data/processed/tidy/{benchmark}.issues.parquet",
        tags="data/processed/tags/{benchmark}.parquet",
        scores="data/processed/scores/{benchmark}.parquet",
        fits="data/processed/fits/{benchmark}.parquet",
        models="data/processed/fits/{benchmark}.models.parquet",
        audit="data/processed/audit/{benchmark}.parquet",
        forecasts="data/processed/forecasts/{benchmark}.parquet",
        concentration="data/processed/concentration/{benchmark}.parquet",
        against="data/processed/concentration/{benchmark}.against.parquet",
        controls="data/processed/concentration/{benchmark}.controls.parquet",
        multiverse="data/processed/multiverse/{benchmark}.parquet",
        multiverse_joint="data/processed/multiverse/{benchmark}.joint.parquet",
        latent="data/processed/latent/{benchmark}.parquet",
        residual="data/processed/residual/{benchmark}.parquet",
        residual_tests="data/processed/residual/{benchmark}.tests.parquet",
        superlinear="data/processed/superlinear/{benchmark}.parquet",
        superlinear_tests="data/processed/superlinear/{benchmark}.tests.parquet",
        hierarchy="data/processed/concentration/{benchmark}.hierarchy.parquet",
        reproduction=reproduction_of,
    output:
        page=report(
            "reports/{benchmark}/index.html",
            caption="../report/benchmark.rst",
            category="Benchmarks",
            labels={"benchmark": "{benchmark}", "page": "what was found"},
        ),
    log:
        "logs/report/{benchmark}.log",
    params:
        *code("render_benchmark"),
        contents=contents("config/benchmarks/{benchmark}.yaml"),
        settings=SETTINGS,
        libraries=versions(
            "numpy",
            "scipy",
            "numba",
            "pandas",
            "statsmodels",
            "matplotlib",
            "seaborn",
            "jinja2",
        ),
        assumptions=ASSUMPTIONS,
        rates=measured_rates(),
    script:
        "../scripts/render_benchmark.py"


rule render_explorer:
    """Render the page in which every curve of a benchmark can be found."""
    input:
        templates=templates(),
        spec="config/benchmarks/{benchmark}.yaml",
        tidy="data/processed/tidy/{benchmark}.parquet",
        tags="data/processed/tags/{benchmark}.parquet",
        scores="data/processed/scores/{benchmark}.parquet",
        fits="data/processed/fits/{benchmark}.parquet",
        models="data/processed/fits/{benchmark}.models.parquet",
        bands="data/processed/bands/{benchmark}.parquet",
    output:
        page=report(
            "reports/{benchmark}/explorer.html",
            caption="../report/explorer.rst",
            category="Benchmarks",
            labels={"benchmark": "{benchmark}", "page": "every curve"},
        ),
    log:
        "logs/report/{benchmark}.explorer.log",
    params:
        *code("render_explorer"),
        contents=contents("config/benchmarks/{benchmark}.yaml"),
        libraries=versions("itables", "vl-convert-python", "jinja2"),
    script:
        "../scripts/render_explorer.py"


rule render_index:
    """Render the overview: the pooled answer and a link to every benchmark."""
    input:
        templates=templates(),
        pooled="data/processed/concentration/pooled.parquet",
        concentration=expand(
            "data/processed/concentration/{benchmark}.parquet",
            benchmark=config["benchmarks"],
        ),
        against=expand(
            "data/processed/concentration/{benchmark}.against.parquet",
            benchmark=config["benchmarks"],
        ),
        multiverse_joint=expand(
            "data/processed/multiverse/{benchmark}.joint.parquet",
            benchmark=config["benchmarks"],
        ),
        fits=expand(
            "data/processed/fits/{benchmark}.parquet",
            benchmark=config["benchmarks"],
        ),
        audit=expand(
            "data/processed/audit/{benchmark}.parquet",
            benchmark=config["benchmarks"],
        ),
        specs=expand(
            "config/benchmarks/{benchmark}.yaml",
            benchmark=config["benchmarks"],
        ),
    output:
        page=report(
            "reports/index.html",
            caption="../report/index.rst",
            category="Overview",
            labels={"page": "the answer"},
        ),
    log:
        "logs/report/index.log",
    params:
        *code("render_index"),
        answering=answering(),
        contents=contents(
            *expand(
                "config/benchmarks/{benchmark}.yaml", benchmark=config["benchmarks"]
            )
        ),
        settings=SETTINGS,
        rates=measured_rates(),
        pages=list(PAGES.items()),
        reproduced=REPRODUCED,
        libraries=versions(
            "numpy",
            "scipy",
            "numba",
            "pandas",
            "statsmodels",
            "matplotlib",
            "seaborn",
            "jinja2",
        ),
    script:
        "../scripts/render_index.py"


rule render_methods:
    """Render the page of methods, with every constant read from the code."""
    input:
        templates=templates(),
    output:
        page=report(
            "reports/methods.html",
            caption="../report/methods.rst",
            category="Overview",
            labels={"page": "methods"},
        ),
    log:
        "logs/report/methods.log",
    params:
        *code("render_methods"),
        assumptions=ASSUMPTIONS,
        settings=SETTINGS,
        pages=list(PAGES.items()),
        libraries=versions(
            "numpy", "scipy", "numba", "pymc", "nutpie", "arviz", "statsmodels"
        ),
    script:
        "../scripts/render_methods.py"


rule render_selfcheck:
    """Render the page of the tests' own error rates."""
    input:
        templates=templates(),
    output:
        page=report(
            "reports/selfcheck.html",
            caption="../report/selfcheck.rst",
            category="Overview",
            labels={"page": "how often the tests are wrong"},
        ),
    log:
        "logs/report/selfcheck.log",
    params:
        *code("render_selfcheck"),
        rates=measured_rates(),
        libraries=versions("matplotlib", "jinja2"),
    script:
        "../scripts/render_selfcheck.py"


rule archive_report:
    """Put pages, tables, settings and provenance of a run into one file."""
    input:
        pages=[
            "reports/index.html",
            *expand("reports/{page}", page=PAGES),
            *expand(
                "reports/{benchmark}/{page}.html",
                benchmark=config["benchmarks"],
                page=["index", "explorer"],
            ),
        ],
        tables=[
            "data/processed/concentration/pooled.parquet",
            *expand(
                [f"data/processed/{table}.parquet" for table in TABLES],
                benchmark=config["benchmarks"],
            ),
            *expand(
                "data/processed/mechanism/{benchmark}.parquet",
                benchmark=trained_here(),
            ),
            *expand(
                "data/processed/reproduction/{benchmark}.parquet",
                benchmark=[
                    name for name in REPRODUCED if name in config["benchmarks"]
                ],
            ),
        ],
        manifests=expand(
            "data/raw/{benchmark}/MANIFEST.json", benchmark=config["benchmarks"]
        ),
        own=[
            "config/config.yaml",
            "config/metrics.csv",
            *expand(
                "config/benchmarks/{benchmark}.yaml", benchmark=config["benchmarks"]
            ),
        ],
    output:
        archive="reports/metamirage.zip",
    log:
        "logs/report/archive.log",
    params:
        *code("archive_report"),
        settings=SETTINGS | {"benchmarks": config["benchmarks"]},
        libraries=versions(
            "numpy",
            "scipy",
            "numba",
            "pandas",
            "pymc",
            "nutpie",
            "arviz",
            "statsmodels",
        ),
    script:
        "../scripts/archive_report.py"


# Pages that are photographed, by the name of their pictures: all, and the first benchmark's.
PHOTOGRAPHED = (
    {"index": "reports/index.html"}
    | {Path(page).stem: f"reports/{page}" for page in PAGES}
    | {
        f"benchmark-{page}": f"reports/{benchmark}/{page}.html"
        for benchmark in config["benchmarks"][:1]
        for page in ("index", "explorer")
    }
)


rule screenshots:
    """Photograph the pages at the width of a desk and of a phone; needs chromium and make env-dev."""
    input:
        pages=list(PHOTOGRAPHED.values()),
    output:
        expand(
            "reports/screenshots/{page}-{width}.png",
            page=PHOTOGRAPHED,
            width=["desktop", "phone"],
        ),
    log:
        "logs/report/screenshots.log",
    params:
        *code("take_screenshots"),
        pages=PHOTOGRAPHED,
    script:
        "../scripts/take_screenshots.py"


rule readme_figure:
    """Draw the figure of the README from the GPT-3 tables."""
    input:
        tidy="data/processed/tidy/gpt3.parquet",
        tags="data/processed/tags/gpt3.parquet",
        fits="data/processed/fits/gpt3.parquet",
    output:
        figure="docs/figures/gpt3.png",
    log:
        "logs/report/readme_figure.log",
    params:
        *code("render_readme_figure"),
        settings=SETTINGS,
        curves=[
            "gpt3|2D+||acc|GPT-3|50",
            "gpt3|3D+||acc|GPT-3|50",
            "gpt3|4D+||acc|GPT-3|50",
            "gpt3|SQuADv2||em|GPT-3|16",
            "gpt3|SQuADv2||f1|GPT-3|16",
            "gpt3|LAMBADA||ppl|GPT-3|15",
        ],
    script:
        "../scripts/render_readme_figure.py"
