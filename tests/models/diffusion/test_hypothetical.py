"""The rule against the rows it was fitted to; the promise of half a per cent; impossible requests."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from statistics import linear_regression, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costline.errors import ConfigError
from costline.models.diffusion.hypothetical import FFN_RATIO, LAYER_RULE, hypothetical_dit
from costline.models.importer import read_network
from costline.models.parts import Attention

TABLE = Path(__file__).parents[2] / "reference" / "models_dit.csv"


def fitted_rows():
    """Distinct shapes of video networks with cross-attention and published dimensions."""
    found = {}
    for row in csv.DictReader(io.StringIO(TABLE.read_text())):
        known = row["hidden"] and row["layers_total"] and row["params_B"]
        if known and "cross" in row["attention_type"] and "v" in row["task"]:
            found.setdefault((row["layers_total"], row["hidden"]), row)
    return list(found.values())


def test_the_rule_is_the_fit():
    rows = fitted_rows()
    params = [math.log(float(row["params_B"]) * 1e9) for row in rows]
    fit = linear_regression(params, [math.log(int(row["layers_total"])) for row in rows])
    assert len(rows) == 9
    factor, power = LAYER_RULE
    assert (factor, power) == pytest.approx((math.exp(fit.intercept), fit.slope), rel=5e-3)
    ratios = [int(row["layers_total"]) / (factor * (float(row["params_B"]) * 1e9) ** power) for row in rows]
    assert (min(ratios), max(ratios)) == pytest.approx((0.86, 1.19), rel=0.02)
    assert median(int(row["ffn_hidden"]) / int(row["hidden"]) for row in rows) == FFN_RATIO
    assert all(int(row["heads"]) % 4 == 0 for row in rows)


@given(st.floats(min_value=1e6, max_value=1e13))
def test_the_size_asked_for_is_met(params):
    assert hypothetical_dit(params).params == pytest.approx(params, rel=5e-3)


@given(st.floats(min_value=1e9, max_value=1e12), st.sampled_from(["cross", "double", "joint", "single"]))
def test_every_kind_of_layer_meets_the_size(params, kind):
    network = hypothetical_dit(params, kind=kind)
    assert network.params == pytest.approx(params, rel=5e-3)
    assert getattr(network.shape, f"{kind}_layers") == network.layers


@pytest.mark.parametrize(
    "fields",
    [
        {"layers": 60},
        {"hidden": 6144},
        {"heads": 40},
        {"head_dim": 64},
        {"ffn_hidden": 20000},
        {"hidden": 6144, "ffn_hidden": 16384},
        {"heads": 48, "head_dim": 128, "layers": 32},
        {"key_heads": 8},
        {"ffn_gated": True, "text_dim": 6144, "vae_time": 8, "latent_channels": 64, "branches": 1},
        {"modulation": "block", "chunk_frames": 6, "chunk_window": 4},
    ],
)
def test_what_is_stated_is_kept(fields):
    network = hypothetical_dit(20e9, **fields)
    described = {**network.shape.as_config(), "layers": network.layers}
    assert {key: described[key] for key in fields} == fields
    assert network.params == pytest.approx(20e9, rel=5e-3)
    assert read_network(network.shape.as_config(), "again").params == network.params


def test_attention_is_full_over_time_and_space():
    network = hypothetical_dit(20e9)
    cores = [part for part in network.parts if isinstance(part, Attention)]
    assert {(core.queries, core.keys, core.mask) for core in cores} == {
        ("image", "image", "full"),
        ("image", "text", "full"),
    }


@pytest.mark.parametrize("model", ["LTX-Video-13B (0.9.7)", "Wan2.2-TI2V-5B", "Mochi-1", "Wan2.1-T2V-14B"])
def test_known_tokens_choose_the_compression(model):
    rows = csv.DictReader(io.StringIO(TABLE.read_text()))
    row = next(row for row in rows if row["model"] == model)
    clip = tuple(int(row[f"def_{side}"]) for side in ("frames", "height", "width"))
    shape = hypothetical_dit(20e9, tokens=float(row["tokens_default"]), clip=clip).shape
    published = tuple(int(row[column]) for column in ("vae_t", "vae_s", "patch_h"))
    assert (shape.vae_time, shape.vae_space, shape.patch_space) == published


@pytest.mark.parametrize(
    ("params", "fields", "message"),
    [
        (-1, {}, "from 1e5 to 1e14"),
        (math.nan, {}, "from 1e5 to 1e14"),
        (1e5, {}, "no network of 1e\\+05"),
        (1e9, {"hidden": 20000}, "hidden 20000"),
        (20e9, {"layers": 200, "hidden": 6144}, "layers 200, hidden 6144"),
        (20e9, {"layers": 10, "hidden": 1024, "ffn_hidden": 100}, "the nearest has 9.912e\\+07"),
        (20e9, {"layers": 0}, "layers must be a whole number"),
        (20e9, {"hidden": 6144.0}, "hidden must be a whole number"),
        (20e9, {"hidden": 3001}, "state heads"),
        (20e9, {"hiden": 3072}, "did you mean hidden"),
        (20e9, {"tokens": 1000}, "go together"),
        (20e9, {"tokens": 0, "clip": (81, 480, 832)}, "at least 1"),
        (20e9, {"tokens": 10, "clip": (81, 480, 832)}, "they give"),
    ],
)
def test_impossible_requests_are_refused(params, fields, message):
    with pytest.raises(ConfigError, match=message):
        hypothetical_dit(params, **fields)
