"""The parts a network is made of.

A network is a tuple of parts. Each part says how many parameters it holds and how many FLOPs it costs, given the
*streams*: how many tokens per sample go through it ("image", "text", "sample", ...). Because parameters, FLOPs, bytes,
messages and activations are all read off the same parts, they cannot contradict each other.

Conventions
-----------
- `name` is a path; its first segment is the place: ``embed/``, ``condition/``, ``block/`` (repeated layers, the part a
  pipeline divides), ``head/``, ``encoder/``, ``decoder/``.
- `rows`, `queries`, `keys`, `positions` are stream names. A stream is a count *per sample*; ``streams["batch"]`` is the
  number of samples. The stream ``"sample"`` is always 1: work done once a sample, such as timestep modulation.
- `repeat` is the number of copies, each with its own weights (usually the layers of one kind).
- `shard` says how tensor parallelism divides a linear part: ``column`` (outputs divided), ``row`` (inputs divided, an
  all-reduce of the outputs follows), ``replicated``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from costline.formulas.attention import attention_flops, causal_pairs, chunk_pairs, full_pairs, window_pairs
from costline.formulas.linear import convolution_flops, gemm_flops
from costline.numeric import Numeric, smallest, times

Streams: TypeAlias = Mapping[str, Numeric]
Kind: TypeAlias = Literal["linear", "attention", "convolution", "memory"]
Shard: TypeAlias = Literal["column", "row", "replicated"]
Mask: TypeAlias = Literal["full", "causal", "window", "chunk", "selected"]
Convention: TypeAlias = Literal["exact", "full"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Something with parameters or work: see the subclasses, each of which says what `kind` of kernel executes it."""

    kind: ClassVar[Kind]
    name: str
    repeat: int = 1

    @property
    def params(self) -> int:
        """Parameters of all copies. [parameter]"""
        return 0

    @property
    def active_params(self) -> int:
        """Parameters that one token uses: all of them but for a mixture of experts. [parameter]"""
        return self.params

    def flops(self, streams: Streams, convention: Convention = "exact") -> Numeric:
        """FLOPs of all copies for one forward pass of the whole batch. [FLOP]"""
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear(Part):
    """A dense layer ``y[rows, outputs] = x[rows, inputs] @ w + b``.

    `weights` is False for a product with a weight held elsewhere (a tied output head); `saves` is False when the
    backward pass needs no copy of the input of its own (keys and values share the queries' input).
    """

    kind: ClassVar[Kind] = "linear"
    inputs: int
    outputs: int
    rows: str
    bias: bool = True
    shard: Shard = "column"
    weights: bool = True
    saves: bool = True

    @property
    def params(self) -> int:
        return self.repeat * self.outputs * (self.inputs + self.bias) * self.weights

    def flops(self, streams: Streams, convention: Convention = "exact") -> Numeric:
        return self.repeat * gemm_flops(times(streams[self.rows], streams["batch"]), self.inputs, self.outputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertLinear(Part):
    """The same dense layer in each of `experts` experts, `active` of which a token visits."""

    kind: ClassVar[Kind] = "linear"
    inputs: int
    outputs: int
    experts: int
    active: int
    rows: str
    bias: bool = False
    shard: Shard = "column"
    saves: bool = True

    @property
    def params(self) -> int:
        return self.repeat * self.experts * self.outputs * (self.inputs + self.bias)

    @property
    def active_params(self) -> int:
        return self.repeat * self.active * self.outputs * (self.inputs + self.bias)

    def flops(self, streams: Streams, convention: Convention = "exact") -> Numeric:
        rows = streams["batch"] * streams[self.rows] * self.active
        return self.repeat * gemm_flops(rows, self.inputs, self.outputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention(Part):
    """Softmax attention without its projections (those are `Linear` parts).

    `sequences` names the stream that counts independent sequences in a sample (frames, for attention within a frame);
    `cache_width` is what a decoder keeps of one token in one layer, in elements: keys and values of all KV heads, or
    the latent of MLA; 0 where nothing is cached. `window` is the length of a sliding window, the query included, of a
    chunk (Llama 4), or the number of keys an indexer selects from all that are kept (``selected``).
    `crossed` is True where the keys are another stream's, such as a text's.
    """

    kind: ClassVar[Kind] = "attention"
    queries: str
    keys: str
    heads: int
    key_heads: int
    key_dim: int
    value_dim: int
    mask: Mask = "full"
    window: int = 0
    sequences: str = "sample"
    cache_width: int = 0
    crossed: bool = False

    @property
    def exchanged(self) -> bool:
        """Whether chips that share a sequence need each other's keys.

        A text is on all of them; along time a place is on one of them, as tokens are divided over places.
        """
        return not self.crossed and self.queries != "time"

    def pairs(self, streams: Streams, convention: Convention = "exact") -> Numeric:
        """Query-key pairs of one sequence. [pair]"""
        queries, keys = streams[self.queries], streams[self.keys]
        if convention == "full" or self.mask == "full":
            return full_pairs(queries, keys)
        if self.mask == "causal":
            return causal_pairs(queries, keys)
        if self.mask == "chunk":
            return chunk_pairs(queries, keys, self.window)
        return window_pairs(queries, keys, self.window)

    def kept(self, context: Numeric) -> Numeric:
        """Tokens a cache holds of a context: windows and chunks no more than their length, a selector all. [token]"""
        return smallest(context, self.window) if self.mask in {"window", "chunk"} else context

    def read(self, queries: Numeric, context: Numeric) -> Numeric:
        """Keys one pass over `queries` reads of a context. [token]"""
        if self.mask in {"window", "chunk"}:
            return smallest(context, self.window + queries - 1)
        return smallest(context, self.window * queries) if self.mask == "selected" else context

    def flops(self, streams: Streams, convention: Convention = "exact") -> Numeric:
        pairs = times(streams["batch"], streams[self.sequences]) * self.pairs(streams, convention)
        return times(attention_flops(pairs, self.heads, self.key_dim, self.value_dim), self.repeat)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearAttention(Part):
    """Attention through a state of `state_flops_per_token` FLOPs a token, independent of length (SANA, Mamba-like).

    `state` is what a decoder keeps of one sample in one layer, in elements, however long the context.
    """

    kind: ClassVar[Kind] = "attention"
    rows: str
    state_flops_per_token: int
    width: int
    state: int = 0

    def flops(self, streams: Streams, convention: Convention = "exact") -> Numeric:
        return self.repeat * streams["batch"] * streams[self.rows] * self.state_flops_per_token


@dataclass(frozen=True, slots=True, kw_only=True)
class Convolution(Part):
    """A convolution of any rank; `kernel` is the number of taps, `positions` the stream of output positions."""

    kind: ClassVar[Kind] = "convolution"
    inputs: int
    outputs: int
    kernel: int
    positions: str
    groups: int = 1
    bias: bool = True

    @property
    def params(self) -> int:
        return self.repeat * self.outputs * (self.kernel * self.inputs // self.groups + self.bias)

    def flops(self, streams: Streams, convention: Convention = "exact") -> Numeric:
        positions = streams["batch"] * streams[self.positions]
        return self.repeat * convolution_flops(positions, self.kernel, self.inputs, self.outputs, self.groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Elementwise(Part):
    """Memory-bound work: norms, activations, rotary embedding, residuals.

    `passes` counts how often a tensor of ``rows x width`` is read or written (a norm is 2, a residual sum 3); `eager`
    the same where nothing is fused and every operator is a kernel of its own, 0 where that is no different; `saves`
    how many such tensors the backward pass keeps; `held` the parameters (norm scales, tables); `shard` is ``column``
    where `width` is the output of a column-sharded layer (activations inside a feed-forward network, norms of query and
    key heads), which tensor parallelism divides.
    """

    kind: ClassVar[Kind] = "memory"
    rows: str
    width: int
    passes: float = 2
    eager: float = 0
    saves: float = 0
    held: int = 0
    shard: Shard = "replicated"

    @property
    def params(self) -> int:
        return self.repeat * self.held


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights(Part):
    """Parameters that are looked up or added, never multiplied: embedding tables, positions, learned tables.

    `rows` and `width` say how much of a lookup table a forward pass touches; leave them empty for plain vectors.
    """

    kind: ClassVar[Kind] = "memory"
    count: int
    rows: str = ""
    width: int = 0

    @property
    def params(self) -> int:
        return self.repeat * self.count
