"""Ask llm-analysis. It takes the shares of peak arithmetic and bandwidth as inputs: 0.7 and 0.8 here."""

from importlib.metadata import version

from llm_analysis.analysis import LLMAnalysis
from llm_analysis.config import ModelConfig, ParallelismConfig, get_dtype_config_by_name, get_gpu_config_by_name
from llm_analysis.logger import logger

import clock

logger.setLevel("ERROR")
asked = clock.question()
llama = ModelConfig(
    name="llama-3.1-8b", num_layers=32, n_head=32, hidden_dim=4096, vocab_size=128256, max_seq_len=131072,
    num_key_value_heads=8, ffn_embed_dim=14336, expansion_ratio=3.5, model_type="llama",
)  # fmt: skip
analysis = LLMAnalysis(
    llama, get_gpu_config_by_name("h100-sxm-80gb"), get_dtype_config_by_name("w16a16e16"), ParallelismConfig(),
    flops_efficiency=0.7, hbm_memory_efficiency=0.8,
)  # fmt: skip


def ask(number):
    return analysis.inference(
        batch_size_per_gpu=asked["batch"], seq_len=asked["input"] + number, num_tokens_to_generate=asked["output"]
    )


found = ask(0)
clock.answer(
    version=version("llm-analysis"), ttft=found["prefill_latency"], tpot=found["decode_latency"], rate=clock.rate(ask),
    note="efficiencies of 0.7 and 0.8 stated",
)  # fmt: skip
