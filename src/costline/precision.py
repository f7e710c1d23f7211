"""Number formats: how many bytes an element takes, and which peak rate multiplies it."""

from __future__ import annotations

from typing import Literal, TypeAlias

from costline.errors import PlanError, nearest_names

Narrow: TypeAlias = Literal["layers", "feed-forward", "experts", "all"]
"""What a format of fewer than 16 bits applies to: all products of the layers, those of their feed-forward networks, of
their experts only, or the embedding and the head too."""

BYTES: dict[str, float] = {
    "fp32": 4.0,
    "tf32": 4.0,
    "bf16": 2.0,
    "fp16": 2.0,
    "fp16acc": 2.0,  # operands in fp16, sums too
    "fp8": 1.0,
    "int8": 1.0,
    "fp4": 0.5 + 1 / 16,  # nvfp4: one fp8 scale for 16 elements
    "mxfp4": 0.5 + 1 / 32,  # OCP microscaling: one 8-bit scale for 32 elements
    "int4": 0.5 + 2 / 128,  # AWQ, GPTQ: one fp16 scale for 128 elements
    # llama.cpp Q4_K_M: 144 bytes for 256 elements, but 210 (Q6_K) for half of the value and down projections and for
    # the head, which are 0.16 (70B) to 0.20 (8B) of the weights of a Llama 3
    "q4_k_m": (144 + 0.18 * (210 - 144)) / 256,
}
"""Bytes of one element, block scales included: definitions of the formats, not measurements."""

MIXED = frozenset({"q4_k_m"})
"""Formats whose bytes are an average over all weights of a model, the head and the embedding among them."""

WEIGHTS_ONLY = frozenset({"int4", "mxfp4", "q4_k_m"})
"""Formats that leave activations in 16 bits unless told otherwise: AWQ and GPTQ (arXiv:2306.00978, 2210.17323), the
MXFP4 of gpt-oss (arXiv:2508.10925, section 2.1), llama.cpp's blocks. NVFP4 quantises activations too (ModelOpt)."""

SAME_UNITS: dict[str, str] = {"mxfp4": "fp4"}
"""Formats that are multiplied by the units of another one, of whose rate there is a single figure."""

RATE_FALLBACK: dict[str, tuple[str, ...]] = {
    "fp32": ("fp32",),
    "tf32": ("tf32", "fp32"),
    "bf16": ("bf16", "fp16", "tf32", "fp32"),
    "fp16": ("fp16", "bf16", "tf32", "fp32"),
    "fp16acc": ("fp16acc", "fp16", "bf16", "tf32", "fp32"),
    "fp8": ("fp8", "bf16", "fp16"),
    "int8": ("int8", "bf16", "fp16"),
    "fp4": ("fp4", "bf16", "fp16"),
    "mxfp4": ("fp4", "bf16", "fp16"),
    "int4": ("int4", "bf16", "fp16"),
    "q4_k_m": ("int8", "fp16", "bf16", "fp32"),  # llama.cpp multiplies its blocks as 8-bit integers
}
"""Where hardware lacks a format, operands are widened to the next one it has: as engines do, to 16 bits."""


def usual_products(weights: str) -> str:
    """Format in which engines multiply weights stored in a format, on chips that have units for it.

    Examples
    --------
    >>> usual_products("fp8"), usual_products("int4")
    ('fp8', 'bf16')
    """
    return "bf16" if weights in WEIGHTS_ONLY else weights


def element_bytes(precision: str) -> float:
    """Bytes of one element. [byte]

    Raises
    ------
    PlanError
        Unknown format.

    Examples
    --------
    >>> element_bytes("bf16")
    2.0
    """
    if precision not in BYTES:
        near = nearest_names(precision, BYTES) or list(BYTES)
        raise PlanError(f"unknown precision {precision[:40]!r}; did you mean {', '.join(near)}?")
    return BYTES[precision]
