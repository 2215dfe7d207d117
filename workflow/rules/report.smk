# REPORT: the pages people read.
#
# REQUIRED INPUTS
#   every table of the stages before
# OUTPUTS
#   reports/{benchmark}/index.html      one benchmark
#   reports/index.html                  overview and pooled answer
#   reports/selfcheck.html              error rates of the tests, measured on simulated worlds
#   docs/figures/gpt3.png               figure of the README, only when asked for

from metamirage.assumptions import collect_assumptions

# The page lists those of the whole package, also of modules that no rule here runs.
ASSUMPTIONS = [tuple(assumption) for assumption in collect_assumptions()]


rule render_benchmark:
    """Render the page of one benchmark."""
    input:
        code=code("report"),
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
        page="reports/{benchmark}/index.html",
    log:
        "logs/report/{benchmark}.log",
    params:
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
            "itables",
            "jinja2",
        ),
        assumptions=ASSUMPTIONS,
        rates=measured_rates(),
    script:
        "../scripts/render_benchmark.py"


rule render_index:
    """Render the overview: the pooled answer and a link to every benchmark."""
    input:
        code=code("report"),
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
        page="reports/index.html",
    log:
        "logs/report/index.log",
    params:
        contents=contents(
            *expand(
                "config/benchmarks/{benchmark}.yaml", benchmark=config["benchmarks"]
            )
        ),
        settings=SETTINGS,
        rates=measured_rates(),
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


rule render_selfcheck:
    """Render the page of the tests' own error rates."""
    input:
        code=code("report"),
        templates=templates(),
    output:
        page="reports/selfcheck.html",
    log:
        "logs/report/selfcheck.log",
    params:
        rates=measured_rates(),
        libraries=versions("matplotlib", "jinja2"),
    script:
        "../scripts/render_selfcheck.py"


rule readme_figure:
    """Draw the figure of the README from the GPT-3 tables."""
    input:
        code=code("report"),
        tidy="data/processed/tidy/gpt3.parquet",
        tags="data/processed/tags/gpt3.parquet",
        fits="data/processed/fits/gpt3.parquet",
    output:
        figure="docs/figures/gpt3.png",
    log:
        "logs/report/readme_figure.log",
    params:
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
