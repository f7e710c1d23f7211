"""What models cost behind an API: rows of the price table brought together by model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from costline.catalogue.names import plain, resolve
from costline.catalogue.price_table import Price, percentile


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiPrice:
    """List price of a model.

    Attributes
    ----------
    model, provider : str
        As the source prints them.
    per_input_token, per_output_token : float or None
        Price of text. [USD/token]
    per_video_second : mapping of str to float
        Price of video, by resolution or mode as printed. [USD/s]
    date, source : str
        Provenance.
    """

    model: str
    provider: str
    per_input_token: float | None = None
    per_output_token: float | None = None
    per_video_second: Mapping[str, float] = field(default_factory=dict)
    date: str = ""
    source: str = ""


def api_choice(prices: Iterable[Price], model: str, provider: str = "") -> ApiPrice:
    """Bring together the rows of one model.

    Raises
    ------
    UnknownNameError
        No such model, or several; the message lists them.
    """
    listed = [price for price in prices if not provider or provider.lower() in price.provider.lower()]
    subject = resolve("model behind an API", model, list(dict.fromkeys(price.subject for price in listed)))
    rows = [price for price in listed if price.subject == subject]
    by_unit = {price.unit: price.value for price in rows}
    return ApiPrice(
        model=subject,
        provider=rows[0].provider,
        per_input_token=by_unit.get("USD/token in"),
        per_output_token=by_unit.get("USD/token out"),
        per_video_second={price.config: price.value for price in rows if price.category == "api_video"},
        date=rows[0].date,
        source=rows[0].source,
    )


def token_price(prices: Iterable[Price], model: str) -> tuple[float, float] | None:
    """Median list price of a model's input and output tokens over the providers that sell it. [USD/token]

    Providers put their own name in front of a model's and some add ``-instruct``; nothing else is taken for the same
    model. None where nobody lists it.
    """
    wanted = {plain(model), f"{plain(model)}-instruct"}
    asked: dict[str, list[float]] = {"USD/token in": [], "USD/token out": []}
    for price in prices:
        if price.unit in asked and plain(price.subject.rpartition("/")[2]) in wanted:
            asked[price.unit].append(price.value)
    inputs, outputs = (sorted(each) for each in asked.values())
    return (percentile(inputs, 0.5), percentile(outputs, 0.5)) if inputs and outputs else None


def video_services(prices: Iterable[Price]) -> list[Price]:
    """One price a provider: its model of middle price at its default resolution; cheapest provider first.

    ``item`` of each is the model's name.
    """
    by_provider: dict[str, list[Price]] = {}
    for price in prices:
        if price.unit == "USD/s of video" and price.config == "second":
            by_provider.setdefault(price.provider, []).append(price)
    middle = [sorted(asked, key=lambda price: price.value)[(len(asked) - 1) // 2] for asked in by_provider.values()]
    return [replace(price, item=price.subject) for price in sorted(middle, key=lambda price: price.value)]
