"""Small packages of measured kernels: parquet files whose times follow curves written out by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

PEAK, BANDWIDTH, LINK = 989e12, 3350e9, 450e9
"""H100 SXM: datasheet rates in bf16, of the memory and of the link in one direction."""
HELD_BACK = 0.1
"""Part of the shorter of arithmetic and traffic that does not hide (coefficients.csv, exposed)."""
DEVICE = "NVIDIA H100 80GB HBM3"


def write(root, system, family, software, version, table, columns, **changes):
    """One table of a package; `changes` replace columns, None takes one away."""
    rows = len(columns["latency"])
    made = {"framework": [software.upper()] * rows, "device": [DEVICE] * rows, **columns, **changes}
    folder = root / "systems" / "data" / system / family / software / version
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{table}_perf.parquet"
    pq.write_table(pa.table({name: values for name, values in made.items() if values is not None}), path)
    return path


def together(math, memory, launch):
    return np.maximum(math, memory) + HELD_BACK * np.minimum(math, memory) + launch


def gemm(share=0.8, half=120.0, rows=50.0, reach=0.7, launch=3e-6, dtype="bfloat16", width=2.0, peak=PEAK, scale=1.0):
    """A grid of products: 2 m n k FLOP, operands and results once, Hockney's n_1/2 in each dimension."""
    sizes = (128, 512, 1024, 4096, 8192)
    grid = itertools.product((1, 8, 32, 128, 512, 2048, 8192), sizes, sizes)
    m, n, k = (np.array(each, dtype=float) for each in zip(*grid, strict=True))
    math = 2 * m * n * k / (peak * share) * (1 + half / n) * (1 + half / k)
    narrowed = 0.0 if width == 2 else m * k * (2 + width)
    memory = (width * (m * k + k * n) + 2 * m * n) / (BANDWIDTH * reach)
    # tiles that are partly empty, or weights read as the product goes
    seconds = np.minimum(together(math * (1 + rows / m), memory, launch), math + memory + launch)
    seconds = seconds + narrowed / (BANDWIDTH * reach)
    whole = {"m": m, "n": n, "k": k}
    return {
        "gemm_dtype": [dtype] * len(m), **{name: each.astype(int) for name, each in whole.items()},
        "latency": seconds * 1e3 * scale,
    }  # fmt: skip


def attention(context, share=0.5, reach=0.6, launch=8e-6, window=0, cache="bfloat16", block=2e-8):
    """Causal attention: two products over all pairs; queries, results, keys and values once; 128 rows to a block."""
    grid = itertools.product((1, 8, 64), (16, 512, 4096, 16384), (8, 16, 32, 64), (1, 8), (64, 128))
    batch, tokens, heads, kv, width = (np.array(each, dtype=float) for each in zip(*grid, strict=True))
    queries = tokens if context else np.ones_like(tokens)
    pairs = batch * (tokens * (tokens + 1) / 2 if context else tokens)
    stored = 2.0 if cache == "bfloat16" else 1.0
    moved = batch * width * (4 * queries * heads + 2 * stored * tokens * kv)
    seconds = together(4 * pairs * heads * width / (PEAK * share), moved / (BANDWIDTH * reach), launch)
    seconds = seconds + batch * np.maximum(queries * heads / 128, kv) * block
    lengths = (tokens, np.zeros_like(tokens)) if context else (np.ones_like(tokens), tokens - 1)
    named = {
        "batch_size": batch, "isl": lengths[0], "step": lengths[1], "num_heads": heads, "num_key_value_heads": kv,
        "head_dim": width, "window_size": np.full_like(batch, window),
    }  # fmt: skip
    return {
        "attn_dtype": ["bfloat16"] * len(batch), "kv_cache_dtype": [cache] * len(batch),
        **{name: each.astype(int) for name, each in named.items()}, "latency": seconds * 1e3,
    }  # fmt: skip


def experts(share=0.5, half=90.0, rows=40.0, reach=0.8, sorting=3.0, **changes):
    """Layers of experts on one chip: three products over the experts that are visited, each of its own rows.

    A token is copied to each expert it visits and summed after; the activation reads two tensors and writes one.
    """
    grid = itertools.product((1, 8, 64, 512, 4096, 16384), (1024, 2048, 4096), (768, 4096), (8, 64), (2, 8), (1, 4))
    t, h, f, e, k, ep = (np.array(each, dtype=float) for each in zip(*grid, strict=True))
    kept = (k < e) & (t * k / ep >= 1)
    t, h, f, e, k, ep = (each[kept] for each in (t, h, f, e, k, ep))
    visits = t * k / ep
    visited = np.minimum(e / ep, visits)
    seconds = 3 * visits * 2 * f / (BANDWIDTH * reach) + 2 * visits * h * (1 + 1 / visited) * 2 / (BANDWIDTH * reach)
    for inner, outer in ((h, f), (h, f), (f, h)):
        math = 2 * visits * inner * outer / (PEAK * share) * (1 + half / inner) * (1 + half / outer)
        memory = 2 * (visited * inner * outer + visits * (inner + outer)) / (BANDWIDTH * reach)
        tiles = math * (1 + rows * visited / visits)
        seconds = seconds + np.minimum(together(tiles, memory, 0.0), math + memory)
    # launches of 3 us: of six kernels, and of what sorts before each of the three products
    seconds = seconds + (6 + 3 * sorting) * 3e-6
    sizes = {"num_tokens": t, "hidden_size": h, "inter_size": f, "topk": k, "num_experts": e, "moe_ep_size": ep}
    return {
        "moe_dtype": ["bfloat16"] * len(t), **{name: each.astype(int) for name, each in sizes.items()},
        "moe_tp_size": np.ones(len(t), dtype=int), "distribution": ["balanced"] * len(t),
        "kernel_source": ["triton"] * len(t), "latency": seconds * 1e3, **changes,
    }  # fmt: skip


def latent(context, share=0.6, reach=0.8, launch=1e-5, block=2e-8):
    """Latent attention of DeepSeek-V3 (arXiv:2412.19437, section 4.2): keys of 128 + 64, values of 128; absorbed for a
    new token: 512 + 64 in all heads alike, of which 512 are the value."""
    grid = itertools.product((1, 8, 64), (64, 512, 4096, 16384), (8, 16, 32, 64, 128))
    batch, tokens, heads = (np.array(each, dtype=float) for each in zip(*grid, strict=True))
    if context:
        pairs, widths, blocks = tokens * (tokens + 1) / 2, 192 + 128, np.maximum(heads * tokens / 128, heads)
        moved = tokens * (heads * (192 + 128) + 512 + 64)
    else:
        pairs, widths, blocks = tokens, 576 + 512, np.ones_like(batch)
        moved = heads * (576 + 512) + tokens * 576
    math = 2 * batch * pairs * heads * widths / (PEAK * share)
    seconds = together(math, 2 * batch * moved / (BANDWIDTH * reach), launch) + batch * blocks * block
    lengths = (tokens, np.zeros_like(tokens)) if context else (np.ones_like(tokens), tokens - 1)
    named = {"batch_size": batch, "isl": lengths[0], "step": lengths[1], "num_heads": heads}
    return {
        "mla_dtype": ["bfloat16"] * len(batch), "kv_cache_dtype": ["bfloat16"] * len(batch),
        "kernel_source": ["default"] * len(batch), **{name: each.astype(int) for name, each in named.items()},
        "latency": seconds * 1e3,
    }  # fmt: skip


def all_reduce(share=0.75, hop=2e-6, source="vLLM_custom_graph"):
    """Ring: each chip sends 2 (g - 1) / g of a tensor of 16-bit elements; a hop for each doubling of the group."""
    grid = itertools.product((2, 4, 8), [2**power for power in range(7, 30)])
    chips, elements = (np.array(each, dtype=float) for each in zip(*grid, strict=True))
    seconds = 2 * (2 * elements) * (chips - 1) / chips / (LINK * share) + hop * np.log2(chips)
    return {
        "allreduce_dtype": ["bfloat16"] * len(chips), "kernel_source": [source] * len(chips),
        "num_gpus": chips.astype(int), "message_size": elements.astype(int), "latency": seconds * 1e3,
    }  # fmt: skip
