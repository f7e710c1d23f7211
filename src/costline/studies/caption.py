"""Captioning a video corpus with a vision-language model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costline.engine.memory import Memory
from costline.engine.passes import Machine, forward_pass
from costline.engine.timing import Timing
from costline.estimate import Estimate, Figure, total
from costline.models.decoder import Decoder
from costline.models.encoder import Encoder
from costline.numeric import Numeric, ceil_divide, floor_divide, largest, smallest
from costline.studies.economics import Economics, cost_figure
from costline.studies.serve import request_memory, serve
from costline.studies.serving_memory import Room
from costline.studies.serving_times import Requests, serving_times


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Videos to caption.

    Attributes
    ----------
    seconds : float or array
        Length of all videos together. [s]
    clip_seconds : float or array
        Length that gets one caption. [s]
    frames : int or array
        Frames shown for one clip.
    frame_tokens : int or array
        Tokens the language model sees of one frame. [token]
    patches : int or array
        Patches the vision encoder sees of one frame. [token]
    prompt, output : int or array
        Instruction and caption. [token]
    batch : int, array or None
        Clips in flight on all chips together; None: as many as fit, at most 256 a replica. Never more than
        there are clips. [sequence]
    """

    seconds: Numeric
    clip_seconds: Numeric = 60.0
    frames: Numeric = 8
    frame_tokens: Numeric = 256
    patches: Numeric = 1024
    prompt: Numeric = 64
    output: Numeric = 200
    batch: Numeric | None = None

    @property
    def clips(self) -> Numeric:
        """Captions to write."""
        return ceil_divide(self.seconds, self.clip_seconds)

    @property
    def input(self) -> Numeric:
        """Tokens of one request before the caption. [token]"""
        return self.frames * self.frame_tokens + self.prompt


UNCOUNTED = "the vision encoder is not counted: state its parameters, such as --vision 600M"
FULL_BATCH = 256
"""Sequences a replica holds where nobody says otherwise: the default of vLLM's max_num_seqs is 256."""


def caption(
    network: Decoder,
    corpus: Corpus,
    machine: Machine,
    economics: Economics | None = None,
    vision: Encoder | None = None,
    title: str = "",
    api: tuple[Numeric, Numeric] | None = None,
) -> Estimate:
    """Estimate what it takes to caption a corpus.

    Parameters
    ----------
    network : Decoder
        Language model.
    corpus : Corpus
        Videos and what is shown of them.
    machine, economics
        Where, and under which conditions.
    vision : Encoder, optional
        Vision encoder; None leaves its cost out and says so.
    title : str
        The question in words.
    api : tuple, optional
        Published price of an input and of an output token, to compare with. [USD/token]

    Returns
    -------
    Estimate
        Figures ``time``, ``cost``, ``cost_per_clip``, ``clips``, ``input_tokens``, ``output_tokens``, ``flops``,
        ``api_cost``, and those of the serving estimate the times come from.
    """
    economics = economics or Economics()
    room, clips = Room(network, machine, vision), corpus.clips
    requests = _requests(corpus, room)
    served = serve(network, requests, machine, economics, room=room)
    language = _rounds(network, requests, clips, served.figure("latency").amount, machine)
    children = [Figure(name="language model", value=language, unit="s", note=served.figure("tpot").note)]
    if vision is not None:
        one = _looking(vision, corpus, machine)
        seconds = ceil_divide(clips, machine.plan.data) * one.point
        note = "" if np.ndim(one.point) else f"bound by {one.binds}"
        children.append(Figure(name="vision encoder", value=seconds, unit="s", note=note))
    time = total("time", "s", children)
    flops = clips * network.flops(network.streams(tokens=corpus.input + corpus.output, logits=corpus.output))
    cost = cost_figure("cost", machine.cluster.chips, time.amount, economics)
    figures = {
        "time": time,
        "cost": cost,
        "cost_per_clip": Figure(
            name="cost_per_clip", value=None if cost.value is None else cost.value / clips, unit="USD", note=cost.note
        ),
        "clips": Figure(name="clips", value=clips, unit="clip"),
        "input_tokens": Figure(name="input_tokens", value=clips * corpus.input, unit="token"),
        "output_tokens": Figure(name="output_tokens", value=clips * corpus.output, unit="token"),
        "flops": Figure(name="flops", value=flops, unit="FLOP", note="language model"),
        "batch": Figure(name="batch", value=requests.batch, unit="sequence", note=_flight(requests.batch, clips)),
    }
    if api is not None:
        figures["api_cost"] = _bill(corpus, api)
    figures |= {name: served.figure(name) for name in ("prefill_mfu", "decode_mfu", "decode_mbu", "memory")}
    warnings = () if vision is not None else (UNCOUNTED,)
    return Estimate(
        study="caption",
        title=title or f"caption with {network.name}",
        inputs=_inputs(network, corpus, machine),
        figures=figures,
        feasible=served.feasible,
        reason=served.reason,
        change=served.change,
        warnings=(*warnings, *served.warnings),
    )


def caption_time(network: Decoder, corpus: Corpus, machine: Machine, vision: Encoder | None = None) -> Numeric:
    """Time of all captions, the figure ``time`` of `caption` alone. [s]"""
    requests = _requests(corpus, Room(network, machine, vision))
    latency = serving_times(network, requests, machine)["latency"].amount
    seconds = _rounds(network, requests, corpus.clips, latency, machine)
    if vision is None:
        return seconds
    return seconds + ceil_divide(corpus.clips, machine.plan.data) * _looking(vision, corpus, machine).point


def caption_memory(network: Decoder, corpus: Corpus, machine: Machine, vision: Encoder | None = None) -> Memory:
    """Memory of one chip with the clips in flight that `caption` takes."""
    room = Room(network, machine, vision)
    requests = _requests(corpus, room)
    return request_memory(network, requests, requests.batch / machine.plan.data, machine, room)


def _requests(corpus: Corpus, room: Room) -> Requests:
    """The clips in flight as requests."""
    return Requests(input=corpus.input, output=corpus.output, batch=_batch(corpus, room))


def _looking(vision: Encoder, corpus: Corpus, machine: Machine) -> Timing:
    """The vision encoder's pass over the frames of a clip."""
    return forward_pass(vision.parts, vision.streams(tokens=corpus.patches, batch=corpus.frames), machine)


def _bill(corpus: Corpus, api: tuple[Numeric, Numeric]) -> Figure:
    """What an API asks for the same tokens. [USD]"""
    bill = corpus.clips * (corpus.input * api[0] + corpus.output * api[1])
    return Figure(name="api_cost", value=bill, unit="USD", note="the same tokens at the API's price")


def _rounds(network: Decoder, requests: Requests, clips: Numeric, latency: Numeric, machine: Machine) -> Numeric:
    """Time of all captions: full rounds of a batch, `latency` each, and one of the clips that are left. [s]"""
    full = floor_divide(clips, requests.batch)
    left = clips - full * requests.batch
    last = serving_times(network, replace(requests, batch=largest(left, 1)), machine)["latency"].amount
    return full * latency + last * (left > 0)


def _flight(batch: Numeric, clips: Numeric) -> str:
    """What the batch is, with a word where the corpus has no more clips."""
    return "in flight on all chips" + (": there are no more clips" if np.all(np.asarray(batch) >= clips) else "")


def _batch(corpus: Corpus, room: Room) -> Numeric:
    """Clips in flight: those asked for or those that fit, and never more than there are."""
    if corpus.batch is not None:
        return smallest(corpus.batch, corpus.clips)
    fits = room.most_sequences(corpus.input + corpus.output, corpus.input)
    return largest(smallest(fits, FULL_BATCH * room.plan.data, corpus.clips), 1)


def _inputs(network: Decoder, corpus: Corpus, machine: Machine) -> dict[str, Any]:
    return {
        "model": network.name,
        "chip": machine.cluster.chip.id,
        "chips": machine.cluster.chips,
        **vars(corpus),
        **vars(machine.plan),
    }
