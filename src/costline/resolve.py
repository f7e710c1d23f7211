"""From what people write to objects: models, clusters, plans, prices, numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Real
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from costline import quantity
from costline.catalogue import Catalogue, shipped
from costline.catalogue.folder import read_pipeline
from costline.catalogue.given import names_file, with_head
from costline.engine.passes import Machine
from costline.errors import ConfigError, InputError, QuantityError, UnknownNameError, visible
from costline.estimate import Assumption
from costline.hardware.cluster import Cluster, check_cluster
from costline.models.decoder import Decoder
from costline.models.dit import DiT
from costline.models.encoder import Encoder
from costline.models.files import read_config_file
from costline.models.importer import read_network
from costline.models.network import Network
from costline.models.pipeline import Pipeline, alone
from costline.models.stated import shape_of
from costline.numeric import Array, Numeric
from costline.plan import Plan
from costline.planning import check_plan, read_plan_fields
from costline.quantity import Kind
from costline.studies.economics import Economics
from costline.studies.formats import USUAL, settled_formats
from costline.studies.methods import settled_methods
from costline.studies.software import UNSTATED, Stated, Study, settled_software, software_note
from costline.studies.stated import check_chips
from costline.uncertainty.draws import Named, model_doubt, sample, spread_value, uncertain

if TYPE_CHECKING:
    from costline.uncertainty.spreads import Spread

Number: TypeAlias = "str | float | np.ndarray[Any, np.dtype[Any]] | Mapping[Any, Any] | list[Any] | Named | Spread"
"""A quantity as text, a number in SI, an array of them, or a range in any form of `costline.uncertainty.reading`."""
MOST = 1e30
"""Largest input: far beyond any use, far below what floating point can square."""
MOST_THINGS = 1e12
"""Largest whole number: tokens of a sequence, sequences, frames, steps."""
DEAREST = 1000 / 3600
"""Rent of a chip beyond which a number is no rent that anybody pays. [USD/s]"""
RANGE_OF_CHIPS = re.compile(r"(?P<count>.+?[0-9kKM}]) ?[xX×*] ?(?P<name>[A-Za-z./~][^ ]*)")
"""A range of numbers of chips, and which."""
SHARES_OF_A_RATE = frozenset({
    "gemm", "attention", "attention_backward", "convolution", "memory", "link_up", "link_out", "link_unknown",
    "offload_bandwidth", "checkpoint_bandwidth", "host_memory_bandwidth",
})  # fmt: skip
"""Coefficients that something is divided by; the others may be 0."""
AT_MOST_ALL = frozenset({"gemm", "convolution", "scan", "memory", "link_up", "link_out", "overlap", "memory_reserved"})
"""Coefficients that are shares; attention in 8 bits may exceed the 16-bit peak that it is a share of."""
Model: TypeAlias = str | Path | Network | Pipeline
"""A catalogue name, a path, or an object made before."""


def _floats(value: Array) -> Array:
    if value.dtype.kind not in "biufO":
        raise QuantityError(f"an array of {value.dtype.name} has no numbers; write them as floats, in SI units")
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise QuantityError("not every element of the array is a number") from None


def number(value: Number, kind: Kind, name: str, *, least: float = 0.0, whole: bool = False) -> Numeric:
    """Read one numeric input.

    Parameters
    ----------
    value : str, float, array, mapping or list
        As given; inside a study a range is its samples, or its median.
    kind : Kind
        What it measures.
    name : str
        Name of the input, for messages.
    least : float
        Smallest value allowed.
    whole : bool
        Whether it must be a whole number.

    Raises
    ------
    QuantityError
        Not readable, NaN, below `least`, or not whole.
    """
    try:
        if isinstance(value, np.ndarray):
            read: Numeric = _floats(value)
        elif uncertain(value):
            read = sample(value, kind, name, least=least, whole=whole)
        else:
            read = quantity.read(cast(str | float, value), kind)
    except QuantityError as error:
        raise QuantityError(f"{name}: {error}") from None
    lowest = float(np.min(read)) if np.size(read) else float("nan")
    if not np.all(np.isfinite(read)) or not lowest >= least:
        raise QuantityError(f"{name}: {lowest:g} is below the least possible value, {least:g}")
    if whole and not np.all(np.asarray(read) == np.floor(read)):
        raise QuantityError(f"{name}: {value} is not a whole number")
    highest = float(np.max(read))
    if highest > (MOST_THINGS if whole else MOST):
        raise QuantityError(f"{name}: {highest:g} is above the largest value, {MOST_THINGS if whole else MOST:g}")
    return int(read) if whole and not isinstance(read, np.ndarray) else read


def stated(value: Any, kinds: type | UnionType, name: str, example: str) -> None:
    """Refuse what cannot be read as input `name` because of its type.

    Raises
    ------
    InputError
        `value` is none of `kinds`.
    """
    if not isinstance(value, kinds):
        raise InputError(f"{name}: {type(value).__name__} is not readable; write e.g. {example}")


def catalogue(user: str | Path | None) -> Catalogue:
    """The shipped catalogue, or that with a user's file laid over it."""
    stated(user, str | Path | None, "catalogue", "mine.toml")
    return shipped if user is None else shipped.with_file(user)


def model(given: Model, book: Catalogue = shipped) -> Network | Pipeline:
    """Resolve a model: a name of the catalogue, a ``config.json``, a folder with one or with ``model_index.json``.

    Raises
    ------
    UnknownNameError
        Neither a file nor a name; the nearest names are given.
    ConfigError
        A file that cannot be read as a model.
    """
    if isinstance(given, Network | Pipeline):
        return given
    stated(given, str | Path, "model", "llama-3.1-8b, or a config.json")
    return _from_path(Path(given).expanduser()) if names_file(given) else book.model(str(given))


def _from_path(path: Path) -> Network | Pipeline:
    if path.is_dir():
        if (path / "model_index.json").exists():
            return read_pipeline(path)
        if not (path / "config.json").exists():
            raise ConfigError(f"{path}: holds neither model_index.json nor config.json")
        path = path / "config.json"
    if path.name == "model_index.json":
        return read_pipeline(path.parent)
    name = path.parent.name if path.name == "config.json" and path.parent.name else path.stem
    return read_network(read_config_file(path), visible(name))


def decoder(
    given: Model | None,
    params: Number | None,
    active: Number | None,
    shape: Mapping[str, Any] | None,
    book: Catalogue = shipped,
) -> Decoder:
    """Resolve a decoder, or shape one from rumours.

    Raises
    ------
    ConfigError
        The model is not a decoder; or neither a model nor a size is given.
    """
    if given is None:
        return _hypothetical(params, active, shape_of(shape))
    found = with_head(given, model(given, book))
    if not isinstance(found, Decoder):
        way_out = "" if isinstance(found, Encoder) else "; try `costline generate`"
        raise ConfigError(f"{found.name} is not a decoder language model{way_out}")
    return found


def _hypothetical(params: Number | None, active: Number | None, shape: Mapping[str, Any]) -> Decoder:
    """Shape a decoder of a size, or a family of them where sizes are arrays."""
    size, used = _sizes(params, active)
    if isinstance(size, np.ndarray) or isinstance(used, np.ndarray):
        from costline.models.decoders.family import decoder_family

        return decoder_family(size, used, **shape)
    from costline.models.decoders.hypothetical import hypothetical_decoder

    return hypothetical_decoder(size, used, **shape)


def _sizes(params: Number | None, active: Number | None) -> tuple[Numeric, Numeric | None]:
    """Total and active parameters of a rumour; with only the active ones known, the model counts as dense."""
    if params is None and active is None:
        raise ConfigError("name a model (a catalogue name or a config.json), or give --params")
    used = None if active is None else number(active, quantity.PARAMS, "active", least=1)
    if params is None:
        return used if used is not None else 0.0, None
    return number(params, quantity.PARAMS, "params", least=1), used


def sampler(
    given: Model | None,
    params: Number | None,
    shape: Mapping[str, Any] | None,
    book: Catalogue = shipped,
) -> Pipeline:
    """Resolve a generation pipeline, or shape a diffusion transformer from a rumour.

    A transformer alone gets the encoders, the autoencoder and the defaults of the catalogue's pipeline with the same
    transformer; if there is none, it stands alone and the estimate says so.
    """
    if given is None:
        from costline.models.diffusion.family import dit_family
        from costline.models.diffusion.hypothetical import hypothetical_dit

        size, _ = _sizes(params, None)
        own = shape_of(shape)
        return alone(dit_family(size, **own) if isinstance(size, np.ndarray) else hypothetical_dit(size, **own))
    found = model(given, book)
    if isinstance(found, Pipeline):
        return found
    if not isinstance(found, DiT):
        raise ConfigError(f"{found.name} is not a diffusion transformer; try `costline serve`")
    kin = book.pipeline_like(found)
    if kin is None:
        return alone(found)
    note = f"encoders, autoencoder and defaults as in {kin.name}, whose transformer has the same shape"
    # experts of one shape, of which the file describes one
    experts = tuple((found, share) for other, share in kin.transformers if other.parts == found.parts)
    return replace(kin, name=found.name, transformers=experts, notes=(*kin.notes, note))


@dataclass(frozen=True, kw_only=True)
class Site:
    """Machine, prices and what was assumed to get them."""

    machine: Machine
    economics: Economics
    fixed: Mapping[str, Any]
    assumptions: tuple[Assumption, ...]


def site(
    on: str | Cluster,
    *,
    plan: str | Mapping[str, Any] | Plan | None = None,
    precision: str | None = None,
    price: Number | None = None,
    pue: Number | None = None,
    coefficients: Mapping[str, Number] | None = None,
    book: Catalogue = shipped,
    study: Study = "serve",
    software: Stated = UNSTATED,
    steps: Numeric | None = None,
) -> Site:
    """Resolve machine, plan fields, software and prices; the share that a cache reuses may depend on the steps.

    Returns
    -------
    Site
        ``fixed`` holds the plan fields the user set; the rest may be chosen.
    """
    stated(on, str | Cluster, "on", "8xh100-sxm")
    stated(precision, str | None, "precision", "bf16")
    cluster = _cluster(on, book) if isinstance(on, str) else on
    if not isinstance(on, str):
        check_cluster(on)
    named = None if isinstance(plan, Plan) else precision  # a whole plan states its formats
    kernels = {row.qualifier for row in book.coefficients() if row.name == "attention" and row.qualifier}
    plain = book.efficiency(**read_coefficients(coefficients, book))
    shares, measured = settled_methods(_plan_fields(plan), plain, cluster.chip, steps)
    fields, products = settled_software(shares, software, study, cluster.chip, kernels)
    training = study == "train"
    fixed, formats = settled_formats(fields, named, cluster.chip, training=training, products=products)
    base = Plan(**fixed)
    check_chips(base, cluster.chips)
    efficiency = model_doubt(plain)
    economics, assumed = _economics(cluster, price, pue, book)
    assumed = (*measured, software_note(base, study, cluster, plain), *assumed)
    if book.replaces(cluster.chip.id):
        words = f"{cluster.chip.id} as your own file has it, in place of the catalogue's"
        assumed = (Assumption(name="chip", value=words, kind="--catalogue"), *assumed)
    if formats:
        assumed = (Assumption(name="formats", value=formats, kind="--precision"), *assumed)
    return Site(machine=Machine(cluster, efficiency, base), economics=economics, fixed=fixed, assumptions=assumed)


def _cluster(on: str, book: Catalogue) -> Cluster:
    """Read ``8xh100-sxm``, or a range of numbers: ``20000 to 30000xa100-sxm-80gb``."""
    parts = RANGE_OF_CHIPS.fullmatch(on.strip())
    if not uncertain(on) or parts is None:
        return book.cluster(on)
    count = number(parts["count"], quantity.COUNT, "chips", least=1, whole=True)
    usual = max(int(np.median(count)), 1)
    cluster = book.cluster(f"{usual}x{parts['name']}")
    each = cluster.chips / usual  # chips of a system
    return replace(cluster, chips=count * each if isinstance(count, np.ndarray) else int(count * each))


def read_coefficients(given: Mapping[str, Any] | None, book: Catalogue) -> dict[str, Numeric]:
    """Check coefficients that the user fixes.

    Raises
    ------
    UnknownNameError, QuantityError
        No such coefficient; not a number of at least 0, or a share of more than all.
    """
    stated(given, Mapping | None, "coefficients", "{ gemm = 0.7 }")
    known = {row.name: row for row in book.coefficients()}
    fixed: dict[str, Numeric] = {}
    for name, value in (given or {}).items():
        if str(name) not in known:
            raise UnknownNameError("coefficient", str(name), known)
        least = 1e-6 if name in SHARES_OF_A_RATE else 0.0
        if uncertain(value):
            from costline.uncertainty.variables import row_kind

            fixed[name] = number(value, row_kind(known[name]), name, least=least)
        else:
            fixed[name] = number(value, quantity.COUNT, f"coefficient {name}", least=least)
        if name in AT_MOST_ALL and np.any((most := np.asarray(fixed[name])) > 1):
            raise QuantityError(f"coefficient {name}: {float(most.max()):g} is more than all of what it is a share of")
    return fixed


def _plan_fields(plan: str | Mapping[str, Any] | Plan | None) -> dict[str, Any]:
    """Fields the user states; a whole plan states products and fusion only where unusual, and takes all replicas."""
    if not isinstance(plan, Plan):
        return read_plan_fields(plan)
    check_plan(plan)
    usual = {"compute": USUAL} if plan.software else {"compute": USUAL, "compiled": True}
    listed = {name: value for name, value in vars(plan).items() if name != "data"}
    return {name: value for name, value in listed.items() if name not in usual or value != usual[name]}


def stated_rent(price: Number) -> Numeric:
    """Read a rent; numbers are dollars a second, so one that can only be an hourly price is refused."""
    rent = number(price, quantity.DOLLARS_PER_SECOND, "price")
    if isinstance(price, Real | np.ndarray) and (most := float(np.max(rent))) > DEAREST:
        raise QuantityError(
            f"price: as a number {most:g} is dollars a second, ${3600 * most:,.0f}/h a chip, and above "
            f"${3600 * DEAREST:,.0f}/h; write '${most:g}/h'"
        )
    return rent


def _economics(
    cluster: Cluster, price: Number | None, pue: Number | None, book: Catalogue
) -> tuple[Economics, tuple[Assumption, ...]]:
    """Prices and conditions: the user's, else the catalogue's with their dates."""
    assumed: list[Assumption] = []
    rent: Numeric | None = None
    source = "your price"
    if price is not None:
        rent = stated_rent(price)
    elif (choice := book.rental_price(cluster.chip.id)) is not None:
        rent, source = (
            spread_value(choice.value, choice.low, choice.high, "price", quantity.DOLLARS_PER_SECOND),
            str(choice),
        )
        note = "; ".join(choice.sources[:3])
        assumed.append(Assumption(name="rent", value=source, source=note, kind="catalogue"))
    overhead: Numeric
    if pue is not None:
        overhead = number(pue, quantity.RATIO, "pue", least=1.0)
    else:
        row = book.pue()
        overhead = spread_value(row.value, row.low, row.high, "PUE", quantity.RATIO)
        assumed.append(
            Assumption(name="PUE", value=row.value, unit="ratio", source=row.source, kind=row.kind, date=row.date)
        )
    grid = book.grid_carbon()
    assumed.append(
        Assumption(name="grid", value=grid.value, unit="kg/J", source=grid.source, kind=grid.kind, date=grid.date)
    )
    intensity = spread_value(grid.value, grid.low, grid.high, "grid", quantity.CARBON_PER_JOULE)
    return Economics(price=rent, price_source=source, pue=overhead, carbon_intensity=intensity), tuple(assumed)
