"""Memory of one chip that serves: weights, KV cache, and the activations of whichever pass holds most."""

from __future__ import annotations

from costline.derivation import step
from costline.engine.memory import Memory, inference_bytes, kv_cache_bytes, usable, weight_bytes
from costline.engine.passes import Machine
from costline.models.decoder import Decoder
from costline.numeric import Numeric, largest


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
    share = largest(own / machine.plan.pipeline, 1)
    with step("memory"):
        taken = _prefill(network, context if prompt is None else prompt, share if together else 1, machine)
        with step("decode step"):
            streams = network.streams(tokens=1, cached=context - 1, batch=share)
            made = inference_bytes(network, network.decode_parts, streams, machine.plan)
        passes = {"prefill": taken, "decode step": made}
        return _memory(network, context, own, passes, machine)


def prefill_memory(network: Decoder, prompt: Numeric, batch: Numeric, machine: Machine) -> Memory:
    """Memory of one chip that only takes in prompts, `batch` of them in one pass."""
    with step("memory"):
        return _memory(network, prompt, batch, {"prefill": _prefill(network, prompt, batch, machine)}, machine)


def _prefill(network: Decoder, prompt: Numeric, batch: Numeric, machine: Machine) -> Numeric:
    with step("prefill"):
        streams = network.streams(tokens=prompt, batch=batch)
        return inference_bytes(network, network.parts, streams, machine.plan)


def _memory(network: Decoder, context: Numeric, own: Numeric, passes: dict[str, Numeric], machine: Machine) -> Memory:
    items = {
        "weights": weight_bytes(network, machine.plan),
        "KV cache": kv_cache_bytes(network, context, own, machine.plan),
        "activations": largest(*passes.values()),
    }
    return Memory(items, usable(machine.cluster.chip, machine.efficiency), passes)
