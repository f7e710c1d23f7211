"""Kernels and messages of generation against hand calculations."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from costline.engine.loads import forward_loads
from costline.engine.messages import Message, forward_messages, network_time
from costline.engine.timing import Timing, paced, time_loads
from costline.formulas.collectives import all_to_all_crossing
from costline.models import blocks
from costline.models.parts import Attention, Convolution
from costline.plan import Plan
from tests.conftest import lossless, make_machine

STREAMS = {"batch": 1, "sample": 1, "image": 4096, "text": 512}
FACTORISED = STREAMS | {"time": 16, "space": 256}


def convolution(**fields):
    return Convolution(
        **{"name": "decoder/conv", "inputs": 64, "outputs": 64, "kernel": 9, "positions": "image"} | fields
    )


def attention(**fields):
    sides = {"queries": "image", "keys": "image", "heads": 8, "key_heads": 8, "key_dim": 64, "value_dim": 64}
    return Attention(**{"name": "block/self/core"} | sides | fields)


@pytest.mark.parametrize(
    ("part", "fused", "eager"),
    [
        (blocks.norm("block/norm", 1024, "image"), 2, 17),  # RMSNorm, written out in fp32
        (blocks.norm("block/norm", 1024, "image", bias=True), 2, 2),  # LayerNorm is one kernel
        (blocks.rotary("block/rotary", 1024, "image"), 2, 20),
        (blocks.head_norm("block/norm", 1024, "image", centred=True), 2, 2),
        (blocks.gated_residual("block/residual", 1024, "image"), 5, 5),
    ],
)
def test_eager_operators_move_what_each_of_them_reads_and_writes(part, fused, eager):
    tensor = 4096 * 1024 * 2
    for compiled, passes in ((True, fused), (False, eager)):
        (load,) = forward_loads((part,), STREAMS, Plan(compiled=compiled))
        assert load.traffic == passes * tensor


def test_eager_operators_are_launched_one_by_one():
    part = blocks.rotary("block/rotary", 1024, "image", repeat=3)
    assert [forward_loads((part,), STREAMS, Plan(compiled=compiled))[0].calls for compiled in (True, False)] == [3, 24]


@pytest.mark.parametrize(
    ("fields", "kind", "rank"),
    [
        ({"kernel": 1}, "linear", ""),
        ({"kernel": 9}, "convolution", "plane"),
        ({"kernel": 27}, "convolution", "volume"),
        ({"kernel": 3}, "convolution", "volume"),
        ({"kernel": 9, "groups": 64}, "convolution", "depthwise"),
    ],
)
def test_convolutions_run_kernels_by_their_shape(fields, kind, rank):
    (load,) = forward_loads((convolution(**fields),), STREAMS, Plan())
    assert (load.kind, load.rank) == (kind, rank)
    assert load.flops == 2 * 4096 * 64 * 64 * fields["kernel"] / fields.get("groups", 1)


def test_convolutions_over_time_run_at_the_rate_of_fp32():
    machine = make_machine()
    chip = replace(machine.cluster.chip, peak={"bf16": 100e12, "fp32": 10e12})
    cluster = replace(machine.cluster, chip=chip)
    loads = forward_loads((convolution(kernel=27),), STREAMS, machine.plan)
    timing = time_loads(loads, cluster, machine.efficiency, machine.plan)
    assert timing.math == pytest.approx(2 * 4096 * 64 * 64 * 27 / 10e12)


def test_an_exchange_copies_each_tensor_before_and_after():
    """Queries, keys, values and output of a quarter of the tokens, each read and written twice."""
    loads = {load.name: load for load in forward_loads((attention(),), STREAMS, Plan(ulysses=4))}
    assert loads["block/self/core/exchange"].traffic == 4 * (4 * 1024 * 8 * 64 * 2)


def test_a_ring_merges_every_partial_result_but_the_first():
    loads = {load.name: load for load in forward_loads((attention(),), STREAMS, Plan(ring=4, compiled=False))}
    assert loads["block/self/core/exchange"].traffic == 3 * 38 * 1024 * 8 * 64


@pytest.mark.parametrize(
    "fields", [{"keys": "text", "crossed": True}, {"queries": "time", "keys": "time", "sequences": "space"}]
)
def test_text_is_on_every_chip_and_a_place_on_one(fields):
    part = attention(**fields)
    plan = Plan(ulysses=2, ring=2)
    assert [load.name for load in forward_loads((part,), FACTORISED, plan)] == ["block/self/core"]
    assert all(message.sent == 0 for message in forward_messages((part,), FACTORISED, plan))


@pytest.mark.parametrize("size", [2, 4, 8])
def test_crossing_of_an_all_to_all_is_that_of_counted_pairs(size):
    """Chips 2 k and 2 k + 1 share a pair of slots; every chip sends each other one the same."""
    crossing = sum(first // 2 != second // 2 for first, second in itertools.permutations(range(size), 2))
    assert all_to_all_crossing(size) == pytest.approx(crossing / (size - 1))


def test_cards_of_a_host_share_its_bridge():
    machine = make_machine(8, coefficients={"host_bridge": 8e9, "link_unknown": 20e9})
    chip = replace(machine.cluster.chip, link_bandwidth=None)
    cards = replace(machine.cluster, chip=chip, scale_up=None)
    linked = machine.cluster

    def seconds(name, size, cluster):
        return network_time(Message(name, 1e9, 1, size, 1), cluster, machine.efficiency)

    assert seconds("ulysses", 2, cards) == pytest.approx(1 / 20)  # inside a pair of slots
    assert seconds("ulysses", 4, cards) == pytest.approx(4 * 2 / 3 / 8)
    assert seconds("ring", 4, cards) == pytest.approx(1 / 20)  # one flow at a time
    assert seconds("ulysses", 4, linked) == pytest.approx(1 / 100)


def test_the_slower_of_host_and_chip_sets_the_pace():
    busy = Timing(math=3.0, overhead=1.0, point=4.0, bound={"math": 3.0, "overhead": 1.0}, groups={"block": 4.0})
    for work, point, bound in ((2.0, 3.0, {"math": 3.0, "overhead": 0.0}), (5.0, 5.0, {"math": 0.0, "overhead": 5.0})):
        made = paced(busy, work)
        assert made.point == point
        assert made.bound == bound
        assert sum(made.groups.values()) == pytest.approx(point)
        assert made.lower <= made.point <= made.upper


def test_a_machine_without_overhead_is_never_waited_for():
    assert lossless().value("host_work", make_machine().cluster.chip) == 1.0
