"""Networks of rows: by name, by the row's dimensions, by size."""

from __future__ import annotations

import pytest

from costline.accuracy.networks import family, generating_pipeline, named, served_decoder, trained_decoder
from costline.accuracy.refusal import UnpredictableError
from costline.accuracy.rows import shipped_measurements


@pytest.mark.parametrize(
    "name", ["Llama-2-7b-hf", "meta-llama/Llama-2-7b-hf", "LLAMA-2-7B", "Llama-2-7b-chat-hf", "Llama-2-7b-FP8"]
)
def test_spellings_of_one_model(name):
    assert named(name).params == 6_738_415_616  # meta-llama/Llama-2-7b-hf, model card: 6.74B


def test_a_name_that_only_begins_like_another_is_not_that_one():
    assert named("Llama-2") is None
    assert named("Qwen3") is None


def test_an_unknown_name_with_a_size_gets_the_usual_shape_and_says_so():
    network, notes = served_decoder("Nobody-13B-A2B")
    assert network.params == pytest.approx(13e9, rel=0.005)
    assert network.active_params == pytest.approx(2e9, rel=0.005)
    assert "not known" in notes[0]


@pytest.mark.parametrize("name", ["Nobody", "GPT-4", ""])
def test_an_unknown_name_without_a_size_is_refused(name):
    with pytest.raises(UnpredictableError):
        served_decoder(name)


def test_dimensions_of_the_row_make_a_network(row):
    """A Llama 2 7B by its dimensions alone has the parameters of the model of that name."""
    conditions = row(
        "train", model="mystery", layers="32", hidden="4096", heads="32", kv_heads="32", ffn="11008", vocab="32000",
        params_total="6738415616", params_active="6738415616",
    ).conditions  # fmt: skip
    network, notes = trained_decoder(conditions)
    assert network.params == 6_738_415_616
    assert not notes


def test_a_row_that_contradicts_the_catalogue_counts(row):
    conditions = row("train", layers="16", hidden="4096", heads="32", ffn="11008", vocab="32000").conditions
    assert trained_decoder(conditions)[0].layers == 16


def test_text_length_of_the_row_reaches_the_transformer(row):
    pipeline, _ = generating_pipeline(row("generate", model="FLUX.1-dev", text_tokens="256").conditions)
    assert pipeline.transformers[0][0].fixed_streams["text"] == 256


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("llama-3-8b", "dense"), ("deepseek-v3", "MoE"), ("wan2.1-t2v-14b", "cross-attention DiT"),
        ("hunyuanvideo", "double-stream DiT"), ("cogvideox-5b", "joint DiT"), ("latte-1", "factorised DiT"),
        ("sana-1.6b", "linear DiT"), ("qwen-image", "double-stream DiT"),
    ],
)  # fmt: skip
def test_kinds_of_networks(name, kind):
    found = named(name)
    assert family(found.transformers[0][0] if hasattr(found, "transformers") else found) == kind


def test_parameters_of_training_rows_are_those_they_state():
    """Within 3 % for dense models whose vocabulary is stated; learned positions (MPT) are not in the shape."""
    rows = [
        one for one in shipped_measurements("train").rows if one.scored and not one.conditions.model.startswith("mpt")
    ]
    stated = [one for one in rows if one.conditions.layers and one.conditions.vocab]
    dense = [one for one in stated if one.conditions.params_total == one.conditions.params_active]
    assert len(dense) > 300
    for one in dense:
        assert trained_decoder(one.conditions)[0].params == pytest.approx(one.conditions.params_total, rel=0.03), one.id
