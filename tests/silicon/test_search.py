"""The search against the single answers it is made of, and against its own budget."""

from __future__ import annotations

import itertools
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import costline
from costline import catalogue
from costline.catalogue import shipped
from costline.errors import InputError
from costline.silicon.blueprint import Blueprint
from costline.silicon.check import check
from costline.silicon.chipfile import read_chips
from costline.silicon.compare import film_answer, talk_answer
from costline.silicon.decoding import Talk, decoding
from costline.silicon.designs import CLASSES, MEMORIES, RATES, Case, space, speeds
from costline.silicon.filming import film_of, film_rates
from costline.silicon.free import search_freely
from costline.silicon.lineup import line_up
from costline.silicon.owning import owner
from costline.silicon.saving import write_designs
from costline.silicon.search import search, searches
from costline.silicon.sram import pipelines

TALK = Talk(network=shipped.model("llama-2-70b"))
CASE = Case(talk=TALK, film=film_of(shipped.model("wan2.1-t2v-14b")))


@pytest.fixture(scope="module")
def found():
    return {share: search(replace(CASE, share=share)) for share in (1.0, 0.5, 0.0)}


@pytest.fixture(scope="module")
def latency():
    return search(replace(CASE, objective="latency"))


def chips(**changes):
    base = {"name": "d", "process": "7 nm", "rate": np.array([300e12, 600e12]), "memory": "HBM3",
            "devices": np.array([5.0, 6.0]), "link": np.array([2e11, 2e11])}  # fmt: skip
    return Blueprint(**{**base, **changes})


def test_arrays_of_chips_are_loops_of_chips():
    together = decoding(TALK, chips().cluster(), shipped.efficiency()).each(0.05)
    for place, (rate, devices) in enumerate(((300e12, 5.0), (600e12, 6.0))):
        alone = decoding(TALK, chips(rate=rate, devices=devices, link=2e11).cluster(), shipped.efficiency()).each(0.05)
        np.testing.assert_allclose(together[place], alone)


def test_one_chip_has_one_speed_in_compare_design_and_serve(found, tmp_path):
    """A winner, saved as a file and read again: the same tokens a second to the last digits, by all three commands."""
    path = tmp_path / "designs.toml"
    winners = found[1.0].winners
    write_designs(path, winners)
    book = catalogue.with_file(path)
    for place, winner in enumerate(winners, 1):
        name = f"design-{place}"
        cluster = book.cluster(f"1x{name}")
        prices = owner(cluster.chip, book)
        if winner.pim:  # the file holds the chip, the memory that computes is named behind it
            (row,) = line_up([f"{name}+{winner.pim}"], [TALK], [], book)
            designed = speeds(CASE, winner.blueprint, winner.pim)
            assert row.talks[0].rate == pytest.approx(float(designed[0]), rel=1e-9)
            assert f"{name}+{winner.pim}" in path.read_text()
            continue
        compared = talk_answer(TALK, cluster, prices, book)
        designed = speeds(CASE, winner.blueprint, winner.pim)
        assert compared.rate == pytest.approx(float(designed[0]), rel=1e-9)
        assert compared.floor == pytest.approx(winner.floor, rel=1e-9)
        assert compared.made == pytest.approx(winner.token, rel=0.15)  # its host is counted in its power there
        if winner.blueprint.kind is None:
            continue  # a pipeline of hundreds of chips, which serve does not plan
        served = costline.serve(
            "llama-2-70b", on=f"{compared.chips:.0f}x{name}", batch=int(compared.batch), input=1000, output=200,
            precision="bf16", plan={"tensor": int(compared.chips)}, catalogue=path,
        )  # fmt: skip
        assert served["output_rate"] / compared.chips == pytest.approx(compared.rate, rel=1e-9)
        filmed = film_answer(CASE.film, cluster, prices, book)
        assert filmed.rate == pytest.approx(float(designed[2]), rel=1e-9)


def test_saved_designs_pass_their_own_check(found, tmp_path):
    path = tmp_path / "designs.toml"
    write_designs(path, found[0.5].winners)
    described, faults = read_chips(path)
    assert not faults
    assert [finding for each in described for finding in check(each)] == []


def test_a_little_more_time_a_token_never_changes_much():
    """Batches lie close together: a hundredth more time brings no jump, as doubled batches would."""
    tried = decoding(TALK, shipped.cluster("1xa100-sxm-80gb"), shipped.efficiency())
    rates = [tried.each(limit).max() for limit in np.geomspace(0.03, 0.06, 70)]
    assert all(1 <= later / sooner < 1.2 for sooner, later in itertools.pairwise(rates))


def test_memory_that_computes_makes_the_video_of_its_own_kind_without():
    """It moves decoding only; what is filmed once for a kind of memory is what would be filmed again."""
    devices = next(each for memory, each, _, pim in MEMORIES if (memory, pim) == ("HBM3", "attacc"))
    batch = next(each for each in space(CASE) if each.pim == "attacc")
    film = batch.film.reshape(len(RATES), len(devices), -1)
    place = len(RATES) // 2
    changes = {"rate": float(RATES[place]), "devices": devices[1], "device_size": 16e9, "link": 50e9, "dies": 1.0}
    one = replace(batch.blueprint, **changes, sram=32e6)
    assert film[place, 1, 0] == pytest.approx(float(film_rates(CASE.film, one.cluster(), shipped.efficiency())))


def test_more_memory_bandwidth_and_peak_never_hurt():
    slow, fast = decoding(TALK, chips(devices=np.array([5.0, 6.0])).cluster(), shipped.efficiency()).each(0.05).max(-1)
    assert fast >= slow
    films = film_rates(CASE.film, chips(devices=np.array([6.0, 6.0])).cluster(), shipped.efficiency())
    assert np.all(np.diff(films) > 0)


def test_on_chip_memory_shortens_nothing_by_itself_but_holds_more():
    sram = Blueprint(name="d", process="7 nm", memory="SRAM", rate=2e14, sram=np.array([2.3e8, 4.6e8]), link=2e11)
    tried = pipelines(TALK, sram.cluster(), shipped.efficiency())
    assert np.all(tried.floor < 0.01)
    assert tried.chips[0].min() == pytest.approx(2 * tried.chips[1].min(), rel=0.01)


@pytest.mark.parametrize("model", ["deepseek-v3", "llama-3.1-405b"])
def test_big_models_find_designs(model):
    """671B and 405B parameters do not fit in 8 chips of 80 GB; a scale-up domain of 64 holds them."""
    found = search(replace(CASE, talk=replace(TALK, network=shipped.model(model))))
    assert len(found.winners) >= 3
    assert max(winner.unit for winner in found.winners) > 8


def test_a_hundred_thousand_designs_a_second(found):
    """Best of three searches; a busy machine may slow one down."""
    assert max(each.tried / each.seconds for each in found.values()) >= 100_000
    assert all(each.tried > 80_000 for each in found.values())


def test_every_axis_matters(found):
    """No design is another one under a second name: it differs in what it holds, its silicon, or the power it draws.

    Links take no area of a die that is spread out to be no denser than real ones; they draw power all the same.
    """
    one = next(winner.blueprint for winner in found[1.0].winners if winner.kind == "big GPU")
    changes = {"link": one.link * 2, "dies": one.dies * 2, "rate": one.rate * 0.8, "devices": one.devices - 1,
               "device_size": one.device_size * 1.5}  # fmt: skip
    for name, value in changes.items():
        changed = replace(one, **{name: value})
        assert (changed.area, changed.capacity, changed.power()) != (one.area, one.capacity, one.power())


def test_winners_are_one_a_class_and_the_draws_are_shared_out(found):
    for each in found.values():
        kinds = [winner.kind for winner in each.winners]
        assert len(set(kinds)) == len(kinds)
        assert set(kinds) <= set(CLASSES)
        assert sum(winner.sure for winner in each.winners) == pytest.approx(1.0)
        assert [winner.index for winner in each.winners] == sorted(winner.index for winner in each.winners)


def test_a_workload_alone_is_designed_for_as_in_company(found):
    """What is not asked about takes no part in what is."""
    for share, alone in ((1.0, Case(talk=TALK)), (0.0, Case(film=CASE.film, share=0.0))):
        mine = search(alone).winners
        assert [(each.words, each.index, each.sure) for each in mine] == [
            (each.words, each.index, each.sure) for each in found[share].winners
        ]


def test_several_mixes_are_several_searches(found):
    for one, share in zip(searches(CASE, (1.0, 0.5, 0.0)), (1.0, 0.5, 0.0), strict=True):
        assert [each.words for each in one.winners] == [each.words for each in found[share].winners]


def test_how_much_dearer_is_drawn_with_what_it_is_compared_with(found):
    """The best is as dear as itself in every draw; the others' range holds the ratio at the point."""
    first, *others = found[0.0].winners
    assert first.over_low == first.over_high == 1.0
    for each in others:
        assert each.over_low <= each.index / first.index <= each.over_high
        assert each.over_high / each.over_low < each.high / each.low


def test_a_pure_objective_has_a_perfect_winner_and_a_mix_has_not(found):
    assert found[1.0].winners[0].index == pytest.approx(1.0)
    assert found[0.0].winners[0].index == pytest.approx(1.0)
    assert found[0.5].winners[0].index > 1.0


@pytest.mark.parametrize(
    ("objective", "axes"),
    [("dollar", ("token", "video")), ("joule", ("token_joules", "video_joules")), ("latency", ("floor", "token"))],
)
def test_nothing_on_the_front_of_the_objective_is_beaten(objective, axes):
    front = search(replace(CASE, objective=objective)).front
    values = [tuple(getattr(each, axis) for axis in axes) for each in front]
    assert values == sorted(values)
    assert all(later[1] < earlier[1] for earlier, later in itertools.pairwise(values))
    shown = [(each.words, f"{value[0]:.2e}", f"{value[1]:.2e}") for each, value in zip(front, values, strict=True)]
    assert len(set(shown)) == len(shown)


def test_winners_keep_the_limits(found):
    for each in found.values():
        for winner in each.winners:
            assert winner.watts <= 1400
            assert winner.area / winner.dies <= 858e-6
            assert winner.watts / winner.area <= 0.98e6


def test_winners_do_not_sit_at_the_end_of_the_peaks_tried(found):
    for each in found.values():
        assert all(winner.rate < 5.9e15 for winner in each.winners)


def test_latency_is_drawn_too(latency):
    assert latency.winners[0].kind == "SRAM only"
    assert all(winner.low < winner.index < winner.high for winner in latency.winners)


def test_a_larger_volume_carries_an_expensive_design_further():
    few, many = (search(replace(CASE, volume=volume)).winners[0].token for volume in (5e4, 5e6))
    assert many < few


def test_memories_are_known():
    assert len({(memory, pim) for memory, _, _, pim in MEMORIES}) == len(MEMORIES)


class Trial:
    """A trial that chooses at random, in place of optuna's."""

    def __init__(self, given, random):
        self.given, self.random = given, random

    def suggest_categorical(self, name, values):
        return self.given.get(name, values[self.random.integers(len(values))])

    def suggest_float(self, name, low, high, log):
        assert log
        return self.given.get(name, low * (high / low) ** self.random.random())

    def suggest_int(self, name, low, high, step=1):
        return self.given.get(name, low + step * self.random.integers((high - low) // step + 1))


class Study:
    """A study without memory."""

    def __init__(self):
        self.queue, self.random, self.told = [], np.random.default_rng(0), []

    def enqueue_trial(self, given):
        self.queue.append(given)

    def ask(self):
        return Trial(self.queue.pop() if self.queue else {}, self.random)

    def tell(self, trial, value):
        self.told.append(value)
        assert np.isfinite(value)


def test_a_free_search_is_no_worse_than_the_grid(found, monkeypatch):
    """With a sampler that chooses at random, started at the grid's best."""
    samplers = SimpleNamespace(TPESampler=lambda seed: None)
    fake = SimpleNamespace(create_study=lambda sampler: Study(), samplers=samplers)
    monkeypatch.setattr("costline.silicon.free._optuna", lambda: fake)
    free = search_freely(CASE, 32)
    assert free.tried > found[1.0].tried
    for winner in found[1.0].winners:
        (own,) = (each for each in free.winners if each.kind == winner.kind)
        assert own.index <= winner.index * (1 + 1e-9)


def test_a_free_search_without_optuna_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(InputError, match="pip install"):
        search_freely(CASE, 32)
