"""Plans as stated: what no engine could run, or what says nothing about the question, is refused before it is timed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from math import prod
from typing import Any, Literal, TypeAlias

import numpy as np

from costline.errors import PlanError
from costline.models.network import Network
from costline.plan import Plan
from costline.precision import element_bytes
from costline.studies.space import divisors, experts_of, heads_of

Study: TypeAlias = Literal["training", "serving", "generation"]

TRAINING_ONLY = (
    "virtual", "zero", "shard_scope", "recompute", "recomputed", "micro_batch", "gradient_bytes", "optimizer_bytes",
)  # fmt: skip
GENERATION_ONLY = ("guidance", "reused", "vae_parallel", "vae_tile")
FOREIGN: Mapping[Study, tuple[str, ...]] = {
    "training": (*GENERATION_ONLY, "cache"),
    "serving": (*TRAINING_ONLY, *GENERATION_ONLY),
    "generation": TRAINING_ONLY,
}
"""Fields that change nothing in a study, so that stating one is a mistake."""
OFFLOADS: Mapping[Study, tuple[str, ...]] = {
    "training": ("none", "optimizer"),
    "serving": ("none",),
    "generation": ("none", "weights", "encoders"),
}
"""What each study can leave in host memory."""
ENDS = 2
"""Places of an interleaved pipeline that hold the embedding and the head instead of a layer: Llama 3 405B runs 126
layers in 16 stages of 8 places (Grattafiori et al. 2024, arXiv:2407.21783, section 3.3.2)."""
DEFAULTS = {row.name: row.default for row in fields(Plan)}


def check_stated(network: Network, fixed: Mapping[str, Any], study: Study) -> None:
    """Refuse what the user stated and `network` cannot be run with.

    Parameters
    ----------
    network : Network
        What is run.
    fixed : mapping
        Fields of the plan that the user stated; arrays are not looked into.
    study : {"training", "serving", "generation"}
        What it is run for.

    Raises
    ------
    PlanError
        With the field, the reason and what would be right.
    """
    told = {name: value for name, value in fixed.items() if not isinstance(value, np.ndarray)}
    for name in FOREIGN[study]:
        if told.get(name, DEFAULTS[name]) != DEFAULTS[name]:
            raise PlanError(f"{name}={told[name]}: {name} has no effect on {study}; leave it out")
    if not told.get("density", 1):
        raise PlanError("density=0: attention over no keys at all; write a share such as 0.25, or leave it out")
    if study == "serving" and told.get("density", 1) != 1:
        raise PlanError(f"density={told['density']}: no sparse attention is known for serving; leave it out")
    if told.get("recomputed", 1) != 1 and told.get("recompute") != "full":
        raise PlanError(f"recomputed={told['recomputed']} is a share of full recomputation; state recompute=full too")
    _check_narrow(network, told)
    if (offload := told.get("offload", "none")) not in OFFLOADS[study]:
        raise PlanError(f"offload={offload}: {study} knows {', '.join(OFFLOADS[study])}")
    _check_heads(network, told)
    _check_layers(network, told)
    _check_experts(network, told)


def _check_narrow(network: Network, told: Mapping[str, Any]) -> None:
    """Refuse a choice of parts for narrow formats where there are no such parts or no such formats."""
    narrow = told.get("narrow", DEFAULTS["narrow"])
    if narrow == DEFAULTS["narrow"]:
        return
    formats = [told.get(name, DEFAULTS[name]) for name in ("weights", "compute")]
    if all(isinstance(each, str) and element_bytes(each) >= 2 for each in formats):
        raise PlanError(f"narrow={narrow}: no format has fewer than 16 bits; state --precision, or leave narrow out")
    if narrow == "experts" and experts_of(network) == 1:
        raise PlanError(f"narrow=experts: {network.name} has no experts; leave it out")


def check_chips(plan: Plan, chips: Any) -> None:
    """Refuse degrees of parallelism that need more chips than there are; `data` is checked unless it is an array.

    Raises
    ------
    PlanError
        With the product.
    """
    data = 1 if isinstance(plan.data, np.ndarray) else plan.data
    if not np.any(np.asarray(plan.replica * data) > np.asarray(chips)):
        return
    least = f"{'as few as ' * isinstance(chips, np.ndarray)}{float(np.min(chips)):,.0f}"
    raise PlanError(f"the plan needs {_product(plan)} chips; there are {least}")


def grouped(plan: Plan) -> Any:
    """Whether groups of chips that share the experts of a layer divide the chips of a pipeline stage."""
    stage = plan.tensor * plan.context * plan.data
    return np.equal(stage % (plan.expert * plan.expert_split), 0) | (np.asarray(plan.expert) == 1)


def check_groups(plan: Plan) -> None:
    """Refuse expert parallelism whose groups leave chips over, or are larger than what there is.

    Raises
    ------
    PlanError
        With both numbers, and what would be right.
    """
    if np.all(grouped(plan)) or isinstance(plan.expert, np.ndarray):
        return
    stage, split = int(np.max(plan.tensor * plan.context * plan.data)), int(np.max(plan.expert_split))
    possible = ", ".join(str(size // split) for size in divisors(stage, stage) if size % split == 0)
    words = f"expert={plan.expert:,}" + (f" x expert_tensor={split}" if split > 1 else "")
    raise PlanError(
        f"{words}: the {stage:,} chips of one stage of the plan (tensor x context x data) cannot be divided into such "
        f"groups; expert may be {possible}"
    )


def _product(plan: Plan) -> str:
    """Chips of a plan as the product of its degrees."""
    names = ("tensor", "pipeline", "ulysses", "ring", "guidance", "data")
    degrees = {name: getattr(plan, name) for name in names}
    if any(isinstance(value, np.ndarray) for value in degrees.values()):
        return f"up to {float(np.max(plan.chips)):,.0f}"
    words = " x ".join(f"{name}={value:,}" for name, value in degrees.items() if value != 1)
    return f"{plan.chips:,}" if " x " not in words else f"{words} = {plan.chips:,}"


def _check_heads(network: Network, told: Mapping[str, Any]) -> None:
    shares = {name: told[name] for name in ("tensor", "ulysses") if told.get(name, 1) > 1}
    split = prod(shares.values())
    if split == 1 or isinstance(network.hidden_size, np.ndarray) or (heads := heads_of(network)) % split == 0:
        return  # a family of shapes, one a sample, is not looked into either
    words = " x ".join(f"{name}={value}" for name, value in shares.items())
    possible = ", ".join(map(str, divisors(heads, heads)))
    raise PlanError(f"{words}: {network.name} has {heads} heads, which divide by {possible}")


def _check_layers(network: Network, told: Mapping[str, Any]) -> None:
    stages, virtual = told.get("pipeline", 1), told.get("virtual", 1)
    if virtual > 1 and told.get("pipeline") == 1:
        raise PlanError(f"virtual={virtual}: a pipeline of one stage has nothing to interleave")
    most = int(np.ceil(np.max(network.layers)))  # a family of shapes has layers in between
    if stages > most or stages * virtual > most + ENDS * (virtual > 1):
        words = f"pipeline={stages}" + (f" x virtual={virtual}" if virtual > 1 else "")
        raise PlanError(f"{words}: {network.name} has {most} layers")


def _check_experts(network: Network, told: Mapping[str, Any]) -> None:
    expert, experts = told.get("expert", 1), experts_of(network)
    if (split := told.get("expert_tensor") or 1) > 1 and not isinstance(experts, np.ndarray) and experts == 1:
        raise PlanError(f"expert_tensor={split}: {network.name} has no experts to divide")
    if expert == 1 or isinstance(experts, np.ndarray) or experts % expert == 0:
        return
    if experts == 1:
        raise PlanError(f"expert={expert}: {network.name} has no experts to divide")
    possible = ", ".join(map(str, divisors(experts, experts)))
    raise PlanError(f"expert={expert}: {network.name} has {experts} experts a layer, which divide by {possible}")
