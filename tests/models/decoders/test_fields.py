"""The language model inside a multimodal one."""

from __future__ import annotations

import pytest

from costline.models.importer import read_network


@pytest.mark.parametrize(
    ("kind", "tied"),
    [  # of (wrapper, text): (True, False), (False, True), as the real modules of transformers 5.23.0 tie them
        ("Gemma3ForConditionalGeneration", (True, False)),
        ("Mistral3ForConditionalGeneration", (True, False)),
        ("Qwen3VLForConditionalGeneration", (True, False)),
        ("Qwen3_5ForConditionalGeneration", (True, False)),
        ("Qwen2_5_VLForConditionalGeneration", (True, True)),
        ("Llama4ForConditionalGeneration", (False, True)),
    ],
)
def test_where_a_model_and_the_language_model_inside_it_disagree_on_the_head(kind, tied):
    def params(outer, inner):
        text = {"hidden_size": 256, "num_hidden_layers": 4, "vocab_size": 1000, "tie_word_embeddings": inner}
        config = {"architectures": [kind], "tie_word_embeddings": outer, "text_config": text}
        return read_network(config, "own").params

    heads = {params(True, True): True, params(False, False): False}
    assert params(False, False) - params(True, True) == 256 * 1000
    assert (heads[params(True, False)], heads[params(False, True)]) == tied
