"""Dimensions a configuration leaves out: transformers' own defaults, and never without a word."""

from __future__ import annotations

import json

import pytest

import costline
from costline.errors import ConfigError
from costline.models.importer import READERS, read_network

LLAMA = {
    "architectures": ["LlamaForCausalLM"], "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
    "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256,
}  # fmt: skip
DECODERS = sorted(name for name, place in READERS.items() if place.startswith("decoders.") and name.endswith("LM"))
REFUSED = {"DeepseekV2ForCausalLM", "Dots1ForCausalLM", "NemotronHForCausalLM", "Glm4MoeForCausalLM"}
"""Classes whose own defaults are no model: nothing is assumed of them."""


def test_a_configuration_that_states_its_dimensions_has_nothing_to_say():
    assert read_network(LLAMA, "own").remarks == ()


@pytest.mark.parametrize(
    ("field", "value"), [("hidden_size", "4,096"), ("vocab_size", "32,000"), ("num_hidden_layers", "32")]
)
def test_what_is_left_out_is_named_with_the_value_of_the_class(field, value):
    """transformers LlamaConfig: hidden_size 4096, vocab_size 32000, num_hidden_layers 32."""
    (said,) = read_network({key: each for key, each in LLAMA.items() if key != field}, "own").remarks
    assert said == f"the configuration of own does not state what LlamaForCausalLM has by default: {field} {value}"


@pytest.mark.parametrize("architecture", DECODERS)
def test_every_family_says_what_it_took_from_its_class(architecture):
    if architecture in REFUSED:
        with pytest.raises(ConfigError, match="empty: "):
            read_network({"architectures": [architecture]}, "empty")
        return
    network = read_network({"architectures": [architecture]}, "empty")
    layers = [name for name in network.unstated if "layer" in name]
    width = [name for name in network.unstated if name in {"hidden_size", "n_embd", "d_model"}]
    assert layers, network.unstated
    assert width, network.unstated
    assert all(value > 0 for value in network.unstated.values())


@pytest.mark.parametrize(
    ("study", "more"), [(costline.serve, {}), (costline.train, {"tokens": "1B"}), (costline.caption, {"minutes": 10})]
)
def test_every_answer_says_it(tmp_path, study, more):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({key: each for key, each in LLAMA.items() if key != "hidden_size"}))
    found = study(path, on="8xh100-sxm", **more)
    assert any("does not state" in warning and "hidden_size 4,096" in warning for warning in found.warnings)
    searched = costline.find_plan("serve", path, on="8xh100-sxm")
    assert any("hidden_size 4,096" in str(row.value) for row in searched.assumptions)
