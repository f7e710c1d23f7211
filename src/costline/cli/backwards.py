"""Backwards questions on the command line: ``--solve batch --target "tpot<=30ms"``.

Annotations are evaluated here, not where a subclass of `Backwards` is read.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, cast

from cyclopts import Group, Parameter

from costline.cli.doubt import Doubt
from costline.errors import InputError

if TYPE_CHECKING:
    from costline.cli.output import Output
    from costline.search.limits import Study

BACKWARDS = Group("Backwards", help="Find the input that gives the answer you want.", sort_key=85)


def _flag(words: str) -> Parameter:
    return Parameter(group=BACKWARDS, help=words)


@dataclass(frozen=True)
class Backwards(Doubt):
    """An input that is sought, and what must hold."""

    solve: Annotated[
        str | None, _flag("What is sought: batch, context, chips, chip (cheapest), price, mfu, bandwidth, ...")
    ] = None
    target: Annotated[str | None, _flag('What must hold besides memory: "tpot<=30ms, ttft<1s".')] = None


def answer_backwards(question: str, inputs: Mapping[str, Any], output: "Output") -> int:
    """Solve, print, and return the exit code."""
    from costline.api.solving import solve
    from costline.api.unknowns import UNKNOWNS
    from costline.cli.terminal import console, write_json

    if question not in UNKNOWNS:
        raise InputError(f"{question} cannot be solved backwards; {', '.join(UNKNOWNS)} can")
    if unused := output.stated():
        raise InputError(f"{unused[0]} is about ranges, which a backwards question does not take; leave it out")
    given = dict(inputs)
    found = solve(cast("Study", question), output.solve or "", output.target, **given)
    if output.json:
        write_json(found.to_dict())
    elif output.csv:
        sys.stdout.write(f"what,value,unit\n{found.what},{'' if found.value is None else found.value},{found.unit}\n")
    else:
        from costline.report.solution import solution_answer

        screen = console()
        screen.no_color = screen.no_color or output.plain
        screen.print(solution_answer(found, plain=output.plain))
    return 0 if found.value is not None else 1
