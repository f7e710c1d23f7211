"""Memory of a generation pipeline on one chip."""

from __future__ import annotations

import numpy as np

from costline.engine.memory import Memory, largest_tensor, residual_elements, usable, weight_bytes
from costline.engine.passes import Machine
from costline.models.autoencoder import Autoencoder
from costline.models.dit import DiT
from costline.models.parts import Attention
from costline.numeric import Numeric, ceil_divide, largest
from costline.precision import element_bytes
from costline.studies.clip import Clip, Sampler, chunks_of, clip_streams, decoding, one_chip, piece_of, with_history


def generation_memory(pipeline: Sampler, clip: Clip, machine: Machine) -> Memory:
    """Memory of one chip at the fullest moment of the pipeline, which holds one segment where there are segments."""
    clip, _ = piece_of(pipeline, clip)
    plan, network = machine.plan, pipeline.transformers[0][0]
    streams = clip_streams(network, clip)
    weights: Numeric = 0.0
    for one, _ in pipeline.transformers:
        weights = weights + weight_bytes(one, plan)
    if plan.offload == "weights":
        weights = weights / network.layers * 2 / len(pipeline.transformers)  # a layer in use, one on its way
    items = {"transformer": weights}
    element, alone = element_bytes("bf16"), one_chip(machine).plan
    if plan.offload not in {"encoders", "weights"}:
        items["encoders"] = sum(weight_bytes(encoder, alone) for encoder, _ in pipeline.encoders)
    looks_back = clip.chunk is not None or "window" in streams
    history = _history_bytes(network, streams, clip, machine) if looks_back else 0.0
    parts = network.parts
    if clip.chunk is not None:  # a chunk at a time: its streams, and its attention to what was before
        parts, _ = with_history(parts, streams, clip.chunk)
    working = 2 * residual_elements(network, streams, plan) * element + largest_tensor(parts, streams, plan)
    if pipeline.autoencoder is not None:
        items["autoencoder"] = pipeline.autoencoder.params * element
        working = largest(working, _decoding_memory(pipeline.autoencoder, clip, machine))
    items["activations"] = working
    if looks_back:
        items["KV cache"] = history
    return Memory(items, usable(machine.cluster.chip, machine.efficiency))


def _decoding_memory(autoencoder: Autoencoder, clip: Clip, machine: Machine) -> Numeric:
    tile = machine.plan.vae_tile
    height, width = (np.minimum(side, tile) if tile else side for side in (clip.height, clip.width))
    frames = clip.frames if autoencoder.chunk is None else np.minimum(clip.frames, autoencoder.chunk)
    streams = autoencoder.streams(frames=frames, height=height, width=width, batch=1)
    return largest_tensor(autoencoder.decoder, streams, decoding(autoencoder, machine).plan)


def _history_bytes(network: DiT, streams: dict[str, Numeric], clip: Clip, machine: Machine) -> Numeric:
    """Keys and values that the last chunk looks back on, of each guidance branch a chip works on. [byte]

    Its own are among the activations; a single chunk looks back on nothing.
    """
    window = streams.get("window")
    width = sum(
        part.repeat * part.key_heads * (part.key_dim + part.value_dim)
        for part in network.parts
        if isinstance(part, Attention) and (part.queries == part.keys if window is None else part.keys == "visible")
    )
    plan, tokens = machine.plan, window
    if tokens is None:
        tokens = streams["image"] * (1 - 1 / chunks_of(streams, 1 if clip.chunk is None else clip.chunk))
    branches = ceil_divide(clip.branches, plan.guidance)
    return branches * streams["batch"] * tokens * width * element_bytes(plan.cache) / (plan.tensor * plan.context)
