"""FLUX and its descendants."""

from __future__ import annotations

import pytest

from costline.errors import ConfigError
from costline.models.importer import read_network


def read(architecture="FluxTransformer2DModel", **config):
    return read_network(config, "x", architecture)


def test_modulation_is_a_quarter_of_flux_and_chroma_does_without():
    """Chroma's model card: 3.3 billion parameters of FLUX read a single vector; without them 8.9 billion are left."""
    flux = read(guidance_embeds=True)
    vector = sum(part.params for part in flux.parts if getattr(part, "rows", "") == "sample")
    assert vector / 1e9 == pytest.approx(3.3, abs=0.05)
    assert read("ChromaTransformer2DModel").params / 1e9 == pytest.approx(8.9, abs=0.05)


def test_flux2_modulates_all_layers_alike():
    """Layers hold no modulation of their own: a layer more costs what its products cost."""
    few, more = (read("Flux2Transformer2DModel", num_single_layers=layers) for layers in (1, 2))
    hidden, ffn, head = 6144, 18432, 128
    assert more.params - few.params == hidden * (3 * hidden + 2 * ffn) + hidden * (hidden + ffn) + 2 * head


def test_layers_are_divided_as_the_reference_divides_them():
    """`_tp_plan` of the reference: what leads into a layer is divided by columns, what leads out by rows."""
    shards = {part.name: part.shard for part in read(guidance_embeds=True).parts if part.kind == "linear"}
    assert {shards[f"block/double/image/self/{side}"] for side in ("query", "key", "value")} == {"column"}
    assert {shards["block/double/text/mlp/down"], shards["block/single/out"]} == {"row"}
    assert {shards["block/double/image/modulation"], shards["embed/patch"], shards["head/projection"]} == {"replicated"}


@pytest.mark.parametrize(("field", "value"), [("is_tp", True), ("num_layers", "19"), ("vec_in_dim", 768)])
def test_unfamiliar_fields_are_refused(field, value):
    with pytest.raises(ConfigError, match=field):
        read(**{field: value})
