"""What the truth table does not say about ConsisID."""

from __future__ import annotations

import pytest

from costline.errors import ConfigError
from costline.models.importer import read_network

FACE = {"num_attention_heads": 48, "num_layers": 4, "is_train_face": True}


def consisid(**config):
    return read_network(config, "consisid", "ConsisIDTransformer3DModel")


@pytest.mark.parametrize(
    ("config", "params"),  # counts of the real modules, diffusers 0.42.1
    [
        ({"num_layers": 2}, 123_500_864),
        ({**FACE, "LFE_num_querie": 16, "LFE_ff_mult": 2}, 698_175_552),
        ({**FACE, "num_layers": 2, "use_rotary_positional_embeddings": True}, 454_757_952),
    ],
)
def test_parameters_of_variants(config, params):
    assert consisid(**config).params == params


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({**FACE, "num_layers": 5}, "cross_attn_interval"),
        ({**FACE, "LFE_depth": 9}, "LFE_depth"),
        ({**FACE, "num_attention_heads": 30}, "two thirds"),
        ({"patch_size_t": 2}, "'patch_size_t' is not known"),
    ],
)
def test_what_the_reference_cannot_run_is_refused(config, message):
    with pytest.raises(ConfigError, match=message):
        consisid(**config)
