"""Computations that look things up: figures of chips, dated prices, counts of models."""

from __future__ import annotations

import re

from costline.catalogue.price_table import PriceChoice, rental_choice
from costline.errors import InputError, UnknownNameError
from costline.formulas.memory import tensor_bytes
from costline.formulas.roofline import arithmetic_intensity, ridge_point
from costline.hardware.chip import Chip
from costline.models.decoder import Decoder
from costline.models.network import Network, total_flops
from costline.numeric import Numeric
from costline.precision import element_bytes
from costline.quantity import DOLLARS_PER_SECOND
from costline.studies.audit.kinds import Count, Tokens
from costline.studies.audit.shelf import Shelf, Value
from costline.studies.formats import check_products
from costline.uncertainty.draws import spread_value

HALVES = ("transformer", "encoder", "decoder")


def _multiplying(shelf: Shelf, chip: str, format: str) -> Chip:
    """A chip that states a rate for a format."""
    found = shelf.catalogue.chip(chip)
    check_products(found, format)
    return found


def chip_rate(shelf: Shelf, chip: str, format: str = "bf16") -> Value:
    """Dense peak rate of a chip in a number format that it states one for."""
    found = _multiplying(shelf, chip, format)
    return Value(found.rate(format), "FLOP/s", found.source)


def chip_reach(shelf: Shelf, chip: str, format: str = "bf16") -> Value:
    """Rate that large matrix products reach on a chip: the peak times the catalogue's coefficient."""
    found = _multiplying(shelf, chip, format)
    row = shelf.catalogue.sourced_efficiency().row("gemm", found, format)
    return Value(found.rate(format) * row.value, "FLOP/s", row.source)


def chip_memory(shelf: Shelf, chip: str) -> Value:
    """Memory of a chip."""
    found = shelf.catalogue.chip(chip)
    return Value(found.memory, "byte", found.source)


def chip_bandwidth(shelf: Shelf, chip: str) -> Value:
    """Memory bandwidth of a chip."""
    found = shelf.catalogue.chip(chip)
    return Value(found.memory_bandwidth, "byte/s", found.source)


def chip_node(shelf: Shelf, chip: str) -> Value:
    """Process node of a chip, as its maker names it."""
    found = shelf.catalogue.chip(chip)
    number = re.match(r"\s*([0-9.]+) *nm", found.details.get("process_node", ""))
    if number is None:
        raise InputError(f"the process of {found.id} is not known in nm")
    return Value(float(number.group(1)), "nm", found.source)


def chip_ridge(shelf: Shelf, chip: str, format: str = "bf16") -> Value:
    """FLOPs a byte above which a chip is bound by arithmetic."""
    found = _multiplying(shelf, chip, format)
    return Value(ridge_point(found.rate(format), found.memory_bandwidth), "FLOP/byte", found.source)


def rent(shelf: Shelf, chip: str, until: str = "") -> Value:
    """Median on-demand rent of a chip in the twelve months up to a date, or the latest twelve."""
    found = shelf.catalogue.chip(chip)
    choice: PriceChoice | None
    if until:
        choice = rental_choice(shelf.catalogue.prices(category="rental", until=until), found.id)
    else:
        choice = shelf.catalogue.rental_price(found.id)
    if choice is None:
        raise InputError(f"no rent of {found.id} is known" + (f" up to {until[:40]}" if until else ""))
    value = spread_value(
        choice.value, choice.low, choice.high, f"rent of {found.id} {until}".strip(), DOLLARS_PER_SECOND
    )
    return Value(value, "USD/s", f"catalogue, median of {choice}")


def token_price(shelf: Shelf, model: str, side: str = "output") -> Value:
    """List price of a token behind an API; `side` is input or output."""
    listed = shelf.catalogue.api_price(model)
    value = {"input": listed.per_input_token, "output": listed.per_output_token}.get(side)
    if value is None:
        raise InputError(f"no price of {side[:40]!r} tokens of {model} is known; side is input or output")
    return Value(value, "USD/token", "catalogue of API prices")


def pim_speedup(shelf: Shelf, device: str, config: str) -> Value:
    """Published speed-up of a processing-in-memory device; `config` is part of the set-up it was measured in."""
    from costline.catalogue import pim_facts

    rows = [row for row in pim_facts() if row.metric == "speedup" and row.value is not None]
    found = [row for row in rows if device.lower() in row.device.lower() and config.lower() in row.config.lower()]
    if not found or found[0].value is None:
        raise UnknownNameError("PIM result", f"{device}: {config}", [f"{row.device}: {row.config}" for row in rows])
    return Value(found[0].value, "", f"{found[0].source} ({found[0].evidence})")


def _network(shelf: Shelf, model: str) -> Network:
    found = shelf.model(model)
    return found if isinstance(found, Network) else found.transformers[0][0]


def model_params(shelf: Shelf, model: str) -> Value:
    """All parameters of a model; of a pipeline, of its (first) transformer."""
    found = _network(shelf, model)
    return Value(found.params, "parameter", found.source)


def model_active(shelf: Shelf, model: str) -> Value:
    """Parameters that one token uses."""
    found = _network(shelf, model)
    return Value(found.active_params, "parameter", found.source)


def model_width(shelf: Shelf, model: str) -> Value:
    """Width of the residual stream."""
    found = _network(shelf, model)
    return Value(found.hidden_size, "", found.source)


def model_flops(shelf: Shelf, model: str, tokens: Tokens) -> Value:
    """FLOPs of one forward pass over one sequence, counted on the structure: causal for a decoder, full for a DiT."""
    found = _network(shelf, model)
    if isinstance(found, Decoder):
        streams = found.streams(tokens=tokens, logits=tokens)
    else:
        streams = shelf.transformer(model).token_streams(tokens)
    return Value(found.flops(streams), "FLOP", "structural count")


def clip_tokens(shelf: Shelf, model: str, height: Count, width: Count, frames: Count = 1) -> Value:
    """Latent tokens of a clip or an image."""
    found = shelf.transformer(model)
    return Value(found.streams(frames=frames, height=height, width=width)["image"], "token", found.source)


def clip_flops(
    shelf: Shelf, model: str, height: Count, width: Count, frames: Count = 1, part: str = "transformer"
) -> Value:
    """FLOPs for a clip of one evaluation of the transformer, or of the autoencoder's encoder or decoder."""
    if part not in HALVES:
        raise InputError(f"part {part[:40]!r}: choose from {', '.join(HALVES)}")
    if part == "transformer":
        network = shelf.transformer(model)
        work: Numeric = network.flops(network.streams(frames=frames, height=height, width=width))
    else:
        half = shelf.autoencoder(model)
        parts = half.encoder if part == "encoder" else half.decoder
        work = total_flops(parts, half.streams(frames=frames, height=height, width=width))
    return Value(work, "FLOP", "structural count")


def model_bytes(shelf: Shelf, model: str, format: str = "bf16") -> Value:
    """Bytes of the weights of a model."""
    return Value(tensor_bytes(_network(shelf, model).params, element_bytes(format)), "byte", "structural count")


def cache_intensity(shelf: Shelf, model: str, context: Tokens) -> Value:
    """FLOPs of attention for each byte of KV cache read, in a decode step (16-bit cache)."""
    found = shelf.decoder(model)
    parts = found.decode_parts
    work = total_flops(parts, found.streams(tokens=1, cached=context - 1), "attention")
    return Value(arithmetic_intensity(work, found.cache_elements(context) * 2), "FLOP/byte", "structural count")
