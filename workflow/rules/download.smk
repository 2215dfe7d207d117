# DOWNLOAD: bring the published files of a benchmark to this machine, verified.
#
# REQUIRED INPUTS
#   config/benchmarks/{benchmark}.yaml      source, commit or sha256, licence
# OUTPUTS
#   data/raw/{benchmark}/...                as published, read-only (not listed: thousands of files)
#   data/raw/{benchmark}/MANIFEST.json      what was fetched, from where, with checksums
# KEPT BESIDE THEM
#   .cache/metamirage/                      what arrived so far: Snakemake would delete an output


rule download_benchmark:
    """Fetch and verify the published tables of one benchmark."""
    input:
        spec="config/benchmarks/{benchmark}.yaml",
        tables=local_files,
        made=made_tables,
    output:
        manifest="data/raw/{benchmark}/MANIFEST.json",
    log:
        "logs/download/{benchmark}.log",
    params:
        *code("download_benchmark"),
        contents=contents("config/benchmarks/{benchmark}.yaml", local_files),
    script:
        "../scripts/download_benchmark.py"
