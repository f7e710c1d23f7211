"""Attention: query-key pairs under a mask, FLOPs, cache width.

Two conventions live side by side. *Full* counts every query against every key, as a dense SDPA call with a mask does;
*exact* counts only the pairs a mask lets through, which is what a fused kernel executes.
"""

from __future__ import annotations

from costline.derivation import formula
from costline.numeric import Numeric, choose, largest, smallest


@formula("queries * keys", unit="pair", source="definition")
def full_pairs(queries: Numeric, keys: Numeric) -> Numeric:
    """Query-key pairs without a mask.

    Parameters
    ----------
    queries : float or array
        Query tokens of one sequence. [token]
    keys : float or array
        Key tokens of one sequence. [token]

    Returns
    -------
    float or array
        Pairs. [pair]

    References
    ----------
    Vaswani et al. 2017, arXiv:1706.03762, eq. 1.

    Examples
    --------
    >>> full_pairs(4, 6)
    24
    """
    return queries * keys


@formula("queries * (keys - queries) + queries * (queries + 1) / 2", unit="pair", source="definition")
def causal_pairs(queries: Numeric, keys: Numeric) -> Numeric:
    r"""Query-key pairs under a causal mask, the queries being the last tokens of the keys.

    .. math:: P = q (k - q) + q (q + 1) / 2

    Parameters
    ----------
    queries : float or array
        Query tokens, at most `keys`. [token]
    keys : float or array
        Key tokens: cached ones and the queries themselves. [token]

    Returns
    -------
    float or array
        Pairs. [pair]

    References
    ----------
    Dao 2023, arXiv:2307.08691, section 3.1 (causal masking).

    Examples
    --------
    >>> causal_pairs(4, 4)
    10.0
    """
    return queries * (keys - (queries - 1) * 0.5)


@formula("causal_pairs(queries, keys) - causal_pairs(min(queries, max(keys - window, 0)), max(keys - window, 0))",
         unit="pair", source="definition")  # fmt: skip
def window_pairs(queries: Numeric, keys: Numeric, window: Numeric) -> Numeric:
    r"""Query-key pairs under a causal sliding window: each query sees itself and the `window` - 1 tokens before it.

    .. math:: P = P_{causal}(q, k) - P_{causal}(\min(q, k-w), k-w)

    Parameters
    ----------
    queries : float or array
        Query tokens, at most `keys`. [token]
    keys : float or array
        Key tokens: cached ones and the queries themselves. [token]
    window : float or array
        Window length including the query itself. [token]

    Returns
    -------
    float or array
        Pairs. [pair]

    References
    ----------
    Beltagy et al. 2020, arXiv:2004.05150 (sliding window); Jiang et al. 2023, arXiv:2310.06825, section 2.

    Examples
    --------
    >>> window_pairs(4, 4, 2)  # 1 + 2 + 2 + 2
    7.0
    """
    outside = largest(keys - window, 0)
    return causal_pairs(queries, keys) - causal_pairs(smallest(queries, outside), outside)


@formula("(tokens // chunk) * chunk * (chunk + 1) / 2 + (tokens % chunk) * (tokens % chunk + 1) / 2",
         unit="pair", source="definition")  # fmt: skip
def chunk_prefix_pairs(tokens: Numeric, chunk: Numeric) -> Numeric:
    r"""Query-key pairs of a sequence cut into chunks, each causal in itself.

    .. math:: P = \lfloor t / c \rfloor c (c + 1) / 2 + r (r + 1) / 2, \quad r = t \bmod c

    Parameters
    ----------
    tokens : float or array
        Tokens from the beginning of the sequence. [token]
    chunk : float or array
        Chunk length. [token]

    Returns
    -------
    float or array
        Pairs. [pair]

    References
    ----------
    transformers, masking_utils.create_chunked_causal_mask (Llama 4's local layers).

    Examples
    --------
    >>> chunk_prefix_pairs(5, 2)  # 1 + 2, 1 + 2, 1
    7.0
    """
    rest = tokens % chunk
    return (tokens // chunk) * chunk * (chunk + 1) / 2 + rest * (rest + 1) / 2


@formula("chunk_prefix_pairs(keys, chunk) - chunk_prefix_pairs(keys - queries, chunk)", unit="pair",
         source="definition")  # fmt: skip
def chunk_pairs(queries: Numeric, keys: Numeric, chunk: Numeric) -> Numeric:
    r"""Query-key pairs under a chunked causal mask: a query sees the tokens before it in its own chunk, and itself.

    .. math:: P = P_{prefix}(k) - P_{prefix}(k - q)

    Parameters
    ----------
    queries : float or array
        Query tokens, at most `keys`: the last ones. [token]
    keys : float or array
        Key tokens: cached ones and the queries themselves. [token]
    chunk : float or array
        Chunk length. [token]

    Returns
    -------
    float or array
        Pairs. [pair]

    References
    ----------
    transformers, masking_utils.create_chunked_causal_mask (Llama 4's local layers).

    Examples
    --------
    >>> chunk_pairs(1, 6, 4)  # tokens 4 and 5
    2.0
    """
    return chunk_prefix_pairs(keys, chunk) - chunk_prefix_pairs(keys - queries, chunk)


@formula("2 * pairs * heads * (key_dim + value_dim)", unit="FLOP", source="definition: scores and weighted sum")
def attention_flops(pairs: Numeric, heads: Numeric, key_dim: Numeric, value_dim: Numeric) -> Numeric:
    r"""FLOPs of attention over given query-key pairs; softmax is not counted.

    .. math:: C = 2 P h (d_k + d_v)

    Parameters
    ----------
    pairs : float or array
        Query-key pairs, all sequences together. [pair]
    heads : float or array
        Query heads (grouped-query attention saves bytes, not FLOPs). [head]
    key_dim : float or array
        Width of a query or key head. [feature]
    value_dim : float or array
        Width of a value head. [feature]

    Returns
    -------
    float or array
        Floating-point operations. [FLOP]

    References
    ----------
    Vaswani et al. 2017, arXiv:1706.03762, eq. 1; torch.utils.flop_counter.sdpa_flop_count.

    Examples
    --------
    >>> attention_flops(full_pairs(2, 2), 1, 8, 8)
    128
    """
    return 2 * heads * (key_dim + value_dim) * pairs


@formula(
    "sequences * max(queries * heads / tile, key_heads)",
    unit="block",
    source="Dao 2023, arXiv:2307.08691, section 3.2 (blocks of queries in parallel); one a key head for a new token",
)
def attention_blocks(
    sequences: Numeric, queries: Numeric, heads: Numeric, key_heads: Numeric, tile: Numeric
) -> Numeric:
    """Blocks of threads of a fused attention kernel, each of which goes through its keys once.

    Parameters
    ----------
    sequences : float or array
        Sequences of the batch. [sequence]
    queries : float or array
        New tokens of each. [token]
    heads : float or array
        Query heads on the chip. [head]
    key_heads : float or array
        Key heads on the chip. [head]
    tile : float or array
        Rows of queries of a block; query heads that share a key head fill it together. [row]

    Returns
    -------
    float or array
        Blocks; those that divide the keys of a long sequence among them count as one. [block]

    References
    ----------
    Dao 2023, arXiv:2307.08691, section 3.2.

    Examples
    --------
    >>> attention_blocks(4, 1024, 32, 8, 128), attention_blocks(4, 1, 32, 8, 128)
    (1024.0, 32)
    """
    return sequences * largest(queries * heads / tile, key_heads)


@formula(
    "2 + where(group > 1, 1 + 2 * group, 1)",
    unit="1",
    source="huggingface/transformers:src/transformers/integrations/sdpa_attention.py@e2feb59b62",
)
def copied_reads(group: Numeric) -> Numeric:
    """Times that keys and values are moved where a cache is copied to grow and repeated for every query head.

    Parameters
    ----------
    group : float or array
        Query heads that share a key head. [head]

    Returns
    -------
    float or array
        Bytes moved over those of the cache. [1]

    References
    ----------
    huggingface/transformers, ``repeat_kv`` of ``integrations/sdpa_attention.py`` (read once, written for every query
    head) and ``torch.cat`` of ``cache_utils.py`` (read and written); the product reads what was written.

    Examples
    --------
    >>> copied_reads(1), copied_reads(4)
    (3, 11)
    """
    return 2 + choose(group > 1, 1 + 2 * group, 1)


@formula("moves * state * 4 / chunk", unit="byte/token", source="Dao & Gu 2024, arXiv:2405.21060, section 6")
def chunk_bytes(state: Numeric, chunk: float, moves: float) -> Numeric:
    """Traffic of the states between chunks of a recurrent mixer, for each token of one layer.

    Parameters
    ----------
    state : float or array
        State of a sample in one layer. [element]
    chunk : float
        Tokens between two states that are written, in fp32. [token]
    moves : float
        Times a state is written or read. [1]

    Returns
    -------
    float or array
        Traffic. [byte/token]

    References
    ----------
    Dao & Gu 2024, arXiv:2405.21060, section 6: states of chunks are computed, passed on, and read.

    Examples
    --------
    >>> chunk_bytes(524288.0, 256, 4)
    32768.0
    """
    return moves * state * 4 / chunk
