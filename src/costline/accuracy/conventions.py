"""What a row says in prose that changes what is computed, and nothing else of its notes.

Notes also repeat measured figures. A prediction therefore never sees them: only the phrases below reach it.
"""

from __future__ import annotations

import re

EXPERT_TENSOR = {f"expert tensor parallelism {degree}": degree for degree in (1, 2, 4, 8)}
"""Phrase -> chips that share one expert."""
PHRASES: dict[str, re.Pattern[str]] = {
    "eager": re.compile(r"\benforce[- ]eager\b", re.I),
    "compiled": re.compile(r"\btorch\.compile\b|\bcompile \+", re.I),
    "no sequence parallel": re.compile(r"\bno sequence parallel", re.I),
    "shards inside a node": re.compile(
        r"shard group: intra-node|sharded within \d+ (?:GPUs|chips)|\bHSDP\b|\bhybrid (?:zero|shard)", re.I
    ),
    "turn by turn": re.compile(r"\bprefilled in turn\b", re.I),
    "one at a time": re.compile(r"\bTTFT per user\b", re.I),
    "prefill only": re.compile(r"\bprefill (?:phase )?only\b|\bprefill phase\b", re.I),
    "decode only": re.compile(r"\bdecode (?:phase )?only\b|\bdecode phase\b", re.I),
    "attention data parallel": re.compile(r"\battention DP\b", re.I),
    **{
        phrase: re.compile(rf"\b(?:expert tensor parallelism|ETP)[ =:]*{degree}\b", re.I)
        for phrase, degree in EXPERT_TENSOR.items()
    },
}
"""Phrase -> how notes write it."""


def phrases(notes: str) -> frozenset[str]:
    """Phrases of `PHRASES` that `notes` contain.

    Examples
    --------
    >>> sorted(phrases("decode only, per 8-GPU node; 53.2 tok/s"))
    ['decode only']
    """
    return frozenset(name for name, pattern in PHRASES.items() if pattern.search(notes))
