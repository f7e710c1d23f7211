"""The derivation on a terminal: what is a share prints as one, and counts do not."""

from __future__ import annotations

import io

from rich.console import Console

import costline
from costline.report.explain import derivation


def test_counts_and_ratios_are_no_percentages():
    """A step of 64 micro-batches is no 6,400 %."""
    found = costline.train("mixtral-8x22b", on="64xh100-sxm", tokens="1T", batch_tokens="4M", explain=True)
    screen = Console(file=io.StringIO(), width=400)
    screen.print(derivation(found))
    lines = screen.file.getvalue().splitlines()
    counts = [
        line for line in lines if line.lstrip("·├└│─ ").startswith(("micro_batches =", "expert_spread", "gemm_half"))
    ]
    assert len(counts) >= 3
    assert not [line for line in counts if "%" in line]
    (mfu,) = (line for line in lines if line.startswith("MFU  "))
    assert "%" in mfu
