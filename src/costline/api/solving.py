"""Backwards questions: which input gives the answer that is wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from costline import quantity, resolve
from costline.api import generating, serving, training
from costline.api.limits import read_limit
from costline.api.unknowns import ALIASES, CHIPS, HARDWARE, UNKNOWNS, Unknown, unknown_of
from costline.catalogue import Catalogue
from costline.errors import CostlineError, InputError, nearest_names
from costline.estimate import Estimate, Figure
from costline.hardware.cluster import Cluster
from costline.numeric import Array
from costline.report.values import text
from costline.search.limits import Limit, Study
from costline.studies.solve import extreme
from costline.uncertainty.draws import ranged_inputs

FORMS = {"largest", "longest", "most", "fewest", "least", "smallest", "cheapest", "needed", "break-even", "breakeven"}
"""Words that say which end is meant; each unknown has only one that makes sense."""


MOST_CHIPS_LISTED = 512
"""Numbers of chips up to which every one is tried; beyond, whole scale-up domains are."""


@dataclass(frozen=True, kw_only=True)
class Solution:
    """The answer to a backwards question.

    Attributes
    ----------
    study, what, words : str
        Which study, which input, what the answer is called.
    value : float, str or None
        The input that just meets the target; None if none does.
    unit : str
        Its SI unit; empty for a chip.
    target : tuple of str
        What must hold, as written; that it fits in memory goes without saying.
    estimate : Estimate or None
        The full answer there.
    reason : str
        What stops it there, or why there is none.
    table : tuple of mapping
        For the cheapest chip: chip, chips and rent of each that meets the target, cheapest first.
    """

    study: str
    what: str
    words: str
    value: float | str | None
    unit: str
    target: tuple[str, ...]
    estimate: Estimate | None
    reason: str
    table: tuple[Mapping[str, Any], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values, ready for JSON."""
        body = {name: getattr(self, name) for name in ("study", "what", "words", "value", "unit", "reason")}
        return {
            "schema": "costline.solution/1",
            **body,
            "target": list(self.target),
            "estimate": None if self.estimate is None else self.estimate.to_dict(),
            "table": [dict(row) for row in self.table],
        }


def solve(question: Study, what: str, target: str | None = None, **inputs: Any) -> Solution:
    """Find the input that just gives the answer that is wanted.

    Parameters
    ----------
    question : {"serve", "train", "generate"}
        Which question.
    what : str
        What is sought: ``batch``, ``context``, ``chips``, ``chip`` (the cheapest), ``price`` (break-even), ``mfu``,
        ``bandwidth``, ``tokens``, ``frames``, ...; ``largest batch`` reads the same, and the target may follow:
        ``batch for tpot<=30ms``.
    target : str, optional
        What must hold: ``tpot<=30ms, ttft<1s``. Without it, only that it fits in memory.
    **inputs
        Inputs of the question, without the one that is sought.

    Returns
    -------
    Solution
        The value to the last whole number, or to 12 digits; the estimate there; and what stops it.

    Raises
    ------
    InputError
        Anything that cannot be read, with the nearest fix.
    """
    if question not in UNKNOWNS:
        raise InputError(f"question {str(question)[:40]!r}: choose from {', '.join(UNKNOWNS)}")
    name, limits = _read(question, what, target)
    lists = [one for one, value in inputs.items() if isinstance(value, list | tuple)]
    if lists:
        raise InputError(f"{lists[0]}: a list is not solved for; ask for each of its values")
    if ranges := ranged_inputs(inputs):
        raise InputError(f"{ranges[0]} is a range, which is not solved for; ask for each of its ends, or its median")
    stated = "input" if name == "context" else name
    if inputs.get(stated) is not None:
        raise InputError(f"{stated} is stated, and {name} is what is sought; leave out one of them")
    if name != "chip" and inputs.get("on") is None:
        raise InputError("say what it runs on: --on 8xh100-sxm (costline data list chips)")
    if name == "chip":
        return _cheapest(question, limits, inputs)
    unknown = unknown_of(question, name, inputs)
    if name == "chips":
        return _fewest(question, limits, inputs)
    if name in {"price"} and not any(limit.figure.startswith("cost") for limit in limits):
        raise InputError('a break-even price needs a target about cost, such as --target "cost_output<$0.5/Mtoken"')
    if not unknown.largest and not limits and name != "memory":
        raise InputError(f'say what the {unknown.words} must reach: --target "{_example(question)}"')

    def asked(values: Any) -> dict[str, Any]:
        return _with(question, name, values, inputs)

    def meets(values: Array) -> Array:
        return _met(_ask(question, limits, asked(values)), limits, values.shape)

    value = extreme(meets, unknown.low, unknown.high, largest=unknown.largest, whole=unknown.whole)
    if name == "frames" and value is not None:
        return _solved(question, name, unknown, _whole_latents(inputs, value), limits, asked, value + 1)
    return _solved(question, name, unknown, value, limits, asked)


def _whole_latents(inputs: Mapping[str, Any], frames: float) -> float:
    """The most frames, of no more than so many, that the model's latents stand for, as it can make no others."""
    sizes = inputs.get("params"), inputs.get("shape") or {}
    pipeline = resolve.sampler(inputs.get("model"), *sizes, resolve.catalogue(inputs.get("catalogue")))
    grid = pipeline.transformers[0][0].grid
    counts = (float(grid.covered_frames(frames - less)) for less in range(int(min(grid.time, frames))))
    return next((count for count in counts if 1 <= count <= frames), frames)


def _read(study: Study, what: str, target: str | None) -> tuple[str, tuple[Limit, ...]]:
    """The input that is sought and what must hold."""
    wanted, _, inside = what.partition(" for ")
    if not wanted.strip():
        raise InputError(f"say what is sought: --solve batch; {study} knows {', '.join([*UNKNOWNS[study], 'chip'])}")
    words = [word for word in wanted.lower().replace("_", " ").split() if word not in FORMS | {"the", "a"}]
    name = "_".join(words).replace("-", "_")
    name = ALIASES[study].get(name, name)
    known = [*UNKNOWNS[study], "chip"]
    if name not in known:
        near = nearest_names(name, known) or known
        raise InputError(f"{study} cannot be solved for {wanted[:40]!r}; did you mean {', '.join(near)}?")
    pieces = [piece.strip() for text in (inside, target or "") for piece in text.split(",") if piece.strip()]
    bounds = [read_limit(piece, study, equal=True) for piece in pieces if piece.lower() not in {"memory", "fits"}]
    return name, tuple(bounds)


def _ask(study: Study, limits: Sequence[Limit], inputs: Mapping[str, Any]) -> Estimate:
    """The answer, with a plan that keeps the limits if there is one: serving trades one figure for another."""
    if study == "serve":
        job = serving.serving_job(**inputs)
        return serving.answered(job, inputs.get("batch") is None, lambda figures: _kept(figures, limits))
    question = training.train if study == "train" else generating.generate
    return cast(Estimate, question(**inputs))


def _kept(figures: Mapping[str, Figure], limits: Sequence[Limit]) -> Any:
    met: Any = True
    for limit in limits:
        met = met & np.asarray(limit.met(figures))
    return met


def _example(study: Study) -> str:
    return {"serve": "tpot<=30ms", "train": "time<=30 days", "generate": "time<=60s"}[study]


def _with(study: Study, name: str, values: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs with the one that is sought set."""
    if name in HARDWARE:
        return {**inputs, "on": _changed(name, values, inputs)}
    if name == "context":
        output = inputs.get("output", 200)
        answer = resolve.number(output, quantity.TOKENS, "output", least=1, whole=True)
        return {**inputs, "input": np.maximum(values - answer, 1)}
    if study == "serve" and name == "mfu":
        return {**inputs, "coefficients": {**inputs.get("coefficients", {}), "gemm": values}}
    return {**inputs, name: values}


def _changed(name: str, values: Any, inputs: Mapping[str, Any]) -> Cluster:
    """The machine with another property."""
    on = inputs["on"]
    cluster = on if isinstance(on, Cluster) else resolve.catalogue(inputs.get("catalogue")).cluster(on)
    if name == "link":
        return replace(cluster, scale_up=values)
    if name == "network":
        return replace(cluster, scale_out=values)
    if name == "peak":
        usual = max(cluster.chip.peak.get("bf16", 0.0), 1.0) if "bf16" in cluster.chip.peak else max(
            np.max(rate) for rate in cluster.chip.peak.values())  # fmt: skip
        rates = {each: rate * (values / usual) for each, rate in cluster.chip.peak.items()}
        return replace(cluster, chip=replace(cluster.chip, peak=rates))
    field = {"bandwidth": "memory_bandwidth", "memory": "memory"}[name]
    changed: dict[str, Any] = {field: values}
    return replace(cluster, chip=replace(cluster.chip, **changed))


def _met(estimate: Estimate, limits: Sequence[Limit], shape: tuple[int, ...]) -> Array:
    return np.broadcast_to(np.asarray(estimate.feasible) & _kept(estimate.figures, limits), shape)


def _solved(
    study: Study,
    name: str,
    unknown: Unknown,
    value: float | None,
    limits: Sequence[Limit],
    asked: Callable[[Any], dict[str, Any]],
    beyond: float | None = None,
) -> Solution:
    """The estimate at the value, and what stops it there: at `beyond`, or a step further."""
    end = unknown.low if unknown.largest else unknown.high
    found = Solution(
        study=study, what=name, words=unknown.words, value=None, unit=unknown.unit,
        target=tuple(limit.words for limit in limits), estimate=None, reason="",
    )  # fmt: skip
    if value is None:
        first = _ask(study, limits, asked(_plain(end, unknown)))
        return replace(found, reason=f"none: even at {_shown(end, unknown)} {_broken(first, limits)}")
    number = _plain(value, unknown)
    found = replace(found, value=number, estimate=_ask(study, limits, asked(number)))
    step = 1.0 if unknown.whole else 1e-9 * value
    if beyond is None:
        beyond = value + step if unknown.largest else value - step
    if not unknown.low <= beyond <= unknown.high:
        return replace(found, reason=f"nothing stops it: {unknown.end}")
    broken = _broken(_ask(study, limits, asked(_plain(beyond, unknown))), limits)
    return replace(found, reason=f"at {_shown(beyond, unknown)} {broken}" if unknown.whole else f"beyond it {broken}")


def _shown(value: float, unknown: Unknown) -> str:
    if not unknown.whole:
        return text(value, unknown.unit)
    return f"{value:,.0f} {unknown.unit}{'s' if round(value) != 1 else ''}"


def _plain(value: float, unknown: Unknown) -> float:
    return int(value) if unknown.whole else float(value)


def _broken(estimate: Estimate, limits: Sequence[Limit]) -> str:
    """Which condition does not hold."""
    if estimate.feasible is False:
        return f"it does not fit: {estimate.reason}"
    for limit in limits:
        if not limit.met(estimate.figures):
            figure = estimate.figures.get(limit.figure)
            value = "unknown" if figure is None else text(figure.value, figure.unit)
            return f"{limit.figure} is {value}, which breaks {limit.words}"
    return "all holds still: the answer changes back and forth there"


def _fewest(study: Study, limits: Sequence[Limit], inputs: Mapping[str, Any]) -> Solution:
    """Fewest chips: every number of them is tried, from where doubling first succeeds back to where it last failed."""
    on = inputs["on"]
    book = resolve.catalogue(inputs.get("catalogue"))
    cluster = on if isinstance(on, Cluster) else book.cluster(on)

    def asked(number: Any) -> dict[str, Any]:
        return {**inputs, "on": replace(cluster, chips=number)}

    count = 1
    while count <= CHIPS.high and not _holds(study, asked(count), limits):
        count *= 2
    if count > CHIPS.high:
        return _solved(study, "chips", CHIPS, None, limits, asked)
    step = 1 if count <= MOST_CHIPS_LISTED else int(np.max(cluster.domain))
    tried = np.arange(count // 2 + step, count + 1, step, dtype=float)
    fewest = count
    for number in tried:  # divisibility decides, so there is no order to rely on
        if number < count and _holds(study, asked(int(number)), limits):
            fewest = int(number)
            break
    return _solved(study, "chips", CHIPS, float(fewest), limits, asked)


def _holds(study: Study, inputs: Mapping[str, Any], limits: Sequence[Limit]) -> bool:
    try:
        return bool(_met(_ask(study, limits, inputs), limits, ()))
    except CostlineError:  # a plan the user fixed may need more chips than these
        return False


def _cheapest(study: Study, limits: Sequence[Limit], inputs: Mapping[str, Any]) -> Solution:
    """The chip whose fewest chips cost least, of those named or of all that have a rental price."""
    book = resolve.catalogue(inputs.get("catalogue"))
    named, tried = inputs.get("on") is not None, _priced(book, inputs.get("on"))
    found: list[tuple[float, Mapping[str, Any], Estimate]] = []
    for name in tried:
        one = _fewest(study, limits, {**inputs, "on": name})
        rent, spent = _rented(book, name, inputs), None if one.estimate is None else _spent(study, one.estimate)
        if one.estimate is None or one.value is None or rent is None or spent is None:
            continue
        row: dict[str, Any] = {"chip": name, "chips": one.value, "rent": rent * int(one.value), "cost": spent}
        found.append((row["rent"] if study == "serve" else spent, row, one.estimate))
    found.sort(key=lambda each: each[0])
    answer = Solution(
        study=study, what="chip", words="cheapest chip", value=None, unit="", estimate=None,
        target=tuple(limit.words for limit in limits), reason="no chip with a known rental price meets the target",
        table=tuple(row for _, row, _ in found),
    )  # fmt: skip
    if not found:
        return answer
    _, best, estimate = found[0]
    others = f"{len(found)} of the {len(tried)} {'named' if named else 'with a rental price'} can"
    if len(tried) == 1:
        others = "the only one named: leave out --on to compare all with a rental price"
    reason = f"{best['chips']:,} of them for {text(best['rent'], 'USD/s')}; {others}"
    return replace(answer, value=best["chip"], estimate=estimate, reason=reason)


def _rented(book: Catalogue, chip: str, inputs: Mapping[str, Any]) -> float | None:
    """Rent of a chip: the user's price, else the catalogue's. [USD/s]"""
    if inputs.get("price") is not None:
        return float(np.max(resolve.stated_rent(inputs["price"])))
    choice = book.rental_price(chip)
    return None if choice is None else choice.value


def _priced(book: Catalogue, on: Any) -> list[str]:
    """Chips to compare: those named, or all that can be rented."""
    if isinstance(on, str):
        named = [piece.strip() for piece in on.split(",") if piece.strip()]
        return [book.cluster(piece).chip.id for piece in named]
    return [name for name in book.chips() if book.rental_price(name) is not None]


def _spent(study: Study, estimate: Estimate) -> float | None:
    value = estimate["cost_per_request" if study == "serve" else "cost"]
    return None if value is None else float(np.max(value))
