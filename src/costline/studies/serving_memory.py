"""Memory of one chip that serves: weights, KV cache, and the activations of whichever pass holds most."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from costline.derivation import step, unrecorded
from costline.engine.memory import Memory, inference_bytes, kv_cache_bytes, layer_width, usable, weight_bytes
from costline.engine.passes import Machine
from costline.models.decoder import Decoder
from costline.models.encoder import Encoder
from costline.models.parts import Part
from costline.numeric import Numeric, ceil_divide, largest, smallest
from costline.studies.solve import largest_whole

MOST_SEQUENCES, MOST_TOKENS = 2**24, 2**32
"""Ends of the searches for the largest batch and the longest context."""


class Room:
    """Memory of one chip of a machine that serves a model, for any number of sequences of any length.

    What depends on neither is worked out once.

    Parameters
    ----------
    network : Decoder
        The model.
    machine : Machine
        Cluster, coefficients and plan.
    vision : Encoder, optional
        Vision encoder whose weights the same chips hold.
    """

    def __init__(self, network: Decoder, machine: Machine, vision: Encoder | None = None) -> None:
        self.network, self.machine, self.plan, self.vision = network, machine, machine.plan, vision

    def on(self, machine: Machine) -> Room:
        """The same on another machine."""
        return Room(self.network, machine, self.vision)

    @cached_property
    def _usable(self) -> Numeric:
        return usable(self.machine.cluster.chip, self.machine.efficiency)

    @cached_property
    def _weights(self) -> Numeric:
        return weight_bytes(self.network, self.plan)

    @cached_property
    def _widths(self) -> tuple[Numeric, Numeric]:
        return layer_width(self.network.parts, 0, self.plan), layer_width(self.network.decode_parts, 0, self.plan)

    def serving(
        self, context: Numeric, own: Numeric, prompt: Numeric | None = None, *, together: bool = False
    ) -> Memory:
        """Memory while `own` sequences of `context` tokens are in flight on a replica: see `serving_memory`.

        Where they do not divide over the replicas, the fullest one counts.
        """
        own, fed = ceil_divide(own, 1), context if prompt is None else prompt
        with step("memory"):
            passes = {"prefill": self._prefill(fed, self._share(own) if together else 1)}
            return self._memory(context, own, passes | {"decode step": self._decode(context, own)})

    def prefilling(self, prompt: Numeric, batch: Numeric) -> Memory:
        """Memory of a chip that only takes in prompts, `batch` of them in one pass."""
        with step("memory"):
            return self._memory(prompt, batch, {"prefill": self._prefill(prompt, batch)})

    def most_sequences(self, context: Numeric, prompt: Numeric | None = None, *, together: bool = False) -> Numeric:
        """Largest number of sequences of `context` tokens in flight, on all replicas together. [sequence]"""
        prompt = context if prompt is None else prompt
        with unrecorded():
            alone = 0.0 if together else self._prefill(prompt, 1)

        def free(own: Numeric) -> Numeric:
            taken = self._prefill(prompt, self._share(own)) if together else alone
            return self._memory(context, own, {"prefill": taken, "decode step": self._decode(context, own)}).free

        data = self.plan.data
        replicas = data.astype(np.int64) if isinstance(data, np.ndarray) else int(data)
        return smallest(largest_whole(free, MOST_SEQUENCES) * replicas, MOST_SEQUENCES)

    def longest_context(self, own: Numeric, output: Numeric = 0, *, together: bool = False) -> Numeric:
        """Longest context of `own` sequences a replica; all of it is prompt but for `output` tokens. [token]"""
        own = ceil_divide(own, 1)
        at_once = self._share(own) if together else 1
        with unrecorded():
            step_alone = self._decode(1, own)

        def free(context: Numeric) -> Numeric:
            passes = {"prefill": self._prefill(largest(context - output, 1), at_once)}
            decode = self._decode(context, own) if self.plan.attention == "naive" else step_alone
            return self._memory(context, own, passes | {"decode step": decode}).free

        return largest_whole(free, MOST_TOKENS)

    def _share(self, own: Numeric) -> Numeric:
        """Sequences of a replica's that one pipeline stage works on at a time. [sequence]"""
        return largest(own / self.plan.pipeline, 1)

    def _layer(self, parts: tuple[Part, ...], width: Numeric, context: Numeric) -> Numeric:
        """Width of the fullest layer; only unfused attention holds more, the longer the context."""
        return layer_width(parts, context, self.plan) if self.plan.attention == "naive" else width

    def _prefill(self, prompt: Numeric, batch: Numeric) -> Numeric:
        with step("prefill"):
            streams = self.network.streams(tokens=prompt, batch=batch)
            layer = self._layer(self.network.parts, self._widths[0], prompt)
            return inference_bytes(self.network, layer, streams, self.plan)

    def _decode(self, context: Numeric, own: Numeric) -> Numeric:
        with step("decode step"):
            streams = self.network.streams(tokens=1, cached=context - 1, batch=self._share(own))
            layer = self._layer(self.network.decode_parts, self._widths[1], context)
            return inference_bytes(self.network, layer, streams, self.plan)

    def _memory(self, context: Numeric, own: Numeric, passes: dict[str, Numeric]) -> Memory:
        items = {
            "weights": self._weights,
            "KV cache": kv_cache_bytes(self.network, context, own, self.plan),
            "activations": largest(*passes.values()),
        }
        if self.vision is not None:
            items["vision encoder"] = weight_bytes(self.vision, self.plan)
        return Memory(items, self._usable, passes)


def context_notes(network: Decoder, context: Numeric) -> tuple[str, ...]:
    """A word on sequences longer than the model states it can read, which positions that are extended allow."""
    stated, longest = network.max_context, float(np.max(context))
    if stated is None or longest <= stated:
        return ()
    return (
        f"{longest:,.0f} tokens are {longest / stated:.2g} times the {stated:,} that {network.name} states as its "
        "longest context: time and memory are counted as asked, but it was not trained to read that far",
    )


def serving_memory(
    network: Decoder,
    context: Numeric,
    own: Numeric,
    machine: Machine,
    prompt: Numeric | None = None,
    *,
    together: bool = False,
) -> Memory:
    """Memory of one chip while `own` sequences of `context` tokens are in flight on its replica.

    Prefill and decode take turns, so the pass that holds more counts. A server takes in one prompt at a time, or a
    chunk of it, and needs logits of its last position only.

    Parameters
    ----------
    network : Decoder
        The model.
    context : int or array
        Tokens of a sequence at its end. [token]
    own : float or array
        Sequences in flight on the replica. [sequence]
    machine : Machine
        Cluster, coefficients and plan.
    prompt : int or array, optional
        Prompt tokens one pass takes in: the whole prompt, a chunk, or 0 where chips only decode. By default the whole
        context, as when a sequence that had to make room is computed again. [token]
    together : bool
        Whether the prompts of all sequences of a stage are taken in by one pass (static batching).
    """
    return Room(network, machine).serving(context, own, prompt, together=together)


def prefill_memory(network: Decoder, prompt: Numeric, batch: Numeric, machine: Machine) -> Memory:
    """Memory of one chip that only takes in prompts, `batch` of them in one pass."""
    return Room(network, machine).prefilling(prompt, batch)
