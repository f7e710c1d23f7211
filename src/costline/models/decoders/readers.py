"""From a configuration to a decoder, or to its trunk: what reads the fields is another module for each family.

Apart from the builder, as a decoder of the model table is built without reading a configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from costline.models.config import unstated
from costline.models.decoder import Decoder
from costline.models.decoders.build import build_decoder, build_trunk
from costline.models.decoders.fields import extra_heads
from costline.models.decoders.shape import DecoderShape, naming
from costline.models.encoder import Encoder

ShapeReader = Callable[[Mapping[str, Any], str], DecoderShape]


def decoder_reader(
    shape_of: ShapeReader, architecture: str, note: str = ""
) -> Callable[[Mapping[str, Any], str], Decoder]:
    """Reader of a causal language model whose configuration `shape_of` understands."""

    def read(config: Mapping[str, Any], name: str) -> Decoder:
        with naming(name), unstated() as missing:
            shape = shape_of(config, name)
            said = "; ".join(filter(None, (note, extra_heads(config))))
            made = build_decoder(shape, name, architecture, source="configuration", note=said)
        return replace(made, unstated=missing)

    return read


def trunk_reader(shape_of: ShapeReader, architecture: str) -> Callable[[Mapping[str, Any], str], Encoder]:
    """Reader of the same model without its head, run as a text encoder."""

    def read(config: Mapping[str, Any], name: str) -> Encoder:
        with naming(name):
            return build_trunk(shape_of(config, name), name, architecture, source="configuration")

    return read
