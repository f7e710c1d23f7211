"""Generation against published structural FLOPs, closed forms and laws."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from costline.engine.loads import forward_loads
from costline.models.importer import read_network
from costline.plan import Plan
from costline.studies.clip import Clip, clip_streams, with_history
from costline.studies.economics import Economics
from costline.studies.generate import generate, generation_phases
from tests.conftest import make_machine

WAN_14B = {
    "num_attention_heads": 40, "attention_head_dim": 128, "in_channels": 16, "out_channels": 16, "ffn_dim": 13824,
    "num_layers": 40,
}  # fmt: skip
UMT5 = {"d_model": 4096, "d_kv": 64, "d_ff": 10240, "num_layers": 24, "num_heads": 64, "vocab_size": 256384}
CLIP = Clip(frames=81, height=720, width=1280, fps=16, steps=50, branches=2)


@dataclass(frozen=True)
class Parts:
    """A pipeline without its file."""

    name: str
    transformers: Any
    autoencoder: Any = None
    encoders: Any = ()


@pytest.fixture(scope="module")
def wan():
    network = read_network(WAN_14B, "wan", "WanTransformer3DModel")
    return Parts(
        "wan2.1-t2v-14b",
        ((network, 1.0),),
        read_network({}, "vae", "AutoencoderKLWan"),
        ((read_network(UMT5, "umt5", "UMT5EncoderModel"), 512),),
    )


def test_wan_at_720p_does_the_published_work(wan):
    """models_dit.csv: 75,600 tokens, 6,523.3 TFLOP an evaluation, 652.3 PFLOP for 50 guided steps, 72.3 % attention."""
    estimate = generate(wan, CLIP, make_machine())
    assert estimate["tokens"] == 75_600
    assert estimate["evaluations"] == 100
    assert estimate["flops"] == pytest.approx(652.3e15, rel=1e-3)
    assert estimate["attention_share"] == pytest.approx(0.723, abs=1e-3)


def test_time_is_work_over_rate_on_a_lossless_machine(wan):
    estimate = generate(wan, CLIP, make_machine(bandwidth=1e20))
    denoise = estimate.figure("time").children[1]
    assert denoise.value == pytest.approx(estimate["flops"] / 100e12)
    assert estimate["mfu"] == pytest.approx(1.0)


def test_guidance_parallel_halves_denoising(wan):
    one, two = generate(wan, CLIP, make_machine()), generate(wan, CLIP, make_machine(2, guidance=2))
    assert two.figure("time").children[1].value == pytest.approx(one.figure("time").children[1].value / 2)


@pytest.mark.parametrize(("branches", "groups", "turns"), [(1, 2, 1), (3, 2, 2), (3, 3, 1), (2, 1, 2)])
def test_guidance_groups_take_whole_evaluations(wan, branches, groups, turns):
    """Evaluations cannot be cut: a group more than there are branches stands idle."""
    clip = replace(CLIP, branches=branches)
    phases = generation_phases(wan, clip, make_machine(groups, guidance=groups))
    one = generation_phases(wan, replace(CLIP, branches=1), make_machine(1))
    assert phases["denoise"].point == pytest.approx(turns * one["denoise"].point)


def test_two_experts_share_the_steps(wan):
    network = wan.transformers[0][0]
    halves = replace(wan, transformers=((network, 0.3), (network, 0.7)))
    one, two = generate(wan, CLIP, make_machine()), generate(halves, CLIP, make_machine())
    assert two["time"] == pytest.approx(one["time"])
    weights = [estimate.figure("memory").children[0].value for estimate in (one, two)]
    assert weights[1] == pytest.approx(2 * weights[0])


def test_a_cache_saves_the_evaluations_it_reuses(wan):
    one, less = generate(wan, CLIP, make_machine()), generate(wan, CLIP, make_machine(reused=0.4))
    assert less["flops"] == pytest.approx(0.6 * one["flops"])


def test_sparse_attention_saves_attention_only(wan):
    one, less = generate(wan, CLIP, make_machine()), generate(wan, CLIP, make_machine(density=0.5))
    assert 1 - less["flops"] / one["flops"] == pytest.approx(0.5 * one["attention_share"], rel=1e-3)


def test_segments_cover_the_clip_and_cost_less_attention(wan):
    minute = replace(CLIP, frames=961, fps=16)
    whole = generate(wan, minute, make_machine())
    cut = generate(wan, replace(minute, segment=5.0, overlap=0.5), make_machine())
    assert cut["evaluations"] == 100 * 14  # (60.06 - 0.5) / 4.5, rounded up
    assert cut["time"] < whole["time"] / 3


def test_a_segment_longer_than_the_clip_is_the_clip(wan):
    whole = generate(wan, CLIP, make_machine(1))
    assert (
        generate(wan, replace(CLIP, segment=CLIP.seconds * 10, overlap=0.5), make_machine(1))["time"] == whole["time"]
    )


def test_a_chunk_longer_than_the_clip_is_the_clip(wan):
    """One chunk looks back on nothing, so that it keeps no keys and values."""
    whole, chunked = (generate(wan, replace(CLIP, chunk=chunk), make_machine()) for chunk in (None, 1000))
    for name in ("time", "flops", "memory"):
        assert chunked[name] == whole[name], name


def test_the_last_chunk_looks_back_on_all_others(wan):
    """Of 21 token frames in chunks of 7, 50,400 tokens of 40 layers, two branches, keys and values in bf16."""
    kept = generate(wan, replace(CLIP, chunk=7), make_machine()).figure("memory")
    (cache,) = (part for part in kept.children if part.name == "KV cache")
    assert cache.value == pytest.approx(2 * 50_400 * 40 * 2 * 40 * 128 * 2)


@pytest.mark.parametrize("plan", [{"pipeline": 2}, {"pipeline": 8}, {"ulysses": 4}, {"ring": 2, "guidance": 2}])
@pytest.mark.parametrize("chunk", [None, 7])
def test_what_a_clip_costs_is_its_time_on_its_chips(wan, plan, chunk):
    place = make_machine(8, coefficients={"launch": 2e-5}, **plan)
    found = generate(wan, replace(CLIP, chunk=chunk), place, Economics(price=2 / 3600))
    assert found["cost"] == pytest.approx(found["time"] * 8 * 2 / 3600)
    assert found["clips_per_hour"] == pytest.approx(3600 / found["time"])
    time = found.figure("time")
    assert time.low <= time.value <= time.high


def test_chunks_with_a_history_halve_attention(wan):
    """n chunks attend to (n + 1) / 2n of all pairs: the closed form of a block-causal mask."""
    network = wan.transformers[0][0]
    streams = clip_streams(network, CLIP)
    self_attention = [part for part in network.parts if part.kind == "attention" and part.keys == "image"]
    full = sum(part.flops(streams) for part in self_attention)
    parts, chunks = with_history(self_attention, streams, 3)
    assert chunks == 7
    assert chunks * sum(part.flops(streams) for part in parts) == pytest.approx(full * 8 / 14)


def test_the_share_of_attention_is_that_of_the_chunks(wan):
    """Of 21 latent frames 3 at a time: self-attention, 0.723 of the FLOPs but for the text, falls to 8/14 of itself."""
    whole, cut = generate(wan, CLIP, make_machine()), generate(wan, replace(CLIP, chunk=3), make_machine())
    network = wan.transformers[0][0]
    streams = clip_streams(network, CLIP)
    itself = sum(part.flops(streams) for part in network.parts if part.kind == "attention" and part.keys == "image")
    saved = itself * 6 / 14 / network.flops(streams)
    assert cut["attention_share"] == pytest.approx((whole["attention_share"] - saved) / (1 - saved), rel=5e-3)
    assert cut["attention_share"] == pytest.approx(0.60, abs=0.005)
    assert cut["flops"] == pytest.approx(whole["flops"] * (1 - saved), rel=5e-3)  # each chunk projects the text


@pytest.mark.parametrize(
    ("asked", "change", "clip", "plan"),
    [
        ({"frames": 201, "chunk": 3, "branches": 1}, "an fp8 KV cache", {}, {"cache": "fp8"}),
        ({"frames": 201, "chunk": 3, "branches": 1}, "segments of 10 s", {"segment": 10.0}, {}),
        ({"frames": 4801}, "segments of 30 s", {"segment": 30.0}, {}),
    ],
)
def test_changes_that_are_named_fit(wan, asked, change, clip, plan):
    asked = replace(CLIP, **asked)
    estimate = generate(wan, asked, make_machine(2, ulysses=2))
    assert estimate.feasible is False
    assert change in estimate.change
    assert generate(wan, replace(asked, **clip), make_machine(2, ulysses=2, **plan)).feasible is True


def test_no_utilisation_is_above_one_where_products_are_slower_than_attention(wan):
    """B300: 153.5 TOPS of int8, 2,250 TFLOP/s of bf16 (chips.csv), and attention runs in 16 bits."""
    slow = replace(make_machine().cluster.chip, peak={"bf16": 2250e12, "int8": 153.5e12})
    place = make_machine(compute="int8")
    place = replace(place, cluster=replace(place.cluster, chip=slow))
    estimate = generate(wan, replace(CLIP, frames=321), place)
    assert 0 < estimate["mfu"] < 1
    assert "dense peak of bf16, which attention runs in" in estimate.figure("mfu").note
    stated = generate(wan, replace(CLIP, mfu=0.3), place)
    assert stated["mfu"] == pytest.approx(0.3)


def test_a_stated_utilisation_sets_the_time(wan):
    estimate = generate(wan, replace(CLIP, mfu=0.5), make_machine(8, ulysses=8))
    assert estimate.figure("time").children[1].value == pytest.approx(estimate["flops"] / (8 * 100e12 * 0.5))


def test_cost_follows_from_time_and_length(wan):
    price = 2.0 / 3600
    estimate = generate(wan, CLIP, make_machine(4, ulysses=4), Economics(price=price))
    assert estimate["cost"] == pytest.approx(4 * estimate["time"] * price)
    assert estimate["cost_per_second"] == pytest.approx(estimate["cost"] / (81 / 16))
    assert estimate["clips_per_hour"] == pytest.approx(3600 / estimate["time"])


@pytest.mark.parametrize("plan", [{"ulysses": 4}, {"ring": 4}, {"tensor": 4}, {"pipeline": 4}])
def test_four_chips_do_a_quarter_of_the_work_each(wan, plan):
    network = wan.transformers[0][0]
    streams = clip_streams(network, CLIP)
    block = [part for part in network.parts if part.name.startswith("block/") and part.kind in {"linear", "attention"}]
    block = [part for part in block if getattr(part, "rows", "image") != "sample"]
    whole = sum(load.flops for load in forward_loads(block, streams, Plan()))
    share = sum(load.flops for load in forward_loads(block, streams, Plan(**plan)))
    assert share == pytest.approx(whole if "pipeline" in plan else whole / 4)


def test_every_parent_equals_its_children(wan):
    estimate = generate(wan, CLIP, make_machine(8, ulysses=4, guidance=2), Economics(price=1e-3))
    for figure in estimate.figures.values():
        for one in figure.walk():
            if one.value is not None:
                assert one.recombined() == pytest.approx(one.value), one.name


def test_sweeps_equal_single_estimates(wan):
    steps, frames = np.array([4, 50]), np.array([17, 81])
    swept = generate(wan, replace(CLIP, steps=steps, frames=frames), make_machine())
    for index in range(2):
        one = generate(wan, replace(CLIP, steps=int(steps[index]), frames=int(frames[index])), make_machine())
        for name in ("time", "flops", "memory"):
            assert np.broadcast_to(swept[name], 2)[index] == pytest.approx(one[name]), name


def test_weights_are_fetched_in_the_formats_they_are_stored_in(wan):
    """A clip of one token computes nothing to speak of: an evaluation waits for its weights, products in one byte."""
    small = replace(CLIP, frames=1, height=16, width=16, steps=1, branches=1)
    machine = make_machine(coefficients={"offload_bandwidth": 1e9}, weights="fp8", compute="fp8", offload="weights")
    phases = generation_phases(wan, small, machine)
    (network, _), (encoder, _) = wan.transformers[0], wan.encoders[0]
    products = sum(part.params for part in network.parts if part.name.startswith("block") and part.kind == "linear")
    assert 0.9 * network.params < products < network.params
    assert phases["denoise"].point == pytest.approx((2 * network.params - products) / 1e9, rel=1e-3)
    assert phases["encode text"].point == pytest.approx(2 * encoder.params / 1e9, rel=0.05)
