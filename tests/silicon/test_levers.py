"""What doubling helps: laws of rooflines, and the article's claims judged by them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from costline.catalogue import shipped
from costline.silicon.claims import LENGTHS, Setting, judge
from costline.silicon.compare import talk_answer
from costline.silicon.decoding import Talk
from costline.silicon.filming import film_of
from costline.silicon.levers import CLEAR, film_lever, talk_levers
from costline.silicon.owning import Owner

TALK = Talk(network=shipped.model("llama-2-70b"))
FILM = film_of(shipped.model("wan2.1-t2v-14b"))
CLUSTER = shipped.cluster("1xa100-sxm-80gb")


@pytest.fixture(scope="module")
def judged():
    return {each.id: each for each in judge(TALK, FILM, shipped)}


@pytest.mark.parametrize(("prompt", "answer"), LENGTHS)
def test_doubling_never_hurts_and_a_longer_limit_neither(prompt, answer):
    rows = talk_levers(replace(TALK, input=prompt, output=answer), CLUSTER, shipped)
    met = [row for row in rows if row.rate is not None]
    assert met == rows[-len(met) :], "what meets a limit meets every longer one"
    for row in met:
        assert min(row.peak, row.bandwidth, row.memory) >= 1 - 1e-12
    rates = [row.rate for row in met]
    assert rates == sorted(rates)


def test_video_gains_at_most_twice_and_hardly_from_bandwidth():
    """A roofline: whatever binds, doubling one side at most doubles the rate. Wan runs at 0.97 of arithmetic."""
    video = film_lever(FILM, CLUSTER, shipped)
    assert 1.8 < video.peak <= 2
    assert video.bandwidth < 1.1
    assert video.helps == "arithmetic"


def test_the_verdict_on_s38_says_for_which_limits_it_holds(judged):
    """It agrees with `levers` at every limit tried."""
    said = judged["S38"].because
    assert "only where a token must come soon" in judged["S38"].verdict
    for prompt, answer in LENGTHS:
        words = said.split(f"{prompt:,} + {answer:,} tokens: ")[1].split(";")[0]
        rows = talk_levers(replace(TALK, input=prompt, output=answer), CLUSTER, shipped)
        rows = [row for row in rows if row.rate is not None]
        more = [row.limit for row in rows if row.bandwidth > CLEAR * row.peak]
        less = [row.limit for row in rows if row.peak > CLEAR * row.bandwidth]
        assert ("up to" in words) == bool(more)
        assert not more or f"up to {max(more) * 1e3:.0f} ms" in words
        assert f"from {min(less) * 1e3:.0f} ms" in words
        assert max(more, default=0) < min(less)


def test_every_claim_about_chips_is_judged(judged):
    assert list(judged) == ["S33", "S34", "S35", "S36", "S37", "S38"]
    assert judged["S33"].verdict == "holds"
    assert judged["S34"].verdict == "holds as printed"
    assert all(each.because for each in judged.values())


def test_a_kind_that_no_search_found_has_no_cost():
    assert Setting(TALK, {}).against("SRAM only") is None


def test_levers_of_on_chip_memory_start_from_the_speed_of_the_comparison():
    cluster = shipped.cluster("8xgroq-lpu-v1")
    free = Owner(rent=None, made=None, energy=0.0)
    rate = talk_answer(TALK, cluster, free, shipped).rate
    (row,) = (row for row in talk_levers(TALK, cluster, shipped) if row.limit == TALK.tpot)
    assert row.rate == pytest.approx(rate)
    assert row.memory > row.bandwidth >= 1  # fewer chips hold it
