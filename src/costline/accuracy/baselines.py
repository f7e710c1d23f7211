"""What simpler rules would have predicted: the yardsticks of the report.

- ``mfu``: a constant utilisation for each chip and table, the median of the other configurations on that chip; where
  there is no other, of the other configurations of the table.
- ``seed``: the rule of the article costline grew from. Training 6 N D at 40 % of the peak; serving 2 N D at 5 %;
  generation 2 N D T at 50 %, times its factor for attention, which is 15 (30 N D T) for a clip of a million tokens and
  is taken by its own formula, 1 + D / 12 h, at the length of each clip.
- ``roofline``: the same kernels, each at 0.5 of peak arithmetic or 0.7 of bandwidth, whichever takes longer; launches,
  messages and overheads cost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from costline.accuracy.predict import Scored
from costline.accuracy.prediction import Outcome, Prediction, Setting
from costline.accuracy.rows import Measurement, TableName
from costline.catalogue.validated_table import factor_of, is_time
from costline.hardware.efficiency import Efficiency

NAMES = ("mfu", "seed", "roofline")
SEED: dict[TableName, float] = {"train": 0.4, "serve": 0.05, "generate": 0.5}
"""Table -> utilisation: claims S05, S23 and S24 of the article."""
ROOFLINE = {
    "gemm": 0.5, "attention": 0.5, "attention_backward": 1.0, "convolution": 0.5, "scan": 0.5, "memory": 0.7,
    "eager": 1.0, "launch": 0.0, "step_overhead": 0.0, "request_overhead": 0.0, "overlap": 1.0, "strong_scaling": 0.0,
    "expert_spread": 0.0,
    "software": 1.0, "progress": 0.0, "apart": 0.0, "chunk": 0.0, "dispatch": 0.0, "misaligned": 1.0, "exposed": 0.0,
    "gemm_half": 0.0, "attention_block": 0.0, "dequantise": 1.0, "host_bridge": 1e15, "host_work": 1.0,
    "product_energy": 0.0,
}  # fmt: skip
"""Coefficients of a roofline without overheads; messages overlap wholly."""


def utilisation_metric(setting: Setting, metric: str, share: float, flops: float) -> float:
    """Metric of a job of `flops` at a utilisation, in the unit of the metric."""
    seconds = flops / (setting.peak * share)
    return seconds * factor_of(metric) if is_time(metric) else setting.amount / seconds


def measured_utilisation(row: Scored) -> float | None:
    """Utilisation that a measurement implies; None without a case. [1]"""
    value = row.measurement.value
    if row.case is None or not value:
        return None
    setting, metric = row.case.setting, row.measurement.metric
    seconds = value / factor_of(metric) if is_time(metric) else setting.amount / value
    found = setting.flops / (setting.peak * seconds) if seconds > 0 else 0.0
    return found if found > 0 else None


def seed_rule(row: Scored) -> float | None:
    """What the article's rule gives."""
    if row.case is None:
        return None
    share, setting = SEED[row.measurement.table], row.case.setting
    return _sane(utilisation_metric(setting, row.measurement.metric, share, setting.simple_flops))


def constant_mfu(rows: Sequence[Scored]) -> list[float | None]:
    """What the median utilisation of the other configurations on the same chip gives, row by row."""
    used = [measured_utilisation(row) for row in rows]
    by_chip: dict[tuple[str, str], list[int]] = {}
    by_table: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        if used[index] is not None:
            by_chip.setdefault((row.measurement.table, row.measurement.conditions.chip), []).append(index)
            by_table.setdefault(row.measurement.table, []).append(index)
    same = [row.measurement.configuration for row in rows]
    values = np.asarray([np.nan if share is None else share for share in used])
    result: list[float | None] = []
    for index, row in enumerate(rows):
        if row.case is None or used[index] is None:
            result.append(None)
            continue
        place = (row.measurement.table, row.measurement.conditions.chip)
        others = [other for other in by_chip[place] if same[other] != same[index]]
        others = others or [other for other in by_table[place[0]] if same[other] != same[index]]
        share = float(np.median(values[others])) if others else float("nan")
        setting = row.case.setting
        result.append(_sane(utilisation_metric(setting, row.measurement.metric, share, setting.flops)))
    return result


def _sane(value: float) -> float | None:
    return value if np.isfinite(value) and value > 0 else None


def roofline(efficiency: Efficiency) -> Efficiency:
    """The same coefficients, those of `ROOFLINE` replaced."""
    return efficiency.replace(**ROOFLINE)


def in_units(measurements: Sequence[Measurement], outcomes: Sequence[Outcome]) -> list[float | None]:
    """Predicted values in the unit of each metric; None where there is no prediction."""
    return [
        float(each.value) * factor_of(one.metric) if isinstance(each, Prediction) else None
        for one, each in zip(measurements, outcomes, strict=True)
    ]


def baselines(rows: Sequence[Scored], rooflined: Sequence[float | None]) -> dict[str, list[float | None]]:
    """Predictions of every baseline, row by row, in the unit of each metric; those of the roofline are given."""
    return {"mfu": constant_mfu(rows), "seed": [seed_rule(row) for row in rows], "roofline": list(rooflined)}
