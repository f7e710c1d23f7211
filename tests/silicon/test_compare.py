"""Chips beside each other: laws that hold on any workload, and what is published of the article's chips."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import costline
from costline.catalogue import shipped
from costline.engine.passes import Machine
from costline.plan import Plan
from costline.silicon.blueprint import Blueprint
from costline.silicon.compare import film_answer, talk_answer
from costline.silicon.decoding import Talk
from costline.silicon.filming import film_of
from costline.silicon.lineup import line_up
from costline.silicon.owning import Owner, owner
from costline.studies.serve import serve
from costline.studies.serving_times import Requests

ARTICLE = (
    "a100-sxm-80gb", "a800-sxm-80gb", "h100-sxm", "h800-sxm", "l20", "tpu-v5e", "ascend-910b", "groq-lpu-v1",
    "seed-14nm-144gb-hbm", "seed-14nm-144gb-gddr6", "a100-sxm-80gb+hbm-pim",
)  # fmt: skip
FREE = Owner(rent=None, made=None, energy=0.0)


@pytest.fixture(scope="module")
def talk():
    return Talk(network=shipped.model("llama-2-70b"))


@pytest.fixture(scope="module")
def rows(talk):
    return {row.roof.chip: row for row in line_up(ARTICLE, [talk], [film_of(shipped.model("wan2.1-t2v-14b"))], shipped)}


def test_every_system_of_the_article_is_a_row(rows):
    assert set(rows) == set(ARTICLE)
    for row in rows.values():
        assert row.roof.peak > 0
        answer = row.talks[0]
        if answer.rate is None:  # no unit of it keeps the limit on the time of a token
            assert "slower than 50 ms a token" in answer.why
            continue
        assert answer.rate > 0
        assert answer.wait <= 0.05
        assert answer.floor <= answer.wait
    assert sum(row.talks[0].rate is None for row in rows.values()) <= 1


def test_the_ridge_points_of_datasheets(rows):
    """Peak over bandwidth: H100 989 / 3.35 = 295 FLOP a byte, A100 312 / 2.039 = 153."""
    assert rows["h100-sxm"].roof.ridge == pytest.approx(295, rel=0.01)
    assert rows["a100-sxm-80gb"].roof.ridge == pytest.approx(153, rel=0.01)


def test_chips_that_hold_70b(rows):
    """138 GB in 80 GB, 144 GB, 16 GB and 230 MB."""
    held = {name: rows[name].talks[0].hold for name in ("h100-sxm", "seed-14nm-144gb-hbm", "tpu-v5e", "groq-lpu-v1")}
    assert held == {"h100-sxm": 2, "seed-14nm-144gb-hbm": 1, "tpu-v5e": 9, "groq-lpu-v1": 600}


def test_one_user_of_groq(rows):
    """Published: 300 tokens a second for each user of Llama-2-70B, on the 570 or so chips that hold it."""
    assert rows["groq-lpu-v1"].talks[0].floor < 1 / 300


def test_on_chip_memory_cannot_hold_a_video_model(rows):
    assert rows["groq-lpu-v1"].films[0].rate is None
    assert "does not fit" in rows["groq-lpu-v1"].films[0].why


def test_dollars_are_the_owners_dollars_over_the_rate(rows):
    for row in rows.values():
        answer = row.talks[0]
        if answer.rent is not None:
            assert answer.rent * answer.rate == pytest.approx(shipped.rental_price(answer.chip).value)
        if answer.made is not None:
            assert answer.made_low < answer.made < answer.made_high


def test_rates_are_those_of_the_study(talk, rows):
    """Nothing here is a second engine: the study asked for the same unit and batch gives the same rate."""
    answer = rows["h100-sxm"].talks[0]
    units, batch = int(answer.chips), int(answer.batch)
    machine = Machine(shipped.cluster(f"{units}xh100-sxm"), shipped.efficiency(), Plan(tensor=units))
    estimate = serve(talk.network, Requests(input=1000, output=200, batch=batch), machine)
    assert estimate["output_rate"] / units == pytest.approx(answer.rate)
    assert estimate["tpot"] == pytest.approx(answer.wait)


@pytest.mark.parametrize("form", ["fp8", "int4", "fp4"])
def test_narrow_formats_give_the_speed_of_serve(talk, form):
    """Cache and products are those that `costline serve --precision` takes, so a chip has one speed."""
    cluster = shipped.cluster("1xb200")
    answer = talk_answer(replace(talk, precision=form), cluster, FREE, shipped)
    units, batch = int(answer.chips), int(answer.batch)
    asked = {"input": 1000, "output": 200, "batch": batch, "precision": form, "plan": {"tensor": units}}
    estimate = costline.serve("llama-2-70b", on=f"{units}xb200", **asked)
    assert estimate["output_rate"] / units == pytest.approx(answer.rate)


@pytest.mark.parametrize(
    ("model", "form", "narrow", "gigabytes"),
    [("gpt-oss-120b", "mxfp4", "experts", 65.3), ("llama-3.1-8b", "int4", "layers", 5.70)],
)
def test_weights_are_those_of_published_files(model, form, narrow, gigabytes):
    """gpt-oss-120b 60.8 GiB (its model card), Llama 3 8B in AWQ 5.70 GB: embedding, head and router in 16 bits."""
    talk = Talk(network=shipped.model(model), precision=form, narrow=narrow)
    assert talk.weights / 1e9 == pytest.approx(gigabytes, rel=0.005)
    hold = talk_answer(talk, shipped.cluster("8xgroq-lpu-v1"), FREE, shipped).hold
    assert hold == pytest.approx(gigabytes / 0.23, rel=0.005, abs=1)


def test_a_clip_takes_the_time_of_generate_in_the_format_asked():
    answer = film_answer(film_of(shipped.model("wan2.1-t2v-14b"), "fp8"), shipped.cluster("1xh100-sxm"), FREE, shipped)
    asked = costline.generate("wan2.1-t2v-14b", on="1xh100-sxm", precision="fp8")
    assert answer.wait == pytest.approx(asked["time"], rel=1e-6)


def test_chips_that_hold_a_pipeline_hold_all_its_networks():
    """Wan2.2 A14B: two transformers of 14.3B parameters, a text encoder of 5.7B: 68.7 GB and the autoencoder."""
    cluster = shipped.cluster("8xgroq-lpu-v1")
    hold = film_answer(film_of(shipped.model("wan2.2-t2v-a14b")), cluster, FREE, shipped).hold
    assert hold * 0.23 == pytest.approx(2 * (2 * 14.3 + 5.7) + 0.25, rel=0.02)


def test_every_chip_has_a_cost_of_making_or_a_reason(rows):
    for row in rows.values():
        assert (row.talks[0].made is None) == bool(row.unpriced or row.talks[0].rate is None)
    assert not any(row.unpriced for row in rows.values())


def test_memory_that_computes_shortens_the_floor_and_costs_room(rows):
    plain, pim = rows["a100-sxm-80gb"].talks[0], rows["a100-sxm-80gb+hbm-pim"].talks[0]
    assert pim.floor < 0.7 * plain.floor
    assert pim.made > plain.made  # dearer memory, and no faster at the batch that serves most


@settings(max_examples=20)
@given(st.floats(0.2e12, 10e12), st.floats(1.0, 4.0), st.integers(1, 64))
def test_more_bandwidth_never_slows_decoding(bandwidth, factor, batch):
    network = shipped.model("llama-2-7b")
    cluster = shipped.cluster("1xh100-sxm")

    def tpot(speed):
        chip = replace(cluster.chip, memory_bandwidth=speed)
        machine = Machine(replace(cluster, chip=chip), shipped.efficiency(), Plan())
        return serve(network, Requests(input=500, output=100, batch=batch), machine)["tpot"]

    assert tpot(bandwidth * factor) <= tpot(bandwidth) * (1 + 1e-12)


@pytest.mark.parametrize("faster", ["memory_bandwidth", "memory"])
def test_a_better_chip_never_answers_worse(talk, faster):
    cluster = shipped.cluster("1xa100-sxm-80gb")
    better = replace(cluster, chip=replace(cluster.chip, **{faster: 2 * getattr(cluster.chip, faster)}))
    assert talk_answer(talk, better, FREE, shipped).rate >= talk_answer(talk, cluster, FREE, shipped).rate


def test_a_chip_of_ones_own_is_a_chip(talk):
    """A blueprint becomes a `Chip`, and the same functions answer for it."""
    chip = Blueprint(name="mine", process="14 nm", rate=180e12, memory="HBM3", devices=6, device_size=24e9).chip()
    cluster = replace(shipped.cluster("1xh100-sxm"), chip=chip, scale_up=chip.link_bandwidth)
    assert talk_answer(talk, cluster, FREE, shipped).rate > 0
    assert film_answer(film_of(shipped.model("wan2.1-t2v-14b")), cluster, FREE, shipped).rate > 0


@pytest.mark.parametrize(
    ("name", "blueprint"),
    [
        ("seed-14nm-144gb-hbm", {"memory": "HBM3", "devices": 6, "device_size": 24e9}),
        ("seed-14nm-144gb-gddr6", {"memory": "GDDR6", "devices": 72, "clamshell": True}),
    ],
)
def test_the_articles_chip_is_what_the_models_make_of_it(name, blueprint):
    """Derived figures in the catalogue are rounded results of the models of area and power."""
    chip, facts = shipped.chip(name), shipped.chip_facts()[name]
    made = Blueprint(name=name, process="14 nm", rate=180e12, **blueprint)
    assert chip.memory == made.capacity == 144e9
    assert chip.memory_bandwidth == pytest.approx(made.bandwidth, rel=0.01)
    assert facts.figures["die_area_m2"] == pytest.approx(made.area, rel=0.01)
    assert chip.tdp == pytest.approx(made.power(), rel=0.01)
    assert facts.kind == "assumed"
    assert "zhihu" in chip.source


def test_prices_of_an_unknown_die_are_unknown():
    found = owner(shipped.chip("tpu-v6e"), shipped)
    assert found.made is None
    assert "die area and process node unknown" in found.why
