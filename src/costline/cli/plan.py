"""``costline plan``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter

from costline.errors import InputError

OUTPUT = Group("Output", sort_key=90)
Switch = Annotated[bool, Parameter(negative="", group=OUTPUT, show_default=False)]
Hidden = Annotated[str | None, Parameter(show=False)]


def plan(
    study: Literal["train", "serve", "generate"],
    model: str | None = None,
    /,
    *,
    on: str | None = None,
    objective: Literal["time", "cost", "energy", "throughput"] | None = None,
    within: str | None = None,
    budget: str | None = None,
    precision: str | None = None,
    modes: str | None = None,
    fix: str | None = None,
    tokens: str | None = None,
    sequence: str | None = None,
    batch: str | None = None,
    input: str | None = None,
    output: str | None = None,
    resolution: str | None = None,
    frames: Hidden = None,
    seconds: Hidden = None,
    steps: Hidden = None,
    engine: Hidden = None,
    price: Hidden = None,
    params: Hidden = None,
    catalogue: Hidden = None,
    file: Annotated[Path | None, Parameter(name=["--file", "-f"], group=OUTPUT)] = None,
    set: Annotated[tuple[str, ...], Parameter(negative="", group=OUTPUT, show_default=False)] = (),
    json: Switch = False,
    csv: Switch = False,
    plain: Switch = False,
) -> int:
    """Find the best way to train, to serve or to generate: every legal plan is evaluated.

    Parameters
    ----------
    study
        What is done.
    model
        Catalogue name, config.json or folder; leave out with --params.
    on
        Chips, one or several: 32xh100-sxm or 8xh100-sxm,8xh200-sxm; with --budget also a chip without a number.
    objective
        What is sought; default throughput for serving, else time.
    within
        What must hold: "ttft<1s, tpot<50ms, mfu>30%"; that a plan fits in memory goes without saying.
    budget
        Most that may be spent: $100/h for all chips; $5M in all (training).
    precision
        Formats to try: bf16,fp8. A narrower one changes what the model says.
    modes
        Ways to serve to try: together,chunked,apart.
    fix
        Fields of the plan that stay as you say: "tensor=8, zero=1".
    tokens
        Training tokens: 15.6T. (Generation: latent tokens.)
    sequence
        Tokens of a training sample.
    batch
        Tokens of an optimizer step; sequences in flight on all chips; clips that each replica makes together.
    input
        Prompt [token].
    output
        Answer [token].
    resolution
        Size of a clip: 1280x720. (--frames, --seconds, --steps.)
    frames
        Frames of a clip.
    seconds
        Length of a clip instead of frames.
    steps
        Sampler steps.
    engine
        Software: vllm (costline data list software).
    price
        Rent of a chip: $2.49/h.
    params
        Parameters of a hypothetical model: 70B.
    catalogue
        TOML file of your own chips, systems, prices, models.
    file
        Scenario: a TOML file with any inputs of this command.
    set
        One input as key=value, for those without a flag of their own; repeatable.
    json
        JSON with a versioned layout, numbers in SI units.
    csv
        CSV, a row a plan.
    plain
        No colour.
    """
    given = {
        "model": model, "on": on, "objective": objective, "within": within, "budget": budget, "precision": precision,
        "modes": modes, "plan": fix, "tokens": tokens, "sequence": sequence, "input": input, "output": output,
        "batch_tokens" if study == "train" else "batch": batch, "resolution": resolution, "frames": frames,
        "seconds": seconds, "steps": steps, "engine": engine, "price": price, "params": params, "catalogue": catalogue,
    }  # fmt: skip
    return _answer(study, {name: value for name, value in given.items() if value is not None}, file, set,
                   json=json, csv=csv, plain=plain)  # fmt: skip


def _answer(
    study: Literal["train", "serve", "generate"],
    given: dict[str, Any],
    file: Path | None,
    pairs: tuple[str, ...],
    *,
    json: bool,
    csv: bool,
    plain: bool,
) -> int:
    from costline.api.planning import find_plan, inputs_of_study
    from costline.cli.output import laid_over, scenario_inputs, settings
    from costline.cli.terminal import console, either

    either(json=json, csv=csv)
    known = inputs_of_study(study)
    inputs = laid_over(scenario_inputs(file, known), settings(pairs, known), given)
    for name in ("precision", "modes"):
        if isinstance(inputs.get(name), str):
            inputs[name] = [piece.strip() for piece in inputs[name].split(",") if piece.strip()]
    if "on" not in inputs:
        raise InputError("say what it runs on: --on 8xh100-sxm (costline data list chips)")
    found = find_plan(study, inputs.pop("model", None), on=inputs.pop("on"), **inputs)
    from costline.report.plan import plan_answer, plan_csv, plan_json

    if json or csv:
        sys.stdout.write(f"{plan_json(found)}\n" if json else plan_csv(found))
    else:
        screen = console(plain=plain)
        screen.print(plan_answer(found))
    return 0 if found.feasible else 1
