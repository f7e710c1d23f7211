"""Parameters and FLOPs against counts made on the real diffusers and transformers modules, row by row.

The reference counts a masked or causal SDPA call in full, so the full convention is compared; the exact convention is
compared with its own column where the reference has one.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from costline.models.autoencoder import Autoencoder
from costline.models.decoder import Decoder
from costline.models.dit import DiT
from costline.models.encoder import Encoder
from costline.models.importer import read_network
from costline.models.network import total_flops, total_params

ROWS = list(csv.DictReader(io.StringIO((Path(__file__).parent.parent / "reference" / "flops_truth.csv").read_text())))

UNMATCHED: dict[str, str] = {}
"""Rows known not to match: family -> reason. The same list stands in the documentation."""


def case_id(row):
    shape = json.loads(row["input_shape_json"])
    size = "x".join(str(shape[key]) for key in ("frames", "height", "width", "tokens") if key in shape)
    return f"{row['class']}-{row['family']}-{size}".replace(" ", "_")


def parts_and_streams(network, row):
    """The parts that the reference ran and the streams that describe its input."""
    shape = json.loads(row["input_shape_json"])
    if isinstance(network, Autoencoder):
        streams = network.streams(frames=shape["frames"], height=shape["height"], width=shape["width"])
        return (network.decoder if row["family"].endswith("decode") else network.encoder), streams
    if isinstance(network, Decoder):
        mode = shape["mode"]
        if mode.startswith("decode1"):
            # the module expands the latents of all cached tokens again; serving engines do not (see `absorbed`)
            parts = tuple(
                replace(part, rows="context") if part.name.endswith("/kv_up") else part for part in network.parts
            )
            return parts, network.streams(tokens=1, cached=2048, batch=1)
        return network.parts, network.streams(tokens=2048, batch=1, logits=2048 if "all" in mode else 1)
    if isinstance(network, Encoder):
        return network.parts, network.streams(tokens=shape["tokens"], batch=shape["batch"])
    assert isinstance(network, DiT)
    lengths = {key.removesuffix("_tokens"): shape[key] for key in shape if key in {"text", "audio_tokens"}}
    if "per-token timestep" in row["notes"]:
        lengths["timestep"] = int(row["tokens"])
    clip = {key: shape[key] for key in ("frames", "height", "width", "batch") if key in shape}
    return network.parts, network.streams(**clip, **lengths)


@pytest.mark.parametrize("row", ROWS, ids=case_id)
def test_counts_equal_the_real_module(row):
    network = read_network(json.loads(row["config_json"]), row["family"], row["class"])
    parts, streams = parts_and_streams(network, row)
    assert network.params == int(row["params"])
    if "half params" in row["notes"]:
        half = int(row["notes"].split("half params ")[1].split(";")[0])
        # the reference counted the half module; the convolutions around the latent belong to neither
        assert total_params(part for part in parts if not part.name.endswith("/quant")) == half
    for kind, column in (("linear", "flops_linear"), ("attention", "flops_attention"), ("convolution", "flops_conv")):
        # a cache with a sliding window hands the module no more keys than the window: nothing is masked
        counted = total_flops(parts, streams, kind, "exact" if "decode1" in row["input_shape_json"] else "full")
        assert counted == pytest.approx(float(row[column]), rel=1e-3, abs=0.5), column
    exact = total_flops(parts, streams, "attention", "exact")
    eager = any(note in row["notes"] for note in ("attn=eager", "attn_impl=eager"))  # counts no causal saving
    if row["flops_attention_causal_exact"] and not int(row["sdpa_masked"] or 0) and not eager:
        assert exact == pytest.approx(float(row["flops_attention_causal_exact"]), rel=1e-3), "causal"
    if isinstance(network, DiT) and row["tokens"]:
        assert streams["image"] == int(row["tokens"])
