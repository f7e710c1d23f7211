"""What models cost behind an API: rows of the price table brought together by model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from costline.catalogue.names import resolve
from costline.catalogue.prices import Price


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
