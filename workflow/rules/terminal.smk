# TERMINAL: what a run shows; `--verbose` gives Snakemake's own output back.
#
# LEFT OUT
#   --quiet, --debug-dag    they ask for Snakemake's own output
#   jobs' own processes     they load this file again, to say nothing but their errors

from snakemake_interface_executor_plugins.settings import ExecMode

from metamirage.project.terminal import Job, take_over


def planned_jobs():
    """Return the jobs of this run that make files, in the order of the stages."""
    order = {rule.name: place for place, rule in enumerate(workflow.rules)}
    jobs = [
        Job(
            job.rule.name,
            " ".join(job.wildcards_dict.values()),
            tuple(job.output),
            str(workflow.dag.reason(job)),
        )
        for job in workflow.dag.needrun_jobs()
        if job.output
    ]
    return sorted(jobs, key=lambda job: (order[job.rule], job.label))


asked = workflow.output_settings
native = asked.verbose or asked.quiet or asked.debug_dag
if workflow.exec_mode == ExecMode.DEFAULT and not native:
    take_over(logger, planned_jobs, dry=asked.dryrun)
