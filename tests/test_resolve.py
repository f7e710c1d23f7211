"""Inputs of every question: whatever the type, an answer or one clear refusal."""

from __future__ import annotations

import contextlib
import datetime as dt
import inspect
from pathlib import Path
from typing import Any

import pytest

import costline

EXAMPLES = Path(__file__).parents[1] / "examples"
QUESTIONS: dict[str, dict[str, Any]] = {
    "serve": {"model": "llama-3.1-8b", "on": "h100-sxm"},
    "train": {"model": "llama-3.1-8b", "on": "8xh100-sxm", "tokens": 1e12},
    "generate": {"model": "wan2.1-t2v-1.3b", "on": "8xh100-sxm"},
    "caption": {"model": "llama-3.1-8b", "on": "h100-sxm", "minutes": 100},
}
ODD = [
    3, -1, True, 2.5, float("nan"), float("inf"), [1], (), {"a": 1}, {1: 2}, None, b"x", "", "x", "\x00", "1e999",
    "9" * 400, 10**400, dt.date(2024, 1, 1),
]  # fmt: skip
"""What a scenario file or a caller may hold in the place of anything."""


@pytest.mark.parametrize("question", QUESTIONS)
def test_whatever_is_given_is_answered_or_refused(question):
    ask = getattr(costline, question)
    for name in inspect.signature(ask).parameters:
        for value in ODD:
            with contextlib.suppress(costline.CostlineError):  # anything else is a fault of costline
                ask(**{**QUESTIONS[question], name: value})


@pytest.mark.parametrize("name", ["two\nlines", "bell\x07", "\x1b[31mred"])
def test_control_characters_of_a_folder_do_not_reach_the_answer(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    (folder / "config.json").write_text((EXAMPLES / "llama-3.1-8b" / "config.json").read_text())
    found = costline.serve(folder, on="h100-sxm")
    assert found.title.isprintable()
    assert r"\x" in found.title
