"""Prices: which are chosen, how they are converted, what is unknown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costline import catalogue
from costline.catalogue import price_table
from costline.errors import UnknownNameError


def _price(value, date="2025-01", **other):
    given_ = {"category": "rental", "item": "", "subject": "", "provider": "one", "chips": ("mychip",)}
    given_ |= {"unit": "USD/s", "printed_unit": "USD/chip-hour", "commitment": "on-demand"}
    return price_table.Price(value=value / 3600, date=date, **(given_ | other))


def test_rent_is_the_median_over_providers_of_the_last_year():
    prices = [
        _price(1.0, "2022-01", provider="old"),
        _price(2.0, provider="a"),
        _price(2.0, provider="a"),
        _price(2.0, provider="a"),
        _price(3.0, provider="b"),
        _price(8.0, provider="c"),
        _price(0.5, provider="d", commitment="spot"),
        _price(9.0, provider="e", kind="reported"),
        _price(9.0, provider="f", chips=("mychip", "other")),
    ]
    choice = price_table.rental_choice(prices, "mychip")
    assert choice.value * 3600 == pytest.approx(3.0)
    assert choice.low * 3600 == pytest.approx(2.2)  # 10th percentile of 2, 3, 8
    assert choice.high * 3600 == pytest.approx(7.0)
    assert choice.n == 5
    assert str(choice) == "$3/chip-hour (80 % $2.2 to $7; 5 prices, 2025-01)"


def test_a_provider_by_two_names_counts_once():
    prices = [_price(2.0, provider="Lambda"), _price(4.0, provider="Lambda Labs"), _price(6.0, provider="RunPod")]
    assert price_table.rental_choice(prices, "mychip").value * 3600 == pytest.approx((3.0 + 6.0) / 2)


def test_one_price_has_no_spread():
    assert str(price_table.rental_choice([_price(2.0)], "mychip")) == "$2/chip-hour (one price, 2025-01)"


def test_rent_of_a_chip_nobody_lists_is_unknown():
    assert catalogue.rental_price("groq-lpu-v1") is None


def test_rent_of_h100_lies_in_the_range_of_its_sources():
    choice = catalogue.rental_price("h100-sxm")
    assert 2.0 < choice.low * 3600 < choice.value * 3600 < choice.high * 3600 < 13.0
    assert choice.sources
    assert choice.last >= "2025-03"


def test_undated_prices_alone_still_make_a_rent():
    assert catalogue.rental_price("b300").last == ""


def test_filters_of_prices():
    rows = catalogue.prices(category="rental", chip="h100-sxm", provider="aws", since="2026")
    assert rows
    assert all("AWS" in row.provider and row.date >= "2026" for row in rows)
    assert catalogue.prices(until="2016-01-01")
    assert all(row.date <= "2016" for row in catalogue.prices(until="2016-01-01"))


def test_units_of_prices():
    assert catalogue.electricity("2025").value * 3.6e6 == pytest.approx(0.0826)  # US industrial mean, USD/kWh
    assert catalogue.grid_carbon("world", "2023").value * 3.6e9 == pytest.approx(481)  # g/kWh
    assert catalogue.pue().value == 1.1
    assert catalogue.pue("other").value == 1.25
    price = catalogue.api_price("claude-sonnet-4-5")
    assert (price.per_input_token * 1e6, price.per_output_token * 1e6) == pytest.approx((3, 15))
    assert catalogue.api_price("openai/sora-2").per_video_second == {"second": 0.1}


def test_unknown_regions_and_models_suggest_the_nearest():
    with pytest.raises(UnknownNameError, match="europe"):
        catalogue.grid_carbon("eurpe")
    with pytest.raises(UnknownNameError, match="claude-sonnet-4-5"):
        catalogue.api_price("claude-sonet-4-5")


def test_price_of_an_open_model_is_the_median_of_its_providers():
    inputs, outputs = catalogue.api_token_price("deepseek-v3")
    assert 0 < inputs <= outputs < 1e-5
    assert catalogue.api_token_price("no-such-model") is None


def test_video_services_are_one_a_provider():
    services = catalogue.video_prices()
    assert len({price.provider for price in services}) == len(services) > 5
    assert [price.value for price in services] == sorted(price.value for price in services)


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=30), st.floats(0, 1))
def test_percentiles_stay_inside_and_rise(values, share):
    ordered = sorted(values)
    found = price_table.percentile(ordered, share)
    assert ordered[0] <= found * (1 + 1e-12)
    assert found <= ordered[-1] * (1 + 1e-12)
    assert price_table.percentile(ordered, share / 2) <= found * (1 + 1e-12)
