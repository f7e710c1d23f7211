"""Why the models miss a published result: what the row counts that they do not, or the other way round."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

MISSED: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("MI210 matmul fp16", "M=64,K=N=12288"):
            "the measured time reads the weights at 0.54 of 1.6 TB/s, a third, where other chips reach three quarters",
        ("A100x4 all-reduce NVLink3", "size 32 KB"):
            "the library goes from its protocol of short messages to that of long ones; only the two ends are modelled",
        ("A100x4 all-reduce NVLink3", "size 1 MB"):
            "the library goes from its protocol of short messages to that of long ones: 33 of 300 GB/s after the "
            "latency; only the two ends are modelled",
        ("MAMF bf16 MI300X", "max achievable matmul"):
            "its software of that day reached 51 % of the peak, less than that of any other chip",
        ("MI300X BOM", "total"):
            "logic, memory and package match; the published bill counts no failed assembly and 13 % for test, here 11 "
            "bonds lose a fifth of the packages, as in the B200's bill, and test is 25 %, between its 10 and H100's 38",
        ("MI325X BOM", "total"):
            "less than the 5,300 that the same publisher states for the MI300X, which has three quarters of its memory",
        ("Groq LPU v1", "Llama-2-7B later software"):
            "24 us a layer, where the other row of this model takes 42 and larger dense models 37 and 38: its software "
            "improved, of which nothing is published",
        ("Groq LPU v1", "Mixtral 8x7B"):
            "480 tokens/s are 65 us a layer, 42 of dense models; to read all experts at once takes 36 with its "
            "exchanges, sending tokens to experts and back adds 4; how experts are placed is not published, and the "
            "same service was measured at 430 to 812 tokens/s",
        ("Groq LPU v1", "chips for 70B int8 (estimate)"):
            "an estimate in whole racks of 64, with room for caches and spares; 303 hold the weights",
        ("H20 vs A100/H100", "Llama2-13B fp16 batch 16 throughput"):
            "stated are nearly the ratios of bandwidth, 1.96 and 1.19; here a step also launches and schedules, for as "
            "long on each of the three, and that weighs most on the fastest memory",
    }
)  # fmt: skip
"""Anchor and quantity -> why the model is outside the tolerance."""


def why_missed(anchor: str, quantity: str) -> str:
    """The reason for a row outside its tolerance; empty where none is recorded."""
    return MISSED.get((anchor, quantity), "")
