# KEEP: a run that fails leaves the results that were there before it.
#
# Snakemake deletes the outputs of a rule before it starts the rule. Until the run ends they are
# linked in a folder of its own; what is missing then comes back, with a time so old that the next
# run redoes it.
#
# LEFT OUT
#   data/raw/       the download verifies, resumes and replaces its files itself

from metamirage.project.kept_results import put_aside, put_back

KEPT = Path(".snakemake/kept")
# Jobs of this run, by their outputs. Another run in this folder, on other files, has its own.
PLANNED = {}


def put_all_aside():
    """Keep the results that this run would delete; if it cannot, nothing is deleted."""
    for job in workflow.dag.needrun_jobs():
        outputs = tuple(map(Path, job.output))
        if outputs and not outputs[0].is_relative_to("data/raw"):
            PLANNED[outputs] = job
    try:
        for outputs in PLANNED:
            put_aside(outputs, KEPT)
    except OSError as error:
        raise WorkflowError(
            f"Old results cannot be kept while they are redone ({error}). Nothing was deleted. "
            "Make room, or give them up with --no-hooks."
        ) from None


def put_all_back():
    """Put back what rules that failed have lost, and say so."""
    for outputs, job in PLANNED.items():
        try:
            back = put_back(outputs, KEPT)
        except OSError as error:
            logger.error(
                f"{outputs[0]}: cannot be put back ({error}); it stays in {KEPT}. "
                "Make room and run the same command again."
            )
            continue
        if back:
            logger.warning(f"Put back as before this run: {', '.join(map(str, back))}")
            # Snakemake records a failed job like one that worked, its bad input included.
            workflow.persistence.cleanup(job)


onstart:
    put_all_aside()


onsuccess:
    put_all_back()


onerror:
    put_all_back()
