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
    # llama.cpp (ggml-common.h): a scale for 32 elements, or two levels of scales for 256. The head is in Q6_K,
    # 0.02 (70B) to 0.07 (8B) of the weights of a Llama 3; in the mixes "M" half of the value and down projections too,
    # all together 0.16 to 0.20
    "q4_0": (144 + 0.04 * (210 - 144)) / 256,
    "q4_k_m": (144 + 0.18 * (210 - 144)) / 256,
    "q5_k_m": (176 + 0.18 * (210 - 176)) / 256,
    "q6_k": 210 / 256,
    "q8_0": 34 / 32,
}
"""Bytes of one element, block scales included: definitions of the formats, not measurements."""

BLOCKS = frozenset({"q4_0", "q4_k_m", "q5_k_m", "q6_k", "q8_0"})
"""llama.cpp's formats: of all weights of a model, the head and the embedding among them, some as an average."""

WEIGHTS_ONLY = frozenset({"int4", "mxfp4", *BLOCKS})
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
    **dict.fromkeys(BLOCKS, ("int8", "fp16", "bf16", "fp32")),  # llama.cpp multiplies its blocks as 8-bit integers
}
"""Where hardware lacks a format, operands are widened to the next one it has: as engines do, to 16 bits."""


def widening(stored: str) -> str:
    """Format whose coefficient says what widening weights costs: llama.cpp's blocks have one, that of Q4_K_M."""
    return "q4_k_m" if stored in BLOCKS else stored


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
