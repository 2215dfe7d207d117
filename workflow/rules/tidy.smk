# TIDY: one row for each published score, whatever the source's format.
#
# REQUIRED INPUTS
#   data/raw/{benchmark}/MANIFEST.json              and the files it lists
#   config/benchmarks/{benchmark}.yaml              reader, model sizes, known defects
# OUTPUTS
#   data/processed/tidy/{benchmark}.parquet         table tidy of docs/tables.md
#   data/processed/tidy/{benchmark}.issues.parquet  table issues: defects and what was done


rule tidy_benchmark:
    """Read the published files into one row a score, and list their defects."""
    input:
        spec="config/benchmarks/{benchmark}.yaml",
        manifest="data/raw/{benchmark}/MANIFEST.json",
    output:
        tidy="data/processed/tidy/{benchmark}.parquet",
        issues="data/processed/tidy/{benchmark}.issues.parquet",
    log:
        "logs/tidy/{benchmark}.log",
    params:
        *code("tidy_benchmark"),
        contents=contents("config/benchmarks/{benchmark}.yaml"),
    script:
        "../scripts/tidy_benchmark.py"
