"""How a network is run: number formats, parallelism, recomputation, kernels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from costline.numeric import Array, Numeric, choose, floor_divide
from costline.precision import Narrow, element_bytes

Recompute: TypeAlias = Literal["none", "selective", "full"]
Scope: TypeAlias = Literal["all", "domain"]
Offload: TypeAlias = Literal["none", "optimizer", "weights", "encoders"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a network is run.

    Chips are numbered with tensor parallelism innermost, then Ulysses, ring, guidance, data, and pipeline outermost;
    that order decides which group stays inside a scale-up domain.

    Numeric fields, `recompute` and `shard_scope` may be arrays.

    Attributes
    ----------
    weights, compute, cache : str
        Formats of the stored weights, of the operands of matrix products, of the KV cache. Weights narrower than
        `compute` are widened on the fly (weight-only quantisation): they save bytes, not FLOPs; wider ones are
        narrowed (fp8 training).
    narrow : {"layers", "feed-forward", "experts", "all"}
        What formats of fewer than 16 bits apply to: all products of the layers, those of their feed-forward networks,
        of the experts only, or the embedding and the head too.
    tensor, pipeline, virtual, data, ulysses, ring, expert, guidance : int or array
        Degrees of parallelism; `virtual` is the model chunks of a pipeline stage, `ulysses` and `ring` are the two
        kinds of context parallelism, `expert` the chips that share the experts of a layer.
    expert_tensor : int, array or None
        Chips that share one expert. None: experts stay whole if there is expert parallelism, else `tensor`.
    sequence_parallel : bool
        Norms and residuals divided along the tensor group (Korthikanti et al. 2022).
    zero : int or array
        ZeRO stage: 0 none, 1 optimizer, 2 gradients too, 3 weights too (FSDP).
    shard_scope : {"all", "domain"} or array
        ZeRO shards over all data-parallel ranks or only inside a scale-up domain (hybrid sharding).
    recompute : {"none", "selective", "full"} or array
        What the backward pass computes again.
    recomputed : float or array
        Share of the layers that full recomputation covers. [1]
    micro_batch : int or array
        Samples of one forward pass and replica. [sample]
    attention : str
        Attention kernel generation: naive, fa1, fa2, fa3, ...; empty lets the chip decide.
    compiled : bool
        Element-wise work fused (torch.compile, an inference engine) or not (eager).
    software : str
        Engine or framework, an id of the catalogue's table of software; empty: not stated.
    year : float
        When that software was released, 2024.5 for July 2024; 0: not stated. [year]
    gradient_bytes, optimizer_bytes : float
        Bytes a parameter; 12 is Adam with an fp32 copy of the weights. [byte]
    offload : {"none", "optimizer", "weights", "encoders"}
        What waits in host memory.
    density : float or array
        Share of attention pairs a sparse kernel computes. [1]
    reused : float or array
        Share of diffusion evaluations whose result a cache reuses. [1]
    vae_parallel, vae_tile : int
        Chips that share an autoencoder pass; edge of a spatial tile, 0 for none. [chip, pixel]
    """

    weights: str = "bf16"
    compute: str = "bf16"
    cache: str = "bf16"
    narrow: Narrow = "layers"
    tensor: Numeric = 1
    pipeline: Numeric = 1
    virtual: Numeric = 1
    data: Numeric = 1
    ulysses: Numeric = 1
    ring: Numeric = 1
    expert: Numeric = 1
    guidance: Numeric = 1
    expert_tensor: Numeric | None = None
    sequence_parallel: bool = True
    zero: Numeric = 0
    shard_scope: Scope | Array = "all"
    recompute: Recompute | Array = "none"
    recomputed: Numeric = 1.0
    micro_batch: Numeric = 1
    attention: str = ""
    compiled: bool = True
    software: str = ""
    year: float = 0.0
    gradient_bytes: float = 2.0
    optimizer_bytes: float = 12.0
    offload: Offload = "none"
    density: Numeric = 1.0
    reused: Numeric = 0.0
    vae_parallel: Numeric = 1
    vae_tile: int = 0

    def __post_init__(self) -> None:
        for precision in (self.weights, self.compute, self.cache):
            element_bytes(precision)

    @property
    def context(self) -> Numeric:
        """Chips that share one sequence, both kinds of context parallelism. [chip]"""
        return self.ulysses * self.ring

    @property
    def replica(self) -> Numeric:
        """Chips of one replica of the model. [chip]"""
        return self.tensor * self.pipeline * self.context * self.guidance

    @property
    def chips(self) -> Numeric:
        """Chips of all replicas. [chip]"""
        return self.replica * self.data

    @property
    def expert_shards(self) -> Numeric:
        """Chips over which the weights of one layer's experts are divided. [chip]"""
        return self.expert * self.expert_split

    @property
    def expert_split(self) -> Numeric:
        """Chips that share one expert. [chip]"""
        if self.expert_tensor is not None:
            return self.expert_tensor
        return choose(self.expert > 1, 1, self.tensor)

    @property
    def activation(self) -> str:
        """Format of activations between kernels and of attention: 16 bits where products run in fewer."""
        return "bf16" if element_bytes(self.compute) < 2 else self.compute

    def refined(self, qualifier: str) -> str:
        """Qualifier of a coefficient that may differ between engines and frameworks."""
        return f"{qualifier}/{self.software}" if self.software else qualifier

    def spread(self, chips: Numeric) -> Plan:
        """Return the plan with as many replicas as fit on `chips`."""
        return replace(self, data=floor_divide(chips, self.replica))
