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
    "decode only": re.compile(
        r"\bdecode (?:phase )?only\b|\bdecode phase\b|\b(?:as in|which is) decoding\b|\bprompt not counted\b", re.I
    ),
    # InferenceX draws lengths from 0.8 to 1 of those it prints (`random_range_ratio` of its scripts)
    "varied lengths": re.compile(
        r"\bInferenceX\b|\b(?:vary|varied)\b|\bdrawn from\b|\buniform(?:ly)? (?:from|between|in)\b|\bare uniform\b"
        r"|\bsampled\b|\bShareGPT\b|\bmeans of the (?:counted )?tokens\b",
        re.I,
    ),
    "all requests at once": re.compile(r"\ball (?:requests|prompts) at once\b", re.I),
    "attention data parallel": re.compile(r"\battention DP\b", re.I),
    **{
        phrase: re.compile(rf"\b(?:expert tensor parallelism|ETP)[ =:]*{degree}\b", re.I)
        for phrase, degree in EXPERT_TENSOR.items()
    },
}
"""Phrase -> how notes write it."""


DENIED = re.compile(r"\b(?:not?|nothing|never|without) (?:\w+ )?$", re.I)
"""What turns the phrase after it into its opposite."""
REQUESTS = re.compile(
    r"(?<![\d.,])(\d{1,3}(?:,\d{3})+|\d+) (?:requests|prompts)\b(?! ?/| (?:per|in all|in flight|a second)\b)", re.I
)
"""How many requests a run had; not how many it had in flight, or a second."""


def phrases(notes: str) -> frozenset[str]:
    """Phrases of `PHRASES` that `notes` contain, and the number of requests.

    Examples
    --------
    >>> sorted(phrases("decode only, per 8-GPU node; 53.2 tok/s; 1,000 requests"))
    ['1000 requests', 'decode only']
    >>> sorted(phrases("lengths do not vary; 3.5 requests/s, 256 requests in all"))
    []
    """
    said = {name for name, pattern in PHRASES.items() if _says(pattern, notes)}
    counted = REQUESTS.search(notes)
    return frozenset(said | ({f"{counted[1].replace(',', '')} requests"} if counted else set()))


def _says(pattern: re.Pattern[str], notes: str) -> bool:
    """Whether notes contain a phrase that is not denied."""
    return any(not DENIED.search(notes[: found.start()]) for found in pattern.finditer(notes))


def requests_of(said: frozenset[str]) -> int | None:
    """How many requests a run had, where that is said.

    Examples
    --------
    >>> requests_of(phrases("3,000 prompts, enforce-eager")), requests_of(phrases("SLO"))
    (3000, None)
    """
    return next((int(found[1]) for phrase in said if (found := REQUESTS.fullmatch(phrase))), None)
