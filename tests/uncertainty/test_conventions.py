"""The same answer counted otherwise, against counts made by hand."""

from __future__ import annotations

import pytest

import costline
from costline.catalogue import Price
from costline.uncertainty.conventions import conventions


def test_training_by_every_count_of_flops():
    estimate = costline.train("llama-3.1-8b", tokens="1T", on="64xh100-sxm", mfu="40%", price="$2/h")
    found = conventions(estimate)
    assert [reading.value for reading in found["cost"]] == pytest.approx(  # rent of 64 chips; the price has no date
        [64 * 2 * reading.value / 3600 for reading in found["time"]]
    )
    flops = {reading.convention.split(",")[0]: reading.value for reading in found["flops"]}
    assert flops["6 x parameters x tokens"] == pytest.approx(6 * 8.03e9 * 1e12, rel=1e-3)
    # causal attention of 4,096 tokens: 32 layers x 12 x 4096 wide x (4097 / 2) keys a token; full twice that
    attention = 32 * 12 * 4096 * 1e12
    assert flops["full attention"] - flops["exact count"] == pytest.approx(attention * (4096 - 4097 / 2), rel=1e-6)
    time = {reading.convention: reading for reading in found["time"]}
    used = next(reading for reading in found["time"] if reading.used)
    assert used.value == estimate["time"]
    shorter = time["6 x parameters x tokens"]
    assert shorter.against(found["time"]) == pytest.approx(estimate["flops_6nd"] / estimate["flops_exact"])


def test_with_the_time_model_the_utilisation_changes_and_not_the_time():
    found = conventions(costline.train("llama-3.1-8b", tokens="1T", on="64xh100-sxm"))
    assert "time" not in found
    assert {reading.used for reading in found["mfu"]} == {True, False}


def test_generation_by_every_count_of_flops():
    estimate = costline.generate("wan2.1-t2v-14b", on="8xh100-sxm", price="$2/h")
    flops = [reading.value for reading in conventions(estimate)["flops"]]
    assert flops[0] == estimate["flops"]
    assert 1 - flops[1] / flops[0] == pytest.approx(estimate["attention_share"] / 2)
    assert flops[2] == pytest.approx(2 * 14.29e9 * estimate["tokens"] * 100, rel=1e-3)


def test_prices_by_year_each_provider_once():
    def price(year, provider, hourly):
        return Price(
            category="rental", item="", subject="H100", provider=provider, chips=("h100-sxm",), value=hourly / 3600,
            unit="USD/s", printed_unit="USD/chip-hour", date=f"{year}-05", commitment="on-demand", source=provider,
        )  # fmt: skip

    listed = [price(2024, "a", 2.0), price(2024, "a", 6.0), price(2024, "b", 6.0), price(2025, "a", 3.0)]
    estimate = costline.serve("llama-3.1-8b", on="h100-sxm")
    found = conventions(estimate, listed)["cost_output"]
    year = {reading.convention: reading.value for reading in found if not reading.used}
    assert list(year) == ["rent of 2024, median of 2 providers", "rent of 2025, median of 1 provider"]
    assert year["rent of 2024, median of 2 providers"] / year["rent of 2025, median of 1 provider"] == pytest.approx(
        5 / 3
    )
