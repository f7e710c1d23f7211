"""Formats that a checkpoint comes with: of its weights, of which weights, of its KV cache."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from costline.catalogue import Catalogue
from costline.catalogue.given import narrow_in, stored_precision
from costline.estimate import Assumption
from costline.plan import Plan
from costline.planning import read_plan_fields
from costline.precision import Narrow
from costline.resolve import Model
from costline.studies.formats import USUAL


def stored_formats(
    model: Model | None, precision: str | None, plan: str | Mapping[str, Any] | Plan | None, book: Catalogue
) -> tuple[str | None, str | Mapping[str, Any] | Plan | None, list[Assumption]]:
    """Format and plan named, else as the model is stored with a word on it; a plan with weights states its own."""
    if isinstance(plan, Plan):
        return precision, plan, []
    fields = read_plan_fields(plan)
    if precision is not None or "weights" in fields:
        return precision, _limited(fields, narrow_in(model, str(fields.get("weights", precision)), book)), []
    stored = stored_precision(model, book)
    if stored is None:
        return None, plan, []
    form, reason = stored
    limited = _limited(fields, form.narrow, form.cache)

    def said(words: str = "") -> list[Assumption]:
        narrow = f", {form.narrow} only" if form.narrow != "layers" else ""
        cache = f", cache {form.cache}" if form.cache else ""
        value = f"{form.weights}, {reason}{narrow}{cache}{words}"
        return [Assumption(name="stored format", value=value, kind="--precision")]

    if form.weights == "fp32":  # as vLLM with --dtype auto
        return None, plan, said(": loaded in bf16, as engines do")
    if not form.products:
        return form.weights, limited, said()
    widened = form.products == USUAL
    words = ": weights only, activations are not quantised" if widened else f", activations {form.products}"
    return form.products, limited | {"weights": form.weights}, said(words)


def _limited(fields: Mapping[str, Any], narrow: Narrow, cache: str = "") -> dict[str, Any]:
    """Plan fields with what a checkpoint says of its formats, where they do not say it themselves."""
    known: dict[str, Any] = {"narrow": narrow} if narrow != "layers" else {}
    return (known | {"cache": cache} if cache else known) | dict(fields)
