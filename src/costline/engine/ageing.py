"""What the year of a software's release changes."""

from __future__ import annotations

from costline.formulas.roofline import aged
from costline.hardware.chip import Chip
from costline.hardware.efficiency import Efficiency
from costline.numeric import Numeric

REFERENCE_YEAR = 2025.0
"""Release of software that coefficients without a stated year stand for."""


def ageing(chip: Chip, efficiency: Efficiency, year: float, kind: str = "") -> Numeric:
    """Time of a kind of work by software of a year over that by software of 2025; 1 where the year is not known. [1]"""
    if not year:
        return 1.0
    return aged(efficiency.value("progress", chip, kind), year - REFERENCE_YEAR)
