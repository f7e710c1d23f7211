"""Number formats of a question: what is stored, what is multiplied, and what the chip has units for.

Weights may be stored in any format: they are widened for the products, which saves bytes and not FLOPs. Products run in
a format that the chip states a rate for, or not at all: nothing is counted at another format's rate without a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from costline.engine.reach import SIXTEEN_BITS
from costline.errors import FormatError
from costline.hardware.chip import Chip
from costline.numeric import Numeric, largest
from costline.plan import Plan
from costline.precision import element_bytes, usual_products

USUAL = Plan().compute
OWN_INT4 = {"llama.cpp": "q4_k_m"}
"""Software that runs no integers of 4 bits with a scale a group (AWQ, GPTQ), and its own format of 4 bits."""


def settled_formats(
    fields: Mapping[str, Any], precision: str | None, chip: Chip, *, training: bool, products: str = ""
) -> tuple[dict[str, Any], str]:
    """Plan fields with the formats of weights and products, and a sentence where these are not the same.

    Parameters
    ----------
    fields : mapping
        Plan fields the user states; `compute` among them is a format of products that must run as it is.
    precision : str or None
        The one format the user names. Training keeps 16-bit weights and multiplies in it; inference stores the weights
        in it, and multiplies as is usual of it (`costline.precision.usual_products`) if the chip has a rate for that,
        else in the next wider one.
    chip : Chip
        Where.
    training : bool
        What for.
    products : str
        Format in which the software multiplies 16-bit operands; empty: theirs.

    Raises
    ------
    FormatError
        Products in a format for which the chip states no rate.
    """
    settled = dict(fields)
    precision, own = _own(settled, precision)
    stated = settled.get("compute", precision if training else None)
    if stated is not None:
        check_products(chip, stated)
        wanted = compute = stated
    else:
        wanted = multiplied(USUAL if precision is None else usual_products(precision), products)
        compute = chip.rate_format(wanted)
    if precision is not None and not training:
        settled.setdefault("weights", precision)
    elif compute != wanted and element_bytes(compute) == element_bytes(USUAL):
        settled.setdefault("weights", compute)
    settled["compute"] = compute
    words = _words(settled.get("weights", Plan().weights), compute, wanted, chip)
    return settled, "; ".join(filter(None, (words, own)))


def _own(settled: dict[str, Any], precision: str | None) -> tuple[str | None, str]:
    """The format named, or the one the software has in its place, in `settled` too; and a sentence on that."""
    software = settled.get("software", "")
    if software not in OWN_INT4 or "int4" not in (precision, settled.get("weights")):
        return precision, ""
    own = OWN_INT4[software]
    if settled.get("weights") == "int4":
        settled["weights"] = own
    return own if precision == "int4" else precision, f"{own} is what {software} runs for int4"


def multiplied(operands: str, products: str) -> str:
    """Format in which software multiplies operands: its own for 16-bit ones, if it has one."""
    return products if products and operands in SIXTEEN_BITS else operands


def check_products(chip: Chip, precision: str) -> None:
    """Refuse products in a format that a chip states no rate for, with those that it states."""
    if chip.multiplies(precision):
        return
    known = ", ".join(name for name in chip.peak if name != "fp64") or "none"
    nearest = chip.rate_format(precision)
    raise FormatError(f"{chip.id} states no rate for products in {precision}; it states {known}; nearest: {nearest}")


def widened(chip: Chip, precision: str) -> tuple[str, str]:
    """Format in which a chip multiplies operands given in `precision`, and a sentence if it is another one."""
    compute = chip.rate_format(precision)
    if chip.multiplies(precision):
        return precision, ""
    return compute, f"products {compute}: {chip.id} states no rate for {precision}"


def peak_rate(chip: Chip, plan: Plan) -> Numeric:
    """Dense peak that utilisation is a share of: the highest of the formats that kernels of the plan run in. [FLOP/s]

    Products run in `plan.compute`, attention and convolutions in `plan.activation`, which some chips multiply faster.
    """
    return largest(chip.rate(plan.compute), chip.rate(plan.activation))


def peak_words(chip: Chip, plan: Plan) -> str:
    """Which peak `peak_rate` is, with its format where products run in another one."""
    slower = np.all(np.asarray(chip.rate(plan.compute)) < np.asarray(chip.rate(plan.activation)))
    return f"the dense peak of {chip.rate_format(plan.activation)}, which attention runs in" if slower else "dense peak"


def _words(weights: str, compute: str, wanted: str, chip: Chip) -> str:
    reason = f" ({chip.id} states no rate for {wanted})" if compute != wanted else ""
    if weights != compute or reason:
        return f"weights {weights}, products {compute}{reason}"
    return ""
