"""Groups of parts that many families share.

Elementwise passes count 16-bit tensors. Eager ones follow the modules of transformers and diffusers operator by
operator, where a tensor in fp32 counts twice.
"""

from __future__ import annotations

from costline.models.parts import Attention, Elementwise, Linear, Mask, Part

EAGER_RMS = 17
"""Passes of an RMSNorm in fp32: cast (3), square (4), mean (2), product (4), cast (3), product with the scale (2), less
the one that a fused kernel of the mean saves."""
EAGER_ROTARY = 20
"""Passes of a rotary embedding in fp32: cast (3), two products with cosine and sine (8), their sum (6), cast (3)."""
EAGER_ADAPTIVE = 6
"""Passes of a norm (2), a scale (2) and a shift (2)."""


def norm(name: str, width: int, rows: str, *, repeat: int = 1, bias: bool = False, affine: bool = True) -> Elementwise:
    """RMSNorm (scale only) or LayerNorm (`bias=True`): read, write; the input is kept for the backward pass.

    PyTorch has a kernel for LayerNorm; RMSNorm is written out in fp32.
    """
    held = width * (1 + bias) if affine else 0
    eager = 2 if bias or not affine else EAGER_RMS
    return Elementwise(name=name, rows=rows, width=width, passes=2, eager=eager, saves=1, held=held, repeat=repeat)


def residual(name: str, width: int, rows: str, *, repeat: int = 1) -> Elementwise:
    """Residual sum: two reads, one write."""
    return Elementwise(name=name, rows=rows, width=width, passes=3, repeat=repeat)


def adaptive_norm(name: str, width: int, rows: str, *, repeat: int = 1, held: int = 0) -> Elementwise:
    """Norm without scale, then shift and scale from the timestep: two reads, two writes; both inputs are kept.

    `held` counts parameters of a table added to the modulation (AdaLN-single) or of an affine norm.
    """
    return Elementwise(
        name=name, rows=rows, width=width, passes=4, eager=EAGER_ADAPTIVE, saves=2, held=held, repeat=repeat
    )  # fmt: skip


def gated_residual(name: str, width: int, rows: str, *, repeat: int = 1) -> Elementwise:
    """Residual sum of a gated branch: the product is written, then summed; the branch is kept for the gate."""
    return Elementwise(name=name, rows=rows, width=width, passes=5, saves=1, repeat=repeat)


def rotary(name: str, width: int, rows: str, *, repeat: int = 1) -> Elementwise:
    """Rotary embedding of queries or keys of `width` over all heads: read, write."""
    return Elementwise(
        name=name, rows=rows, width=width, passes=2, eager=EAGER_ROTARY, repeat=repeat, shard="column"
    )  # fmt: skip


def head_norm(
    name: str, width: int, rows: str, *, repeat: int = 1, held: int = 0, centred: bool = False
) -> Elementwise:
    """Norm of queries or keys of `width` over all heads; `held` is its scale (one head's or all heads').

    `centred` is True for LayerNorm, which takes the mean off and is one kernel.
    """
    return Elementwise(
        name=name, rows=rows, width=width, passes=2, eager=2 if centred else EAGER_RMS, saves=1, held=held,
        repeat=repeat, shard="column",
    )  # fmt: skip


def feed_forward(
    name: str, width: int, hidden: int, rows: str, *, repeat: int = 1, gated: bool = False, bias: bool = True
) -> tuple[Part, ...]:
    """Two-matrix (GELU) or three-matrix (SwiGLU, GEGLU) feed-forward network."""
    parts: list[Part] = [
        Linear(name=f"{name}/up", inputs=width, outputs=hidden, rows=rows, bias=bias, repeat=repeat),
        Linear(name=f"{name}/down", inputs=hidden, outputs=width, rows=rows, bias=bias, repeat=repeat, shard="row"),
        Elementwise(
            name=f"{name}/activation",
            rows=rows,
            width=hidden,
            passes=3 if gated else 2,
            eager=5 if gated else 2,
            saves=2 if gated else 1,
            repeat=repeat,
            shard="column",
        ),
    ]
    if gated:
        gate = Linear(
            name=f"{name}/gate", inputs=width, outputs=hidden, rows=rows, bias=bias, repeat=repeat, saves=False
        )
        parts.insert(0, gate)
    return tuple(parts)


def attention(
    name: str,
    width: int,
    heads: int,
    head_dim: int,
    rows: str,
    *,
    repeat: int = 1,
    key_heads: int | None = None,
    keys: str | None = None,
    key_width: int | None = None,
    bias: bool = True,
    out_bias: bool | None = None,
    mask: Mask = "full",
    window: int = 0,
    cached: bool = False,
    core: tuple[str, str, str] | None = None,
) -> tuple[Part, ...]:
    """Projections and core of self-attention, or of cross-attention where `keys` (a stream) is given.

    `core` names the streams of the core (queries, keys, independent sequences) where they are not those of the
    projections: ``("space", "space", "time")`` for attention within each frame.
    """
    grouped = heads if key_heads is None else key_heads
    key_rows = rows if keys is None else keys
    key_inputs = width if key_width is None else key_width
    inner, key_inner = heads * head_dim, grouped * head_dim
    out = bias if out_bias is None else out_bias
    crossed = keys is not None
    core_keys = key_rows if crossed or not cached else "context"
    core_streams = (rows, core_keys, "sample") if core is None else core
    return (
        Linear(name=f"{name}/query", inputs=width, outputs=inner, rows=rows, bias=bias, repeat=repeat),
        Linear(
            name=f"{name}/key", inputs=key_inputs, outputs=key_inner, rows=key_rows, bias=bias, repeat=repeat,
            saves=crossed,
        ),
        Linear(
            name=f"{name}/value", inputs=key_inputs, outputs=key_inner, rows=key_rows, bias=bias, repeat=repeat,
            saves=False,
        ),
        Attention(
            name=f"{name}/core",
            queries=core_streams[0],
            keys=core_streams[1],
            sequences=core_streams[2],
            heads=heads,
            key_heads=grouped,
            key_dim=head_dim,
            value_dim=head_dim,
            mask=mask,
            window=window,
            repeat=repeat,
            cache_width=2 * key_inner if cached else 0,
            crossed=crossed,
        ),
        Linear(
            name=f"{name}/out", inputs=inner, outputs=width, rows=rows, bias=out, repeat=repeat, shard="row"
        ),
    )  # fmt: skip
