"""One catalogue: the tables that come with costline, and whatever the user's own file lays over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from costline.catalogue.apis import ApiPrice, api_choice, token_price, video_services
from costline.catalogue.chip_table import ChipFacts, chip_titles, shipped_chip_facts, shipped_chips
from costline.catalogue.coefficient_table import shipped_coefficients, shipped_efficiency
from costline.catalogue.decoder_table import decoder_names, narrow_in, shipped_decoder, stored_format
from costline.catalogue.names import checkpoint, device, plain, resolve
from costline.catalogue.price_table import (
    Price,
    PriceChoice,
    rental_choice,
    select,
    shipped_by_category,
    shipped_prices,
    shipped_rental,
)
from costline.catalogue.system_table import System, shipped_systems
from costline.errors import InputError, UnknownNameError
from costline.hardware.chip import Chip
from costline.hardware.cluster import Cluster
from costline.hardware.efficiency import Coefficient, Efficiency
from costline.models.decoders.precision import Stored, stated_precision
from costline.numeric import Numeric
from costline.precision import Narrow
from costline.quantity.shapes import read_fleet

if TYPE_CHECKING:
    from pathlib import Path

    from costline.catalogue.user import UserCatalogue
    from costline.models.dit import DiT
    from costline.models.network import Network
    from costline.models.pipeline import Pipeline

_Entry = TypeVar("_Entry")


def _others(shipped: Mapping[str, _Entry], own: Mapping[str, _Entry]) -> dict[str, _Entry]:
    """Shipped entries that no entry of the user's hides; they go after the user's own."""
    return {name: entry for name, entry in shipped.items() if name not in own}


@dataclass(frozen=True)
class Catalogue:
    """Lookups in the tables. Nothing is read before it is asked for.

    Parameters
    ----------
    user : UserCatalogue, optional
        The user's own chips, systems, prices and models; they hide shipped ones of the same name.

    Examples
    --------
    >>> Catalogue().chip("H100-SXM").tdp
    700.0
    """

    user: UserCatalogue | None = field(default=None)

    def with_file(self, path: str | Path) -> Catalogue:
        """Return this catalogue with a user's file laid over it.

        Raises
        ------
        CatalogueError
            With every fault of the file.
        """
        from costline.catalogue.user import load_user_file

        return Catalogue(load_user_file(path))

    def chips(self) -> Mapping[str, Chip]:
        """Chips that can be estimated on, by id."""
        return {**self.user.chips, **_others(shipped_chips(), self.user.chips)} if self.user else shipped_chips()

    def chip_facts(self) -> Mapping[str, ChipFacts]:
        """All shipped chips, those of unknown memory too, with the kind of every figure."""
        return shipped_chip_facts()

    def chip(self, name: str) -> Chip:
        """Find a chip by its id, in any case; its first words are enough where they fit one chip only.

        Raises
        ------
        UnknownNameError
            No such chip, or several; the message lists them.
        InputError
            The memory of the chip is unknown.
        """
        known = self.chips()
        if (wanted := plain(name)) in known:
            return known[wanted]
        names = [*known, *(each for each in shipped_chip_facts() if each not in known)]
        found = resolve("chip", device(name, names, chip_titles()), names)
        return known[found] if found in known else shipped_chip_facts()[found].chip()

    def replaces(self, chip: str) -> bool:
        """Whether a chip of the user's has the name of one that comes with costline."""
        return self.user is not None and chip in self.user.chips and chip in shipped_chip_facts()

    def systems(self) -> Mapping[str, System]:
        """All systems, by id."""
        return (
            {**self.user.systems, **_others(shipped_systems(), self.user.systems)} if self.user else shipped_systems()
        )

    def system(self, name: str) -> System:
        """Find a system by its id, as `chip` does."""
        known = self.systems()
        return known[resolve("system", name, known)]

    def system_of(self, chip: str) -> System | None:
        """The system taken for a chip where none is named; a user's own goes first."""
        return next((system for system in self.systems().values() if chip in system.default_for), None)

    def cluster(self, text: str) -> Cluster:
        """Read ``8xh100-sxm`` (chips, in the default system of that chip) or ``2xdgx-h100`` (systems).

        A system that can hold several chips is written with the one that is meant: ``2xaws-p5:h200-sxm``.

        Raises
        ------
        UnknownNameError, QuantityError, InputError
            No such chip or system, or not a number of them.
        """
        count, name = read_fleet(text)
        name, _, inside = name.partition(":")
        if inside.isdecimal():
            raise InputError(f"{text[:60]!r}: the number of chips goes first; write {count * int(inside)}x{name}")
        systems = self.systems()
        if inside or plain(name) in systems:
            system = self.system(name)
            return system.cluster(self._chip_in(system, inside), count * system.n_chips)
        chips = dict.fromkeys([*self.chips(), *shipped_chip_facts()])
        names = [*chips, *(each for each in systems if each not in chips)]
        found = resolve("chip or system", device(name, chips, chip_titles()), names)
        if found not in chips:
            return self.cluster(f"{count}x{found}")
        chip = self.chip(found)
        default = self.system_of(chip.id)
        if default is None:
            return Cluster(chip=chip, chips=count, scale_up=chip.link_bandwidth, source=chip.source)
        return default.cluster(chip, count)

    def _chip_in(self, system: System, name: str) -> Chip:
        if not name and len(system.chips) > 1:
            ways = " or ".join(f"{system.id}:{each}" for each in system.chips)
            raise InputError(f"{system.id} can hold several chips; write {ways}")
        return self.chip(resolve(f"chip of {system.id}", name, system.chips) if name else system.chips[0])

    def models(self) -> Mapping[str, str]:
        """Every spelling of a model -> what it is: user, decoder, pipeline or network (a part of pipelines)."""
        from costline.catalogue.model_table import shipped_pipelines, spellings

        pipelines = shipped_pipelines()
        known = {each: "pipeline" if name in pipelines else "network" for each, name in spellings().items()}
        known |= dict.fromkeys(decoder_names(), "decoder")
        return known | (dict.fromkeys(self.user.models, "user") if self.user else {})

    def model(self, name: str) -> Network | Pipeline:
        """Build a model: a decoder, a generation pipeline, or one of the networks of a pipeline.

        Raises
        ------
        UnknownNameError
            No such model, or several; the message lists them.
        ConfigError
            A model of which a needed dimension is not known, or a configuration of the user's that cannot be read.
        """
        known = self.models()
        found = resolve("model", checkpoint(name, known)[0], known)
        if self.user and known[found] == "user":
            return self.user.models[found].network()
        if known[found] == "decoder":
            return shipped_decoder(found)
        from costline.catalogue.model_table import shipped_model

        return shipped_model(found)

    def stored_format(self, name: str) -> tuple[Stored, str] | None:
        """Format in which a named model is shipped, and where that was read; None where it is not known."""
        known = self.models()
        named, stored = checkpoint(name, known)
        if stored is not None:
            return replace(stored, narrow=self.narrow_in(name, stored.weights)), "the name of the checkpoint"
        found = resolve("model", named, known)
        if self.user and known[found] == "user":
            from costline.models.files import read_config_file

            own = self.user.models[found].config
            stated = stated_precision(read_config_file(own))
            return (stated, own.name) if stated else None
        return stored_format(found) if known[found] == "decoder" else None

    def narrow_in(self, name: str, form: str) -> Narrow:
        """Which weights of a named model a format of fewer than 16 bits applies to."""
        known = self.models()
        found = resolve("model", checkpoint(name, known)[0], known)
        return narrow_in(found, form) if known[found] == "decoder" else "layers"

    def pipeline_like(self, network: DiT) -> Pipeline | None:
        """The shipped pipeline whose transformer has the same parts as `network`, and of several its name; or None."""
        from costline.catalogue.model_table import pipeline_like

        return pipeline_like(network, network.name)

    def prices(
        self,
        *,
        category: str = "",
        chip: str = "",
        provider: str = "",
        commitment: str = "",
        since: str = "",
        until: str = "",
    ) -> list[Price]:
        """Prices that match everything that is given.

        Parameters
        ----------
        category : str
            rental, purchase, api_llm, api_video, electricity, carbon or tco_factor.
        chip : str
            Id of a chip the price can be for.
        provider : str
            Part of the provider's name.
        commitment : str
            on-demand, spot, 1-year, ...
        since, until : str
            Dates as 2025, 2025-03 or 2025-03-31, both included; an undated price matches neither.
        """
        own = self.user.prices if self.user else ()
        shipped = shipped_by_category().get(category, ()) if category else shipped_prices()
        return select((*own, *shipped), category=category, chip=chip, provider=provider,
                      commitment=commitment, since=since, until=until)  # fmt: skip

    def rental_price(self, chip: str) -> PriceChoice | None:
        """Rent of a chip as a dated distribution, by `RENTAL_RULE`; the user's own price, if there is one, alone."""
        own = [price for price in self.user.prices if chip in price.chips] if self.user else []
        return rental_choice(own, chip) if own else shipped_rental(chip)

    def electricity(self, year: str = "") -> Price:
        """Price of electricity: US industrial mean of a year, else the latest. [USD/J]"""
        return self._newest("electricity", "US industrial average", year)

    def pue(self, operator: str = "hyperscaler") -> Price:
        """Energy of a building over that of its systems, of a ``hyperscaler`` or ``other`` operators. [1]"""
        return self._newest("tco_factor", f"PUE {operator}", "")

    def grid_carbon(self, region: str = "world", year: str = "") -> Price:
        """Emissions of a grid: ``world``, ``usa``, ``europe``, ..., ``gcp us-central1``, ... [kg/J]"""
        return self._newest("carbon", region, year)

    def _newest(self, category: str, item: str, year: str) -> Price:
        listed = self.prices(category=category)
        items = dict.fromkeys(price.item for price in listed if category != "carbon" or price.unit == "kg/J")
        found = resolve("region" if category == "carbon" else category, item, list(items))
        rows = [price for price in listed if price.item == found and (not year or price.date.startswith(year))]
        if not rows:
            raise UnknownNameError(f"year of {found}", year, [price.date for price in listed if price.item == found])
        return max(rows, key=lambda price: price.date)

    def api_price(self, model: str, provider: str = "") -> ApiPrice:
        """List price of a model behind an API: per token, or per second of video.

        Raises
        ------
        UnknownNameError
            No such model, or several; the message lists them.
        """
        listed = [*self.prices(category="api_llm"), *self.prices(category="api_video")]
        return api_choice(listed, model, provider)

    def api_token_price(self, model: str) -> tuple[float, float] | None:
        """Median list price of input and output tokens over providers, or None where nobody lists it. [USD/token]"""
        return token_price(self.prices(category="api_llm"), model)

    def video_prices(self) -> list[Price]:
        """List price of video, one a provider, cheapest first; `item` is the model. [USD/s of video]"""
        return video_services(self.prices(category="api_video"))

    def coefficients(self) -> tuple[Coefficient, ...]:
        """All rows of the coefficient table."""
        return shipped_coefficients()

    def efficiency(self, **overrides: Numeric) -> Efficiency:
        """Coefficients ready for lookups, with values fixed by the user laid over them."""
        return shipped_efficiency().replace(**overrides)

    def sourced_efficiency(self, **overrides: Numeric) -> Efficiency:
        """Coefficients as their sources state them: for single kernels, and machines unlike any that was measured."""
        return Efficiency(self.coefficients(), overrides)
