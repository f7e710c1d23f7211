"""The batch of an optimizer step over the replicas: whole sequences, the fullest replica, what stands idle.

The one rule of all questions about training: a step takes the batch that was asked for, in whole sequences; it lasts as
long as the replica with most micro-batches; replicas with fewer wait for it, and what they do not do is not work.
"""

from __future__ import annotations

import numpy as np

from costline.engine.passes import log2
from costline.formulas.training import micro_batches
from costline.numeric import Array, Numeric, floor_divide, largest
from costline.plan import Plan

USUAL_BATCH_TOKENS = 4_000_000
"""Tokens of an optimizer step where nobody says otherwise: GPT-3 3.2M (Brown et al. 2020, table 2.1), Llama 2 4M
(Touvron et al. 2023, section 2.1); taken as the nearest power of two of sequences."""
SMALLEST_STEPS = 3
"""Halvings of the power of two below a larger batch, of which it is a multiple: batches grow by an eighth at most, and
still divide over most numbers of replicas."""
USUAL_CHIP_TOKENS = 1024
"""Tokens of an optimizer step and chip that large clusters get at least where nobody says otherwise: Llama 3 405B 16M
tokens on 16,384 GPUs (Grattafiori et al. 2024, arXiv:2407.21783, table 4)."""


def sequences_of(batch_tokens: Numeric, sequence: Numeric) -> Numeric:
    """Sequences of a step: the whole number nearest to the tokens asked for, at least one. [sequence]

    Examples
    --------
    >>> sequences_of(270_000, 4096)
    66.0
    """
    return largest(floor_divide(batch_tokens / sequence + 0.5, 1), 1.0)


def whole_batch(wanted: Numeric, sequence: Numeric) -> Numeric:
    """Tokens of a step nearest to `wanted` whose sequences are a power of two, as most numbers of replicas are. [token]

    Examples
    --------
    >>> whole_batch(4e6, 4096)
    4194304.0
    """
    power = largest(floor_divide(log2(wanted / sequence) + 0.5, 1), 0.0)
    return sequence * 2.0**power


def usual_batch(chips: Numeric, sequence: Numeric) -> Numeric:
    """Tokens of a step where nobody says otherwise. [token]

    Examples
    --------
    >>> [round(usual_batch(chips, 4096) / 1e6, 2) for chips in (64, 16384, 24000)]
    [4.19, 16.78, 23.07]
    """
    sequences = USUAL_CHIP_TOKENS * chips / sequence
    unit = 2.0 ** largest(floor_divide(log2(largest(sequences, 1.0)), 1) - SMALLEST_STEPS, 0.0)
    return largest(whole_batch(USUAL_BATCH_TOKENS, sequence), floor_divide(sequences, unit) * unit * sequence)


def micro_batches_of(sequences: Numeric, plan: Plan) -> Numeric:
    """Micro-batches of the fullest replica in a step. [1]"""
    return micro_batches(sequences, plan.data, plan.micro_batch)


def fed(sequences: Numeric, plan: Plan) -> Array:
    """Whether every replica has a whole micro-batch at least."""
    return np.asarray(sequences >= plan.data * plan.micro_batch)


def batch_notes(batch_tokens: Numeric, sequence: Numeric, plan: Plan) -> tuple[str, ...]:
    """What the reader must know of a batch: how it was rounded, and who stands idle."""
    sequences = sequences_of(batch_tokens, sequence)
    unit = plan.data * plan.micro_batch
    rest = sequences - unit * floor_divide(sequences, unit)
    if np.ndim(sequences) or np.ndim(unit):
        some = "at some points the batch does not divide over the replicas: some idle while the fullest works"
        return (some,) if np.any(rest) else ()
    notes = []
    if np.any(np.abs(sequences * sequence - batch_tokens) > 1):
        counted = f"{sequences:,.0f} whole sequences of {sequence:,.0f}, {sequences * sequence:,.0f} tokens"
        notes.append(f"a step of {batch_tokens:,.0f} tokens is counted as {counted}")
    if np.any(rest) and np.all(sequences >= unit):
        notes.append(_idle(sequences, sequence, plan))
    return tuple(notes)


def _idle(sequences: Numeric, sequence: Numeric, plan: Plan) -> str:
    """Sentence about a batch that does not divide: how much waits, and the nearest batches that divide."""
    unit = plan.data * plan.micro_batch
    most = micro_batches_of(sequences, plan)
    idle = 1 - sequences / (unit * most)
    near = [floor_divide(sequences, unit) * unit, (floor_divide(sequences, unit) + 1) * unit]
    even = " or ".join(f"{one * sequence:,.0f} tokens ({one:,.0f} sequences)" for one in near)
    return (
        f"{sequences:,.0f} sequences a step do not divide over {plan.data:,.0f} replicas of micro-batch "
        f"{plan.micro_batch:,.0f}: the fullest does {most:,.0f} micro-batches, and {idle:.1%} of all replicas' time is "
        f"idle; nearest batches that divide: {even}"
    )
