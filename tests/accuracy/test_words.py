"""Words of sources: every one in the shipped tables is read, and read as stated."""

from __future__ import annotations

import pytest

from costline.accuracy.predict_generate import formats_of, parallel_degrees
from costline.accuracy.refusal import UnpredictableError
from costline.accuracy.rows import shipped_measurements
from costline.accuracy.words import number_format, release, year_at
from costline.catalogue import shipped
from costline.studies.software import attention_at


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("nvfp4 (MoE,O-proj)+fp8", "fp4"), ("mxfp4", "mxfp4"), ("Q4_K_M", "q4_k_m"), ("bfp8/bfp4 mix", "fp8"),
        ("bfp8", "fp8"), ("unstated (fp8 likely)", "fp8"), ("fp8-32x32 (mx)", "fp8"), ("bf16 (TE)", "bf16"),
        ("int4-g128", "int4"), ("k4v2", "int4"),
        ("Q6_K", "q6_k"), ("fp16/bf16 (not read)", "bf16"), ("int8 (AQT)", "int8"),
    ],
)  # fmt: skip
def test_formats(word, name):
    assert number_format(word, "weights") == name


@pytest.mark.parametrize("word", ["", "roman", "posit16x"])
def test_unknown_formats_are_refused(word):
    with pytest.raises(UnpredictableError):
        number_format(word, "weights")


def test_every_format_of_a_scored_row_is_read():
    for table, columns in (("train", ["dtype"]), ("serve", ["weight_dtype", "compute_dtype"]), ("generate", ["dtype"])):
        for row in shipped_measurements(table).rows:
            for column in columns if row.scored else ():
                assert number_format(getattr(row.conditions, column), column)


def test_every_parallelism_of_the_shipped_rows_is_read():
    for row in shipped_measurements("generate").rows:
        assert isinstance(parallel_degrees(row.conditions.parallelism), dict)


@pytest.mark.parametrize(
    ("words", "degrees"),
    [
        ("cfg2+ulysses2+ring2+pp1", {"guidance": 2, "ulysses": 2, "ring": 2}), ("usp4", {"ulysses": 4}),
        ("cfg2+pipefusion4", {"guidance": 2, "pipeline": 4}), ("ulysses2-async+npu-attn", {"ulysses": 2}),
        ("cfg2+ulysses4(unstated)", {"guidance": 2, "ulysses": 4}), ("tp4", {"tensor": 4}), ("dp4", {"data": 4}),
    ],
)  # fmt: skip
def test_parallelism(words, degrees):
    assert parallel_degrees(words) == degrees


def test_unknown_parallelism_is_refused():
    with pytest.raises(UnpredictableError, match="telepathy"):
        parallel_degrees("telepathy4")


def test_storage_formats_narrow_weights_and_dynamic_ones_products_too():
    assert formats_of("fp8-storage") == ("fp8", "bf16")
    assert formats_of("int8dq") == ("int8", "int8")


def test_attention_kernels_by_date():
    """FlashAttention 1, 2 and 3 appeared in May 2022, July 2023 and July 2024; the third runs on Hopper alone."""
    a100, h100, b200 = (shipped.chip(name) for name in ("a100-sxm-80gb", "h100-sxm", "b200"))

    def kernel(date, chip):
        return attention_at(year_at(date), chip)

    assert [kernel(date, a100) for date in ("2022-02-25", "2023-05..10", "2024-12")] == ["naive", "fa1", "fa2"]
    assert [kernel(date, h100) for date in ("~2023-12", "2025")] == ["fa2", "fa3"]
    assert kernel("2026-01", b200) == kernel("", h100) == kernel("2026", shipped.chip("mi300x")) == ""


def test_which_software_fuses():
    chip = shipped.chip("a100-sxm-80gb")

    def fuses(name, study="serve", said=frozenset()):
        return release(name, study, "2024", said, chip).compiled

    assert all(map(fuses, ("TensorRT-LLM (static)", "vLLM", "gpt-fast (torch.compile)", "llama.cpp (layer split)")))
    assert all(
        map(fuses, ("MLC LLM", "ExLlama", "AutoAWQ (fused modules)", "QServe", "Intel Gaudi software (PyTorch)"))
    )
    assert all(fuses(name, "train") for name in ("NeMo", "llm.q (CUDA/C++)"))
    assert fuses("stable-fast", "generate")
    assert fuses("MaxText", "train")
    assert not any(map(fuses, ("Deepspeed", "Transformers", "Megatron-LM (Triton)", "nobody's")))
    assert not fuses("diffusers", "generate")
    assert fuses("PyTorch FSDP (fms-fsdp)", "train", frozenset({"compiled"}))
    assert not fuses("vLLM XPU", "serve", frozenset({"eager"}))


def test_software_keeps_to_its_kernels():
    """llama.cpp of 2024 did not fuse attention unless asked to; vLLM used what there was."""
    chip = shipped.chip("h100-sxm")
    assert release("llama.cpp", "serve", "2024-05", frozenset(), chip).attention == "naive"
    assert release("vLLM", "serve", "2024-12", frozenset(), chip).attention == "fa3"
    assert release("vLLM", "serve", "2024-07 (blog)", frozenset(), chip).year == pytest.approx(2024.5)
    assert release("vLLM", "serve", "", frozenset(), chip).year == 0
