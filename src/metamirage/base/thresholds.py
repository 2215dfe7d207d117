"""Thresholds: from where on a thing counts. Change one here and everything follows."""

from __future__ import annotations

# What the audit calls agreement: means in posterior standard deviations, evidence in nats.
AGREED_SD = 0.1
AGREED_NATS = 0.05
# Fewer sizes than this and a curve is not kept; fewer than the second and no verdict is given.
MIN_SIZES = 3
MIN_SIZES_VERDICT = 5


# ASSUME: a rise under 5 % of the metric's range is no rise.
JUMP_MIN = 0.05
# ASSUME: sharp means most of the rise within one decade of parameters, smooth within two or more.
SHARP_WIDTH = 1.0
SMOOTH_WIDTH = 2.0
P_JUMP = 0.95
P_WIDTH = 0.90
P_INSIDE = 0.90
# Fewer tasks can't reject at 0.05 by sign flips: 2 / 2**5 > 0.05.
MIN_TASKS = 6
# Fewer tasks in a class give no interval worth the name.
MIN_UNITS = 6
