"""Messages: what ZeRO sends, which chips a token visits, which messages a host's bridge holds up."""

import itertools

import numpy as np
import pytest

from costline.engine.messages import Message, forward_messages, gradient_messages, network_time, returned
from costline.engine.passes import Machine, training_step
from costline.formulas.collectives import ranks_visited
from costline.hardware.chip import Chip
from costline.hardware.cluster import Cluster
from costline.models.parts import ExpertLinear
from costline.plan import Plan
from tests.conftest import make_machine

PARAMS, RANKS = 1e9, 64


def sent(zero, micro_batches=1, scope=RANKS):
    """Bytes a chip sends for its gradients in one step, over those of a whole copy in 2 bytes."""
    plan = Plan(zero=zero, data=RANKS)
    messages = gradient_messages(PARAMS, plan, scope, RANKS, micro_batches, 1)
    return sum(message.sent for message in messages) / (2 * PARAMS)


@pytest.mark.parametrize(("zero", "copies"), [(0, 2), (1, 2), (2, 2), (3, 1)])
def test_one_micro_batch_sends_what_the_zero_paper_says(zero, copies):
    """Rajbhandari et al. 2020, section 7.1: 2 for stages 0 to 2; of the 3 of stage 3, two are weights."""
    assert sent(zero) == pytest.approx(copies * (RANKS - 1) / RANKS)


@pytest.mark.parametrize(("zero", "copies"), [(0, 2), (1, 2), (2, 8 + 1), (3, 8)])
def test_sharded_gradients_are_reduced_with_every_micro_batch(zero, copies):
    """Nobody keeps a whole gradient to add the next micro-batch to."""
    assert sent(zero, micro_batches=8) == pytest.approx(copies * (RANKS - 1) / RANKS)


def test_shards_of_domains_are_summed_once():
    """8 chips reduce-scatter with each of 4 micro-batches; then 8 domains all-reduce an eighth of the gradients."""
    assert sent(3, micro_batches=4, scope=8) == pytest.approx(4 * 7 / 8 + 2 * 7 / 8 / 8)


@pytest.mark.parametrize(("active", "ranks"), [(1, 5), (2, 3), (3, 4), (4, 2)])
def test_ranks_visited_is_the_mean_over_all_placements(active, ranks):
    placements = list(itertools.product(range(ranks), repeat=active))
    mean = sum(len(set(one)) for one in placements) / len(placements)
    assert float(ranks_visited(active, ranks)) == pytest.approx(mean)


def test_a_token_is_sent_once_to_a_chip_with_several_of_its_experts():
    part = ExpertLinear(
        name="block/moe/down", repeat=1, inputs=8, outputs=16, experts=8, active=8, rows="tokens", shard="row"
    )
    streams = {"batch": 1, "tokens": 100}
    messages = {message.name: message for message in forward_messages([part], streams, Plan(expert=2, data=2))}
    both_ways = 2 * 100 * 16 * 2 * (1 / 2)  # each of two chips keeps half of what it has for itself
    assert messages["expert"].sent == pytest.approx(both_ways * 2, rel=0.01)  # nearly every token visits both


def test_only_exchanges_of_heads_cross_the_bridge_of_a_host_all_at_once():
    """Ring collectives pass the bridge one flow at a time; an all-to-all of 4 slots is 8/3 flows at once."""
    chip = Chip(id="card", name="card", peak={"bf16": 1e14}, memory=1e11, memory_bandwidth=1e12, link_type="PCIe5",
                link_bandwidth=64e9)  # fmt: skip
    efficiency = make_machine(coefficients={"host_bridge": 16e9}).efficiency
    machine = Machine(Cluster(chip=chip, chips=8, domain=8), efficiency, Plan())
    times = {
        name: network_time(Message(name, 64e9, 1.0, 4, 1), machine.cluster, efficiency)
        for name in ("expert", "tensor", "ulysses")
    }
    assert times["expert"] == times["tensor"] == pytest.approx(1.0)
    assert times["ulysses"] == pytest.approx(64e9 / (16e9 / (8 / 3)))


UP, OUT = 100e9, 10e9
"""Links of the machine of these tests. [byte/s]"""


def across(name, size, active=0, stride=1):
    """Time of a gigabyte from each chip of 512 in domains of 8."""
    machine = make_machine(512)
    return network_time(Message(name, 1e9, 1.0, size, stride, active=active), machine.cluster, machine.efficiency)


@pytest.mark.parametrize(("size", "stride"), [(8, 1), (16, 1), (64, 1), (8, 2), (8, 8), (24, 1)])
def test_an_all_to_all_leaves_the_domain_over_the_link_of_each_chip(size, stride):
    """Counted pair by pair: chip 0 has an equal share for every other chip of its group."""
    others = [stride * number for number in range(1, size)]
    outside = sum(chip >= 8 for chip in others) / len(others)
    assert across("ulysses", size, stride=stride) == pytest.approx(max(1e9 / UP, outside * 1e9 / OUT))


@pytest.mark.parametrize("domains", [1, 2, 3])
def test_a_token_goes_once_to_each_domain_with_experts_of_its(domains):
    """DeepEP: over the network once to a node, from there to its chips; all placements of two experts counted."""
    chips = 8 * domains
    placements = list(itertools.product(range(chips), repeat=2))
    copies = sum(len({chip for chip in both if chip}) for both in placements)
    leaving = sum(len({chip // 8 for chip in both if chip >= 8}) for both in placements)
    assert across("expert", chips, active=2) == pytest.approx(max(1e9 / UP, leaving / copies * 1e9 / OUT))


def test_a_ring_of_attention_waits_for_the_hop_between_domains():
    assert across("ring", 16) == pytest.approx(1e9 / OUT)
    assert across("ring", 8) == pytest.approx(1e9 / UP)


@pytest.mark.parametrize(("expert", "apart"), [(1, 1), (8, 8), (64, 64)])
def test_chips_with_the_same_experts_are_a_group_of_experts_apart(mixtral, expert, apart):
    """512 chips in domains of 8: of 64 groups the first chips hold the same experts, and no fast link joins them."""
    machine = make_machine(512, expert=expert, data=512, zero=1)
    (ranks,) = {512 // expert}
    sent = gradient_messages(PARAMS, machine.plan, 1, ranks, 1, machine.plan.expert_shards)[0]
    assert sent.stride == apart
    near = Message("data", sent.sent, sent.calls, sent.size, 1)
    times = [network_time(each, machine.cluster, machine.efficiency) for each in (sent, near)]
    assert times[0] >= times[1]
    if sent.size == 8:
        assert times[0] > times[1]


def test_a_ring_sends_gradients_of_keys_and_values_too(llama):
    """Liu et al. 2023: the backward pass moves keys and values again, and their gradients with them."""
    forward = next(each for each in forward_messages(llama.parts, llama.streams(tokens=8192, batch=1), Plan(ring=4))
                   if each.name == "ring")  # fmt: skip
    assert (returned(forward).sent, returned(forward).calls) == (2 * forward.sent, 2 * forward.calls)
    plain, slow = (make_machine(4, ring=4, coefficients={"latency_up": wait}) for wait in (0.0, 1.0))
    steps = [training_step(llama, llama.streams(tokens=8192, batch=1), 1, each) for each in (plain, slow)]
    # 80 layers x 3 hops of a ring of 4, each of a second: once forward, twice backward
    waits = steps[1].total.network - steps[0].total.network
    assert waits == pytest.approx(80 * 3 * (1 + 2), rel=0.05)


def test_arrays_of_stages_equal_the_loop():
    stages = np.array([0, 1, 2, 3])
    messages = gradient_messages(PARAMS, Plan(zero=stages, data=RANKS), RANKS, RANKS, 8, 1)
    together = sum(np.broadcast_to(message.sent, stages.shape) for message in messages) / (2 * PARAMS)
    assert together == pytest.approx([sent(stage, 8) for stage in stages])


@pytest.mark.parametrize(("year", "factor"), [(0.0, 1.0), (2025.0, 1.0), (2023.0, np.exp(0.6)), (2026.0, np.exp(-0.3))])
def test_collectives_of_other_years_wait_longer_or_less(year, factor):
    """A gain of 0.3 a year, before 2025 and after it, of what does not depend on bytes."""
    machine = make_machine(8, coefficients={"latency_up": 1e-5, "progress": 0.3})
    seconds = network_time(Message("tensor", 0.0, 1.0, 8, 1, year=year), machine.cluster, machine.efficiency)
    first = network_time(Message("tensor", 0.0, 1.0, 8, 1), machine.cluster, machine.efficiency)
    assert seconds == pytest.approx(first * factor)


@pytest.mark.parametrize("name", ["ulysses", "ring", "expert", "data", "pipeline"])
def test_only_all_reduces_of_tensor_parallelism_have_gained(name):
    """Engines wrote kernels of their own for them (TensorRT-LLM's and vLLM's custom all-reduce), and for no other."""
    machine = make_machine(8, coefficients={"latency_up": 1e-5, "progress": 0.3})
    early, late = (
        network_time(Message(name, 0.0, 1.0, 8, 1, year=year), machine.cluster, machine.efficiency)
        for year in (2023.0, 2026.0)
    )
    assert early == late
