# MECHANISM: what networks trained here do of what the 2023 explanation predicts, and the toy model.
#
# REQUIRED INPUTS
#   the tables of the stages before, of benchmarks digits, arithmetic and compositional
# OUTPUTS
#   data/processed/mechanism/{benchmark}.parquet    table mechanism of docs/tables.md
#   reports/mechanism.html                          the page


rule assess_mechanism:
    """Measure what was predicted of networks trained here."""
    input:
        tidy="data/processed/tidy/{benchmark}.parquet",
        tags="data/processed/tags/{benchmark}.parquet",
        fits="data/processed/fits/{benchmark}.parquet",
        profiles="data/processed/fits/{benchmark}.profiles.parquet",
        forecasts="data/processed/forecasts/{benchmark}.parquet",
        latent="data/processed/latent/{benchmark}.parquet",
    output:
        mechanism="data/processed/mechanism/{benchmark}.parquet",
    log:
        "logs/mechanism/{benchmark}.log",
    wildcard_constraints:
        benchmark="|".join(TRAINED_HERE),
    params:
        *code("assess_mechanism"),
        seed=lookup(dpath="seed", within=config),
        n_permutations=lookup(dpath="n_permutations", within=config),
        libraries=versions("numpy", "scipy"),
    script:
        "../scripts/assess_mechanism.py"


rule render_mechanism:
    """Render the page of the mechanism: the toy model, and networks trained here."""
    input:
        templates=templates(),
        mechanism=expand(
            "data/processed/mechanism/{benchmark}.parquet", benchmark=trained_here()
        ),
        tidy=expand("data/processed/tidy/{benchmark}.parquet", benchmark=trained_here()),
        tags=expand("data/processed/tags/{benchmark}.parquet", benchmark=trained_here()),
        fits=expand("data/processed/fits/{benchmark}.parquet", benchmark=beside_them()),
        latent=expand(
            "data/processed/latent/{benchmark}.parquet", benchmark=beside_them()
        ),
        concentration=expand(
            "data/processed/concentration/{benchmark}.parquet", benchmark=beside_them()
        ),
        specs=expand("config/benchmarks/{benchmark}.yaml", benchmark=beside_them()),
    output:
        page="reports/mechanism.html",
    log:
        "logs/report/mechanism.log",
    params:
        *code("render_mechanism"),
        contents=contents(
            *expand("config/benchmarks/{benchmark}.yaml", benchmark=beside_them())
        ),
        settings=SETTINGS,
        libraries=versions("numpy", "scipy", "pandas", "matplotlib", "jinja2"),
    script:
        "../scripts/render_mechanism.py"
