"""``costline`` without arguments: two questions, the commands that ask them, and the answers."""

from __future__ import annotations

from costline import generate, train
from costline.estimate import Estimate
from costline.report.values import label, text


def worked_examples() -> str:
    """Two worked examples, computed now."""
    clip = generate("wan2.1-t2v-14b", on="8xh100-sxm", resolution="720p")
    run = train("llama-3.1-405b", tokens="15.6T", on="16384xh100-sxm")
    return f"""\
costline: what it costs to train and to serve large generative transformers.

  What does a clip cost, and how long does a user wait?
    costline generate wan2.1-t2v-14b --resolution 720p --on 8xh100-sxm
    {_answer(clip, "time", "cost")}

  How many days, and dollars, for a training run?
    costline train llama-3.1-405b --tokens 15.6T --on 16384xh100-sxm
    {_answer(run, "time", "cost", "mfu")}

  costline --help lists the commands, costline data list chips the machines.
"""


def _answer(estimate: Estimate, *names: str) -> str:
    """Figures in one line."""
    figures = [(label(name), estimate.figures[name]) for name in names]
    return "-> " + ", ".join(f"{word} {text(figure.value, figure.unit)}" for word, figure in figures)
