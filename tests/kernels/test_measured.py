"""Kernels interpolated between measured shapes, against the curves that the measurements were made by."""

from __future__ import annotations

import numpy as np
import pytest

import costline
from costline.api.validated import nearest_note
from costline.catalogue import Catalogue
from costline.catalogue.validated_table import validated_cases
from costline.cli import BAD_INPUT, main
from costline.engine.loads import each_load
from costline.errors import InputError, UnknownNameError
from costline.hardware.cluster import Cluster
from costline.kernels import measured
from costline.kernels.measured import MeasuredKernels
from costline.kernels.tables import PACKAGE
from costline.models.parts import Attention, Linear
from costline.plan import Plan
from costline.studies.likeness import Question, likeness
from tests.kernels.files import BANDWIDTH, PEAK, all_reduce, attention, experts, gemm, together, write


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package with kernels of one chip."""
    root = tmp_path / PACKAGE
    for software, launch in (("vllm", 3e-6), ("sglang", 9e-6)):
        write(root, "h100_sxm", "gemm", software, "1.0", "gemm", gemm(launch=launch))
    for kernel in ("context", "generation"):
        columns = attention(kernel == "context")
        write(root, "h100_sxm", "attention", "vllm", "1.0", f"{kernel}_attention", columns)
    write(root, "h100_sxm", "moe", "vllm", "1.0", "moe", experts())
    write(root, "h100_sxm", "comm", "vllm", "1.0", "custom_allreduce", all_reduce())
    monkeypatch.syspath_prepend(str(tmp_path))
    caches = (measured.samples_of, measured.surface_of)
    for cache in caches:
        cache.cache_clear()
    yield root
    for cache in caches:
        cache.cache_clear()


CHIP = Catalogue().chip("h100-sxm")
ONE = Cluster(chip=CHIP, chips=1)
PLAIN = Plan()


def product(rows, inner=1024, outer=4096, plan=PLAIN):
    part = Linear(name="block/product", inputs=inner, outputs=outer, rows="rows", bias=False)
    (load,) = each_load([part], {"batch": 1, "sample": 1, "rows": rows}, plan)
    return MeasuredKernels().kernel(load, ONE, plan)


def curve(rows, inner, outer, launch):
    """The curve of `gemm` in `files`."""
    math = 2 * rows * inner * outer / (PEAK * 0.8) * (1 + 120 / inner) * (1 + 120 / outer)
    memory = 2 * (rows * inner + inner * outer + rows * outer) / (BANDWIDTH * 0.7)
    return np.minimum(together(math * (1 + 50 / rows), memory, launch), math + memory + launch)


@pytest.mark.parametrize(("engine", "launch"), [("vllm", 3e-6), ("sglang", 9e-6), ("", np.sqrt(27) * 1e-6)])
def test_a_measured_shape_takes_what_was_measured(package, engine, launch):
    """Without an engine the geometric mean: at one row it is near that of the launches."""
    found = product(2048, plan=Plan(software=engine))
    pair = [curve(2048, 1024, 4096, each) for each in (3e-6, 9e-6)]
    expected = curve(2048, 1024, 4096, launch) if engine else np.sqrt(pair[0] * pair[1])
    assert found == pytest.approx(expected, rel=1e-6)


def test_a_shape_between_is_near_the_curve(package):
    rows = np.array([3, 90, 1200, 6000])
    assert product(rows, 2048, 6144, Plan(software="vllm")) == pytest.approx(curve(rows, 2048, 6144, 3e-6), rel=0.06)


def test_arrays_and_numbers_are_the_same(package):
    rows = np.array([1, 7, 90, 1200, 100_000])
    assert product(rows) == pytest.approx([product(each) for each in rows.tolist()], rel=1e-12)


@pytest.mark.parametrize("tokens", [1, 4096])
def test_attention_of_a_new_token_and_of_a_prompt(package, tokens):
    """A batch of 8, 32 heads of width 128, 8 of keys, 4,096 tokens; curves of `attention` in `files`."""
    part = Attention(name="block/core", queries="new", keys="keys", heads=32, key_heads=8, key_dim=128, value_dim=128,
                     mask="causal", cache_width=2 * 8 * 128)  # fmt: skip
    (load,) = each_load([part], {"batch": 8, "sample": 1, "new": tokens, "keys": 4096}, Plan())
    pairs = 8 * (4096 if tokens == 1 else 4096 * 4097 / 2)
    moved = 8 * 128 * (4 * tokens * 32 + 2 * 2 * 4096 * 8)
    expected = together(4 * pairs * 32 * 128 / (PEAK * 0.5), moved / (BANDWIDTH * 0.6), 8e-6)
    expected = expected + 8 * max(tokens * 32 / 128, 8) * 2e-8
    assert MeasuredKernels().kernel(load, ONE, Plan()) == pytest.approx(expected, rel=0.15)


def test_messages_inside_a_domain_are_interpolated(package):
    from costline.engine.messages import Message

    cluster = Cluster(chip=CHIP, chips=8, domain=8)
    sent = 10 * 2 * 7 / 8 * 2**20
    found = MeasuredKernels().message(Message("tensor", sent, 10, 8, 1), cluster)
    assert found == pytest.approx(10 * (2 * 7 / 8 * 2**20 / (450e9 * 0.75) + 3 * 2e-6), rel=1e-3)


def test_what_was_not_measured_is_refused(package):
    with pytest.raises(InputError, match="gemm int8 was not measured on h100-sxm; measured: all_reduce bf16, context"):
        product(64, plan=Plan(weights="int8", compute="int8"))
    with pytest.raises(InputError, match="gemm bf16 was not measured on mi300x; measured: kernels of a100-sxm-80gb"):
        costline.serve("llama-3.1-8b", on="1xmi300x", kernels="measured")
    with pytest.raises(UnknownNameError, match="measured"):
        costline.serve("llama-3.1-8b", on="1xh100-sxm", kernels="mesured")


def test_an_answer_says_what_was_interpolated(package):
    found = costline.serve("mixtral-8x7b", on="4xh100-sxm", kernels="measured", plan="tensor=4")
    (said,) = (each for each in found.assumptions if each.name == "kernels")
    assert said.value == (
        "measured: all_reduce bf16, context bf16, experts bf16, gemm bf16, generation bf16; modelled: element-wise work"
    )


def test_an_answer_has_the_interval_of_cases_predicted_with_measured_kernels(package):
    """Its errors are not those of the model, nor are the cases it names."""
    cases = validated_cases("serve", measured=True)
    assert 0 < len(cases) < len(validated_cases("serve"))
    chip, found = CHIP, costline.serve("llama-3.1-8b", on="1xh100-sxm", kernels="measured", engine="vllm", batch=32)
    words = {"model": "llama-3.1-8b", "chip": chip.id, "family": chip.family, "vendor": chip.vendor, "software": "vllm",
             "format": "bf16"}  # fmt: skip
    numbers = {"params": 8030261248.0, "chips": 1.0, "batch": 32.0, "sequence": 1200.0}
    like = likeness(Question(targets=("serve, full engine",), words=words, numbers=numbers), cases)
    tpot = found.figures["tpot"]
    assert tpot.interval[1] == pytest.approx(tpot.value * like.high, rel=1e-6)
    near = [each.value for each in found.assumptions if each.name == "nearest"]
    assert near == [nearest_note(cases, row).value for row in like.nearest[: len(near)]]


def test_the_command(package, capsys):
    assert main(["serve", "llama-3.1-8b", "--on", "1xh100-sxm", "--kernels", "measured"]) == 0
    assert "kernels: measured: context bf16" in capsys.readouterr().out.replace("\n", " ")
    assert (
        main(["serve", "llama-3.1-8b", "--on", "1xh100-sxm", "--precision", "int8", "--kernels", "measured"])
        == BAD_INPUT
    )
