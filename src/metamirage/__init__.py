"""Test whether emergent abilities of language models are in the models or in the metrics.

Vocabulary
----------
score
    One published number: a model's result on a task under a metric.
metric
    The rule that turns a model's outputs into a score.
family
    Models that differ in size only.
curve
    The scores of one (benchmark, task, subtask, metric, family, shots) over model size.
size
    log10 of the parameter count; distances in size are decades.
width
    Decades over which a sigmoid rises from 10 % to 90 % of its height.
location
    Size at which the sigmoid is half way up.
jump
    Rise between the smallest and the largest observed model, as a fraction of the metric's range.
sharp transition
    What is measured here. "Emergence" is left to the papers that claim it.

Stages, in order: download, tidy, tags, scores, fits, audit, forecasts, concentration,
report.
No module imports one of a later stage.
"""

__version__ = "0.1.0"
