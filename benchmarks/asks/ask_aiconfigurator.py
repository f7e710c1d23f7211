"""Ask AIConfigurator: a static batch on TensorRT-LLM."""

import logging
from importlib.metadata import version

from aiconfigurator.cli.api import cli_estimate

import clock

logging.disable(logging.CRITICAL)
asked = clock.question()


def ask(number):
    return cli_estimate(
        "meta-llama/Meta-Llama-3.1-8B", "h100_sxm", mode="static", backend_name="trtllm", isl=asked["input"] + number,
        osl=asked["output"], batch_size=asked["batch"], tp_size=1, pp_size=1,
    )  # fmt: skip


found = ask(0)
clock.answer(
    version=version("aiconfigurator"), ttft=found.ttft / 1e3, tpot=found.tpot / 1e3, rate=clock.rate(ask, 5.0),
    note="TensorRT-LLM, measured kernels",
)  # fmt: skip
