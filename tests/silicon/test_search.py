"""The search against the single answers it is made of, and against its own budget."""

from __future__ import annotations

import numpy as np
import pytest

from costline.catalogue import shipped
from costline.silicon.blueprint import Blueprint
from costline.silicon.compare import Talk, film_of
from costline.silicon.search import CLASSES, search
from costline.silicon.speed import BATCHES, UNITS, decode_rates, film_rates, pipeline_rates
from costline.studies.serve import Requests, serving_rate

TALK = Talk(network=shipped.model("llama-2-70b"))
FILM = film_of(shipped.model("wan2.1-t2v-14b"))


@pytest.fixture(scope="module")
def found():
    return {share: search(TALK, FILM, share) for share in (1.0, 0.5, 0.0)}


def chips(**changes):
    base = {"name": "d", "process": "7 nm", "rate": np.array([300e12, 600e12]), "memory": "HBM3",
            "devices": np.array([5.0, 6.0]), "link": np.array([2e11, 2e11])}  # fmt: skip
    return Blueprint(**{**base, **changes})


def test_arrays_of_chips_are_loops_of_chips():
    together = decode_rates(TALK, chips().chip())
    for place, (rate, devices) in enumerate(((300e12, 5.0), (600e12, 6.0))):
        alone = decode_rates(
            TALK, chips(rate=np.array([rate]), devices=np.array([devices]), link=np.array([2e11])).chip()
        )
        for many, one in zip(together, alone, strict=True):
            assert many[place] == pytest.approx(one[0])


def test_rates_are_those_of_the_study():
    """The best unit and batch of the search, asked of the study itself."""
    from costline.engine.passes import Machine
    from costline.hardware.cluster import Cluster
    from costline.plan import Plan

    chip = Blueprint(name="d", process="7 nm", rate=300e12, memory="HBM3", devices=5, link=2e11).chip()
    best = 0.0
    for units in UNITS:
        for batch in BATCHES:
            cluster = Cluster(chip=chip, chips=units, domain=8, scale_up=chip.link_bandwidth)
            machine = Machine(cluster, shipped.sourced_efficiency(), Plan(tensor=units))
            asked = Requests(input=1000, output=200, batch=batch)
            rate = serving_rate(TALK.network, asked, machine)
            from costline.studies.serving_memory import serving_memory

            fits = serving_memory(TALK.network, 1200, batch, machine).fits
            if fits and batch / rate <= TALK.tpot:
                best = max(best, rate / units)
    assert decode_rates(TALK, chips().chip())[0][0] == pytest.approx(best)


def test_more_memory_bandwidth_and_peak_never_hurt():
    slow, fast = decode_rates(TALK, chips(memory="HBM2e", devices=np.array([6.0, 6.0])).chip())[0]
    assert fast >= slow
    assert np.all(np.diff(film_rates(FILM, chips(devices=np.array([6.0, 6.0])).chip())) > 0)


def test_on_chip_memory_pays_with_size():
    two = {"rate": np.array([2e14, 2e14]), "sram": np.array([2.3e8, 4.6e8]), "link": np.array([2e11, 2e11])}
    sram = Blueprint(name="d", process="7 nm", memory="SRAM", **two)
    rates, floors = pipeline_rates(TALK, sram.chip())
    assert rates[1] > rates[0]
    assert np.all(floors < 0.01)


def test_a_hundred_thousand_designs_a_second(found):
    """Best of three searches; a busy machine may slow one down."""
    assert max(each.tried / each.seconds for each in found.values()) >= 100_000
    assert all(each.tried > 40_000 for each in found.values())


def test_winners_are_one_a_class_and_the_draws_are_shared_out(found):
    for each in found.values():
        kinds = [winner.kind for winner in each.winners]
        assert len(set(kinds)) == len(kinds)
        assert set(kinds) <= set(CLASSES)
        assert sum(winner.sure for winner in each.winners) == pytest.approx(1.0)
        assert [winner.index for winner in each.winners] == sorted(winner.index for winner in each.winners)


def test_a_pure_objective_has_a_perfect_winner_and_a_mix_has_not(found):
    assert found[1.0].winners[0].index == pytest.approx(1.0)
    assert found[0.0].winners[0].index == pytest.approx(1.0)
    assert found[0.5].winners[0].index > 1.0


def test_nothing_on_the_front_is_beaten(found):
    front = found[0.5].front
    for one in front:
        assert not any(other.token < one.token and other.video < one.video for other in front)
    assert min(each.token for each in front) == pytest.approx(min(each.token for each in found[1.0].winners))


def test_winners_keep_the_limits(found):
    for each in found.values():
        for winner in each.winners:
            assert winner.watts <= 1400
            assert winner.area <= 2 * 858e-6
            assert winner.watts / winner.area <= 0.98e6


def test_other_objectives_answer_too():
    joule, latency = (search(TALK, FILM, 1.0, objective) for objective in ("joule", "latency"))
    assert joule.winners[0].index == pytest.approx(1.0)
    assert latency.winners[0].kind == "SRAM only"
