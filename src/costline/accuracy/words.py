"""How sources name formats, kernels and software, in the words of a `Plan`.

Every reading is a rule on words, never on a row; what a rule assumes is said with the prediction.
"""

from __future__ import annotations

import functools
import re

from costline.accuracy.refusal import UnpredictableError
from costline.catalogue.software_table import software_called
from costline.hardware.chip import Chip
from costline.planning import year_of_month
from costline.studies.software import Release, released

FORMATS: tuple[tuple[str, str], ...] = (
    (r"bfp8/bfp4", "fp8"),
    (r"nvfp4|fp4_e2m1|^fp4", "fp4"),
    (r"mxfp4", "mxfp4"),
    (r"q8_0", "q8_0"),
    (r"q6_k", "q6_k"),
    (r"q5_[k01]", "q5_k_m"),
    (r"q4_0", "q4_0"),
    (r"q[234]_[k1]", "q4_k_m"),
    (r"bfp4|int4|k4v2|awq|gptq|w4a16", "int4"),
    (r"int8|w8a8", "int8"),
    (r"fp8|bfp8|mxfp8|float8|fp6", "fp8"),
    (r"bf16|bfloat16", "bf16"),
    (r"fp16|f16|half", "fp16"),
    (r"fp32|float32", "fp32"),
)
"""Pattern of a source's word -> format; the first that fits counts. Formats costline lacks take the nearest size:
bfp4 and KIVI's 4- and 2-bit cache are counted as int4, bfp8, a mix of it with bfp4, and 6-bit floats as fp8; of the
formats of llama.cpp those of 2 and 3 bits as Q4_K_M."""


@functools.cache
def number_format(word: str, what: str) -> str:
    """Format a source's word stands for.

    Raises
    ------
    UnpredictableError
        A word that no rule knows.

    Examples
    --------
    >>> [number_format(word, "weights") for word in ("fp8 rowwise", "Q5_K_M", "Q8_0", "mxfp8", "bf16")]
    ['fp8', 'q5_k_m', 'q8_0', 'fp8', 'bf16']
    """
    for pattern, name in FORMATS:
        if re.search(pattern, word, re.I):
            return name
    raise UnpredictableError(
        f"format of the {what} is not known: {word[:40]!r}" if word else f"{what}: format not stated"
    )


def year_and_month(date: str) -> str:
    """Year and month of a date written in any of the ways sources write it; empty if there is none.

    A year alone stands for its middle.

    Examples
    --------
    >>> year_and_month("~2024-09"), year_and_month("2023-05..10"), year_and_month("~2026")
    ('2024-09', '2023-05', '2026-07')
    """
    found = re.search(r"(20\d\d)(?:-(\d\d))?", date)
    return f"{found[1]}-{found[2] or '07'}" if found else ""


def year_at(date: str) -> float:
    """Year of a date in a source's words; 0 if there is none.

    Examples
    --------
    >>> year_at("~2024-07"), year_at("")
    (2024.5, 0.0)
    """
    when = year_and_month(date)
    return year_of_month(int(when[:4]), int(when[5:])) if when else 0.0


def release(words: str, study: str, date: str, said: frozenset[str], chip: Chip) -> Release:
    """Software a row names.

    Examples
    --------
    >>> from costline.catalogue import shipped
    >>> release("vLLM", "serve", "2024-07", frozenset(), shipped.chip("a100-sxm-80gb"))
    Release(software='vllm-v0', year=2024.5, compiled=True, attention='fa2')
    """
    stated = False if "eager" in said else True if "compiled" in said else None
    return released(software_called(words, study), year_at(date), chip, stated)
