"""Rows that cannot be predicted: a reason, never an interruption."""

from __future__ import annotations

from dataclasses import dataclass


class UnpredictableError(Exception):
    """Raised while a row is read; never leaves this package: `costline.accuracy.predict` turns it into a `Refusal`."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row is not predicted."""

    reason: str
