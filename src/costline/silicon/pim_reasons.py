"""Why a published figure of processing in memory is not predicted: what exactly its row does not state."""

from __future__ import annotations

from costline.catalogue.facts import PimFact

REASONS: tuple[tuple[str, str, str, str], ...] = (
    ("Samsung HBM-PIM", "speech recognition", "", "the share of matrix-vector products in RNN-T is not stated"),
    ("Samsung HBM-PIM", "T5-MoE", "", "size, batch and experts of T5-MoE are not stated"),
    ("Samsung HBM-PIM", "AI training", "", "the workload is not stated, and contradicts another statement"),
    ("Samsung LPDDR5-PIM", "speech", "", "the bandwidth outside is not stated, so no gain inside follows"),
    ("Samsung LPDDR5-PIM", "transformer LLM", "", "the bandwidth outside is not stated, so no gain inside follows"),
    ("Samsung LPDDR5-PIM", "", "power", "energies of a bit of LPDDR5 and of its banks are not in the tables"),
    ("Samsung AXDIMM", "", "", "neither the ranks of the module nor the kernel is stated"),
    ("Samsung CXL-PNM", "", "", "the paper's figures could not be read; the baseline is not stated"),
    ("CENT", "", "tokens per joule", "the power of CENT's devices is not stated"),
    (
        "NeuPIMs",
        "GPT3-30B",
        "",
        "utilisation follows from its simulator's scheduler, which is not stated",
    ),
    ("NeuPIMs", "power", "", "its power is a result of its simulator; 1.8 / 2.4 - 1 = -25 % is arithmetic"),
    ("NeuPIMs", "GPT3-7B", "", "the batch is not stated, and the gain changes with it"),
    ("NeuPIMs", "32 channels", "", "a configuration, no result; the rows above it use it"),
    ("IANUS", "", "", "sizes of GPT-2 and lengths behind the average are not stated"),
    ("UPMEM PIM-AI", "", "", "model, chips and prices behind the cost are not stated"),
    ("UPMEM", "", "", "kernels of PrIM are no transformer, and the CPU is not stated"),
    ("CD-PIM", "", "", "model, memory and baseline are not stated"),
    ("PAPI", "", "", "batch, lengths and chips are not stated"),
    ("L3", "", "", "model, lengths and batch of the largest gain are not stated"),
    ("PIM-GPT", "", "", "an average over eight models; memory channels and baseline chip are not stated"),
    ("PIM weight layout", "", "", "an input: the copies of weights of HBM-PIM"),
)
"""Device, words of the configuration, of the metric, and what is missing."""


def why_not(fact: PimFact) -> str:
    """What a row lacks to be predicted."""
    for device, config, metric, why in REASONS:
        if fact.device.startswith(device) and config in fact.config and metric in fact.metric:
            return why
    return "no reason is recorded"
