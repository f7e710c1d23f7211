"""A judged audit for programs: JSON with a versioned layout, CSV with a row a claim."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from costline import __version__
from costline.estimate import plain
from costline.report.audit import fill, found, reason, word
from costline.studies.audit.compare import CheckResult, StepResult
from costline.studies.audit.judge import VERDICTS, Judged, Result
from costline.studies.audit.shelf import Value

SCHEMA = "costline.audit/1"
"""Name and version of the JSON form."""


def _value(value: Value | None) -> dict[str, Any] | None:
    if value is None:
        return None
    return {"value": plain(value.number), "unit": value.unit or "1", "source": value.source}


def _interval(judged: Judged, value: Value) -> dict[str, Any]:
    """The 80 % interval of a value that is in doubt."""
    span = judged.span(value)
    return {} if span is None else {"low": span.low, "high": span.high, "interval": span.share}


def _step(done: StepResult) -> dict[str, Any]:
    body: dict[str, Any] = {"name": done.name, "call": done.call, "arguments": plain(dict(done.arguments))}
    if done.node is not None:
        body["expression"] = done.node.expression
    return body | (_value(done.value) or {})


def _check(made: CheckResult) -> dict[str, Any]:
    sides = {"stated": made.stated, "least": made.least, "most": made.most}
    body: dict[str, Any] = {"kind": made.check.kind, "step": made.check.computed, "computed": _value(made.computed)}
    body |= {name: _value(value) for name, value in sides.items() if value is not None}
    limits = {"tolerance": made.check.tolerance, "factor": made.check.factor}
    return body | {name: value for name, value in limits.items() if value is not None} | {"passed": made.passed}


def _claim(judged: Judged, language: str) -> dict[str, Any]:
    claim = judged.claim
    return {
        "id": claim.id,
        "section": claim.section,
        "claim": fill(claim.claim.say(language), judged, language),
        "stated": claim.stated.say(language) if claim.stated else None,
        "verdict": judged.verdict,
        "right": [(_value(value) or {}) | _interval(judged, value) for value in judged.right],
        "right_text": found(judged, language),
        "reason": reason(judged, language),
        "source": claim.source,
        "steps": [_step(done) for done in judged.steps],
        "checks": [_check(made) for made in judged.checks],
    }


def to_json(result: Result, language: str = "en", chosen: Sequence[str] = ()) -> str:
    """JSON text; numbers in SI units; verdicts in English whatever the language of the texts."""
    claims = [judged for judged in result.claims if not chosen or judged.claim.id in chosen]
    body = {
        "schema": SCHEMA,
        "costline": __version__,
        "audit": result.name,
        "title": result.audit.title.say(language),
        "source": result.audit.source,
        "date": result.audit.date,
        "language": language,
        "samples": result.samples,
        "steps": "at the medians of what is uncertain" if result.samples else "as stated",
        "verdicts": {verdict: result.count(verdict) for verdict in VERDICTS},
        "inputs": {name: each.model_dump(exclude_none=True) for name, each in result.audit.inputs.items()},
        "claims": [_claim(judged, language) for judged in claims],
    }
    return json.dumps(body, indent=2, ensure_ascii=False, allow_nan=False)


def to_csv(result: Result, language: str = "en", chosen: Sequence[str] = ()) -> str:
    """CSV text with its settings in front, a row a claim; `right` in SI units, with its unit beside it."""
    out = io.StringIO()
    out.write(f"# costline {__version__}: audit {result.name}\n# {result.audit.source}\n")
    writer = csv.writer(out, lineterminator="\n")
    out.write(f"# samples = {result.samples}; low and high: 80 % of the samples of right\n" if result.samples else "")
    writer.writerow(
        ["id", "section", "claim", "stated", "verdict", "right", "low", "high", "right_to", "unit", "reason", "source"]
    )
    for judged in result.claims:
        if chosen and judged.claim.id not in chosen:
            continue
        ends = [plain(value.number) for value in judged.right] + [None, None]
        unit = judged.right[0].unit or "1" if judged.right else ""
        doubt = _interval(judged, judged.right[0]) if judged.right else {}
        row: list[Any] = [
            judged.claim.id,
            judged.claim.section,
            fill(judged.claim.claim.say(language), judged, language),
        ]
        row += [
            judged.claim.stated.say(language) if judged.claim.stated else "",
            word(judged.verdict, language),
            ends[0],
            doubt.get("low"),
            doubt.get("high"),
            ends[1],
            unit,
        ]
        writer.writerow([*row, reason(judged, language), judged.claim.source])
    return out.getvalue()
