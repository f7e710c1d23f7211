"""Which number format each part of a network is stored and multiplied in, under a plan.

Fewer than 16 bits are for products: quantisers leave embeddings, norms and the router as they are, and the head too
unless told otherwise (AutoAWQ, GPTQModel, llm-compressor, ModelOpt, torchao's filter of FP8 training); some leave
attention as well (gpt-oss, DeepSeek in NVFP4), or all but the experts (Kimi-K2.5).
"""

from __future__ import annotations

from costline.models.parts import Convolution, ExpertLinear, Linear, Part
from costline.plan import Plan
from costline.precision import BLOCKS, element_bytes

FEED_FORWARD = frozenset({"mlp", "moe", "shared"})
"""Second steps of the names of parts of a feed-forward network."""


def narrowed(part: Part, plan: Plan) -> bool:
    """Whether formats of fewer than 16 bits apply to a part."""
    if plan.narrow == "all":
        return not isinstance(part, Convolution)
    if isinstance(part, ExpertLinear):
        return True
    if plan.narrow == "experts" or not isinstance(part, Linear):
        return False
    where, _, rest = part.name.partition("/")
    if where != "block" or part.name.endswith("/router"):
        return False
    return plan.narrow == "layers" or rest.partition("/")[0] in FEED_FORWARD


def weight_format(part: Part, plan: Plan) -> str:
    """Format in which the weights of a part are stored.

    Examples
    --------
    >>> head = Linear(name="head/logits", inputs=4096, outputs=128256, rows="tokens")
    >>> weight_format(head, Plan(weights="int4")), weight_format(head, Plan(weights="int4", narrow="all"))
    ('bf16', 'int4')
    """
    whole = plan.weights in BLOCKS or element_bytes(plan.weights) >= 2
    return plan.weights if whole or narrowed(part, plan) else plan.activation


def product_format(part: Part, plan: Plan) -> str:
    """Format of the operands of the products of a part."""
    return plan.compute if plan.compute == plan.activation or narrowed(part, plan) else plan.activation


def widened_from(stored: str, multiplied: str) -> str:
    """Format that weights are widened from for their products; empty where they are not."""
    return stored if element_bytes(stored) < element_bytes(multiplied) else ""
