"""Configurations that state anything anywhere: a network or a refusal, and never another exception."""

from __future__ import annotations

import contextlib
import importlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costline.catalogue.model_table import shipped_networks
from costline.errors import ConfigError
from costline.models.config import Config
from costline.models.decoders.precision import Stored, stated_precision
from costline.models.importer import READERS, architecture_of, read_network
from costline.models.network import Network

EXAMPLES = Path(__file__).parents[2] / "examples"
NESTED = ("text_config", "quantization_config", "rope_scaling")
WORDS = ("", "F", "M*E-", "full_attention", "sliding_attention", "dense", "conv", "none", "4096", "bfloat16", "gptq")
FIELDS_INSIDE = ("quant_method", "bits", "quant_algo", "config_groups", "weights", "hidden_size", "alibi")

atoms = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 9), st.sampled_from([64, 4096, 10**6, 99_999_999, 10**30, 10**400]),
    st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(WORDS),
)  # fmt: skip
values = st.recursive(
    atoms,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS_INSIDE), inner, max_size=3),
    max_leaves=6,
)


def configurations():
    """Every example and every network of the catalogue by class; of other classes the one that states nothing."""
    found = {name: [] for name in READERS}
    for path in EXAMPLES.glob("*/config.json"):
        config = json.loads(path.read_text(encoding="utf-8"))
        found.get(architecture_of(config, path.parent.name), []).append(config)
    for row in shipped_networks().values():
        found[row.architecture].append(dict(row.config))
    return {name: listed or [{}] for name, listed in found.items()}


def fields_of(name):
    """Fields that the module of a reader knows, of any of its classes and those it builds on."""
    module = importlib.import_module(f"costline.models.{READERS[name].partition(':')[0]}")
    classes = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, Config)]
    known = {field for each in classes for field in (*each.model_fields, *each.neutral)}
    stated = {field for config in BASES[name] for field in config}
    return sorted(known | stated | set(NESTED))


BASES = configurations()


@pytest.mark.parametrize("name", sorted(READERS))
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_a_hostile_configuration_is_read_or_refused(name, data):
    config = dict(data.draw(st.sampled_from(BASES[name])))
    known = fields_of(name)
    changed = data.draw(st.dictionaries(st.sampled_from(known), values, min_size=1, max_size=3))
    inner = config.get("text_config")
    if isinstance(inner, dict) and data.draw(st.booleans()):
        config["text_config"] = inner | changed
    else:
        config |= changed
    with contextlib.suppress(ConfigError):
        assert isinstance(read_network(config, "hostile", name), Network)
    with contextlib.suppress(ConfigError):
        assert isinstance(stated_precision(config), Stored | None)


@pytest.mark.parametrize(
    ("name", "config", "says"),
    [
        ("MptForCausalLM", {"attn_config": 5}, "field 'attn_config': Input should be a valid dictionary, got 5"),
        (
            "AutoencoderKLWan",
            {"temperal_downsample": []},
            "'temperal_downsample' has 0 entries; 'dim_mult' makes 3 steps",
        ),
        ("AutoencoderKLLTXVideo", {"upsample_type": []}, "'upsample_type' has 0 entries of 4"),
        ("AutoencoderKLLTXVideo", {"decoder_block_out_channels": []}, "'decoder_block_out_channels'"),
        ("AutoencoderKL", {"sample_size": []}, "'sample_size"),
        (
            "AutoencoderDC",
            {"attention_head_dim": 4096, "encoder_block_types": "EfficientViTBlock"},
            "'attention_head_dim': 4096 is more than the 128 of a level",
        ),
        (
            "SD3Transformer2DModel",
            {"num_layers": 18, "dual_attention_layers": [0, 18]},
            "lists layer 18 of 18, 0 the first",
        ),
        ("UNet2DConditionModel", {"layers_per_block": 1_000_000}, "'layers_per_block"),
        ("LlamaForCausalLM", {"hidden_size": 10**5000}, "field 'hidden_size'"),
    ],
)
def test_what_broke_a_reader_once(name, config, says):
    with pytest.raises(ConfigError, match=r"^hostile: ") as refused:
        read_network(config, "hostile", name)
    assert says in str(refused.value)


def test_layers_are_never_walked_one_by_one():
    """A hundred million layers are a number like any other."""
    for name in ("Qwen3MoeForCausalLM", "GlmMoeDsaForCausalLM"):
        assert read_network({"num_hidden_layers": 100_000_000}, "tall", name).layers == 100_000_000
