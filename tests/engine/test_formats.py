"""Formats by part: sizes of published checkpoints, and what their configurations list as left alone."""

from __future__ import annotations

import pytest

from costline.catalogue.book import Catalogue
from costline.engine.formats import product_format, weight_format
from costline.engine.memory import weight_bytes
from costline.plan import Plan

GIB = 2**30


@pytest.mark.parametrize(("name", "gib"), [("gpt-oss-120b", 60.8), ("gpt-oss-20b", 12.8)])
def test_checkpoints_of_gpt_oss_have_their_published_size(name, gib):
    """OpenAI 2025 (arXiv:2508.10925), table 1: experts in MXFP4, everything else in 16 bits."""
    network = Catalogue().model(name)
    held = weight_bytes(network, Plan(weights="mxfp4", narrow="experts"))
    assert held / GIB == pytest.approx(gib, rel=0.005)


def test_four_bits_leave_embedding_head_and_norms_alone():
    """Llama 3 8B by hand: 32 layers of 218.1M weights of products, twice 525.3M at the ends, 65 norms of 4,096."""
    products = 32 * (2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336)
    wide = 2 * 128256 * 4096 + 65 * 4096
    held = weight_bytes(Catalogue().model("llama-3-8b"), Plan(weights="int4"))
    assert held == pytest.approx(products * (0.5 + 2 / 128) + wide * 2, rel=1e-12)


@pytest.mark.parametrize(
    ("stored", "size"), [("q4_0", 4.34), ("q4_k_m", 4.58), ("q5_k_m", 5.33), ("q6_k", 6.14), ("q8_0", 7.95)]
)
def test_an_average_over_a_file_is_not_divided_again(stored, size):
    """Files of Llama 3.1 8B in GiB: ggml-org/llama.cpp, tools/quantize/README.md."""
    held = weight_bytes(Catalogue().model("llama-3.1-8b"), Plan(weights=stored, compute="fp16"))
    assert held / GIB == pytest.approx(size, rel=0.015)


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("all", set()),
        ("layers", {"embed/tokens", "block/attention/norm", "block/moe/router", "head/logits"}),
        ("feed-forward", {"block/attention/query_up", "block/attention/out", "block/moe/router", "head/logits"}),
        ("experts", {"block/attention/out", "block/mlp/down", "block/shared/down", "head/logits"}),
    ],
)
def test_products_and_weights_of_a_part_agree(narrow, wide):
    plan = Plan(weights="fp8", compute="fp8", narrow=narrow)
    parts = {part.name: part for part in Catalogue().model("deepseek-v3").parts}
    for name in wide:
        assert (weight_format(parts[name], plan), product_format(parts[name], plan)) == ("bf16", "bf16"), name
    assert {weight_format(parts[name], plan) for name in ("block/moe/gate", "block/moe/down")} == {"fp8"}


@pytest.mark.parametrize("narrow", ["all", "layers", "feed-forward", "experts"])
def test_sixteen_bits_have_no_exceptions(narrow):
    plan = Plan(weights="fp16", compute="fp16", narrow=narrow)
    assert {weight_format(part, plan) for part in Catalogue().model("llama-3-8b").parts} == {"fp16"}
