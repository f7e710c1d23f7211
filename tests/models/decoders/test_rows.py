"""The model table: every row builds or says what is unknown, and counts what its source states."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import costline
from costline.errors import ConfigError
from costline.models.decoders.rows import decoder_from_row, needed_fields

TABLE = Path(costline.__file__).parent / "data" / "models_llm.csv"
ROWS = {row["name"]: row for row in csv.DictReader(TABLE.read_text(encoding="utf-8").splitlines())}
COMPLETE = [row for row in ROWS.values() if row["layers"]]
TINY = {"name": "tiny", "layers": "2", "hidden": "8", "heads": "2", "kv_heads": "1", "head_dim": "4", "ffn": "16",
        "vocab": "32"}  # fmt: skip

LOOSE = {
    # name: (tolerance, why the stated figure is not the sum of the parts)
    "nemotron-3-nano-30b-a3b": (0.06, "the name rounds 31.6 down"),
    "nemotron-3.5-lightning-30b-a3b": (0.06, "the name rounds 31.6 down"),
    "gpt-neox-20b": (0.03, "the name rounds 20.55 down"),
    "falcon-7b": (0.05, "the stated figure counts an output head of its own"),
    "gemma4-26b": (0.03, "norms and one of the two networks of a layer are assumed"),
}


def test_names_and_aliases_are_unique():
    names = [name for row in ROWS.values() for name in (row["name"], *row["aliases"].split())]
    assert len(names) == len(set(names))
    assert all(name == name.lower() and "_" not in name for name in names)


@pytest.mark.parametrize("row", COMPLETE, ids=lambda row: row["name"])
def test_rows_count_what_their_source_states(row):
    decoder = decoder_from_row(row)
    if row["params_stated"]:
        tolerance, _ = LOOSE.get(row["name"], (0.022, ""))
        assert decoder.params == pytest.approx(float(row["params_stated"]), rel=tolerance)
    if row["active_stated"]:
        embedding = next(part.params for part in decoder.parts if part.name == "embed/tokens")
        low, high = decoder.active_params - embedding, decoder.active_params
        assert low * 0.92 < float(row["active_stated"]) < high * 1.05


@pytest.mark.parametrize("row", [row for row in ROWS.values() if not row["layers"]], ids=lambda row: row["name"])
def test_rows_without_dimensions_say_so(row):
    with pytest.raises(ConfigError, match=r"not known: layers, hidden, vocab, heads.*dimensions not read anywhere"):
        decoder_from_row(row)


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row["name"])
def test_every_row_has_a_source_and_a_kind(row):
    assert row["kind"] in {"published", "derived", "assumed", "estimated"}
    assert row["source"] or not row["layers"]
    assert row["date"]
    if row["kind"] != "published":
        assert row["note"]


def test_published_sparse_attention_keeps_its_indexer():
    assert decoder_from_row(ROWS["glm-5"]).shape.index_topk == 2048


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vocab": ""}, r"^tiny: not known: vocab$"),
        ({"ffn": "", "note": "width not published"}, r"not known: ffn \(width not published\)"),
        ({"experts": "8"}, "not known: active_experts, expert_ffn"),
        ({"kv_lora": "512"}, "not known: qk_nope, qk_rope, v_dim"),
        ({"layers": "two"}, "layers must be a whole number, got 'two'"),
        ({"layers": "-2"}, "layers must be a whole number"),
        ({"layers": "1" * 13}, "layers must be a whole number"),
        ({"tied": "yes"}, "tied must be 1 or 0, got 'yes'"),
        ({"qk_norm": "rms"}, "qk_norm must be one of none, plain, head, width"),
        ({"layers": "two", "heads": "2.5"}, "layers .*; heads "),
    ],
)
def test_faulty_rows_say_what_is_wrong(change, message):
    with pytest.raises(ConfigError, match=message):
        decoder_from_row({**TINY, **change})


def test_a_row_needs_no_dense_width_where_every_layer_has_experts():
    assert "ffn" not in needed_fields({"experts": 8, "active_experts": 2, "expert_ffn": 4})
    assert "ffn" in needed_fields({"experts": 8, "active_experts": 2, "expert_ffn": 4, "dense_layers": 1})
