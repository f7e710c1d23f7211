"""Ask GenZ: one call for the prefill, one for the decode step."""

import warnings
from importlib.metadata import version

from GenZ import decode_moddeling, prefill_moddeling

import clock

warnings.simplefilter("ignore")
asked = clock.question()
FIXED = {"model": "llama3_8b", "system_name": "H100_GPU", "bits": "bf16", "tensor_parallel": 1}


def ask(number):
    lengths = {"batch_size": asked["batch"], "input_tokens": asked["input"] + number}
    first = prefill_moddeling(**lengths, **FIXED)
    # the mean context of the answer, as the other estimators take it
    later = decode_moddeling(**lengths, output_tokens=asked["output"] // 2, Bb=1, **FIXED)
    return first["Latency"] / 1e3, later["Latency"] / 1e3


ttft, tpot = ask(0)
clock.answer(
    version=version("genz-llm"), ttft=ttft, tpot=tpot, rate=clock.rate(ask), note="peaks, no efficiencies stated"
)  # fmt: skip
