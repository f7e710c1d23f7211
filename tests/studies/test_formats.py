"""Formats: what a chip multiplies in, by its datasheet; what is stored only; what is refused."""

from __future__ import annotations

import pytest

import costline
from costline.catalogue import shipped
from costline.cli import main
from costline.errors import FormatError
from costline.hardware.chip import Chip
from costline.plan import Plan
from costline.studies.formats import check_products, settled_formats, widened

H100, A100, V100, B200 = (shipped.chip(name) for name in ("h100-sxm", "a100-sxm-80gb", "v100-sxm-32gb", "b200"))
"""NVIDIA's datasheets: Hopper has fp8 and int8 units and none for 4 bits; Ampere none for fp8; Volta only fp16."""


@pytest.mark.parametrize("precision", ["int4", "fp4", "mxfp4", "q4_k_m", "q8_0"])
def test_training_in_a_format_without_units_is_refused_with_those_there_are(precision):
    with pytest.raises(FormatError, match=f"h100-sxm states no rate for products in {precision}") as refused:
        costline.train("llama-3.1-8b", on="64xh100-sxm", tokens="1T", precision=precision)
    assert "it states fp32, tf32, bf16, fp16, fp8, int8; nearest: " in str(refused.value)


@pytest.mark.parametrize("plan", ["compute=fp8", {"compute": "fp8"}, Plan(compute="fp8")])
def test_products_stated_are_refused_in_every_study(plan):
    for study, more in ((costline.train, {"tokens": "1T"}), (costline.serve, {}), (costline.generate, {})):
        model = "wan2.1-t2v-1.3b" if study is costline.generate else "llama-3.1-8b"
        with pytest.raises(FormatError, match="a100-sxm-80gb states no rate for products in fp8"):
            study(model, on="a100-sxm-80gb", plan=plan, **more)


def test_weights_of_8_bits_are_widened_where_there_are_no_units_and_that_is_said():
    narrow = costline.serve("llama-3.1-8b", on="a100-sxm-80gb", precision="fp8")
    spelt = costline.serve("llama-3.1-8b", on="a100-sxm-80gb", plan="weights=fp8, compute=bf16")
    assert (narrow.inputs["weights"], narrow.inputs["compute"]) == ("fp8", "bf16")
    assert narrow["ttft"] == spelt["ttft"]
    assert narrow["tpot"] == spelt["tpot"]
    (said,) = [row.value for row in narrow.assumptions if row.name == "formats"]
    assert said == "weights fp8, products bf16 (a100-sxm-80gb states no rate for fp8)"


def test_weights_of_4_bits_are_stored_only_and_that_is_said(capsys):
    assert main(["serve", "llama-3.1-8b", "--on", "h100-sxm", "--precision", "int4"]) == 0
    assert "formats: weights int4, products bf16" in capsys.readouterr().out


def test_fp4_is_multiplied_in_fp4_where_there_are_units_and_widened_where_not():
    """NVFP4 quantises weights and activations (W4A4): Blackwell has units for it, Hopper none."""
    assert settled_formats({}, "fp4", B200, training=False) == ({"weights": "fp4", "compute": "fp4"}, "")
    fields, said = settled_formats({}, "fp4", H100, training=False)
    assert fields == {"weights": "fp4", "compute": "bf16"}
    assert said == "weights fp4, products bf16 (h100-sxm states no rate for fp4)"
    stored = {"weights": "fp4"}  # by itself: stored so, and widened, as NVFP4A16 is
    assert settled_formats(stored, None, B200, training=False)[0] == {"weights": "fp4", "compute": "bf16"}


@pytest.mark.parametrize("precision", ["mxfp4", "int4"])
def test_formats_of_weights_only_are_widened_even_where_there_are_units(precision):
    fields, said = settled_formats({}, precision, B200, training=False)
    assert fields == {"weights": precision, "compute": "bf16"}
    assert said == f"weights {precision}, products bf16"


@pytest.mark.parametrize("asked", [{"precision": "int4"}, {"plan": "weights=int4"}])
def test_llama_cpp_stores_4_bits_in_its_own_format_and_that_is_said(asked):
    """The README of llama.cpp's quantize lists Q4_K_M among its formats, and no int4."""
    place = {"on": "h100-sxm", "engine": "llama.cpp"}
    asked = costline.serve("llama-3.1-8b", **place, **asked)
    own = costline.serve("llama-3.1-8b", **place, precision="q4_k_m")
    assert asked.inputs["weights"] == "q4_k_m"
    assert asked["tpot"] == own["tpot"]
    (said,) = [row.value for row in asked.assumptions if row.name == "formats"]
    assert "q4_k_m is what llama.cpp runs for int4" in said
    assert costline.serve("llama-3.1-8b", on="h100-sxm", engine="vllm", precision="int4").inputs["weights"] == "int4"


def test_where_everything_is_as_asked_nothing_is_said():
    fp8 = costline.serve("llama-3.1-8b", on="h100-sxm", precision="fp8")
    assert (fp8.inputs["weights"], fp8.inputs["compute"]) == ("fp8", "fp8")
    assert not any(row.name == "formats" for row in fp8.assumptions)


def test_a_chip_without_the_usual_format_takes_its_own_and_says_so():
    found = costline.train("llama-3.1-8b", on="64xv100-sxm-32gb", tokens="1B")
    assert found.inputs["compute"] == "fp16"
    assert any("v100-sxm-32gb states no rate for bf16" in str(row.value) for row in found.assumptions)
    with pytest.raises(FormatError, match="nearest: fp16"):
        costline.train("llama-3.1-8b", on="64xv100-sxm-32gb", tokens="1B", precision="bf16")


def test_mxfp4_is_multiplied_by_the_units_of_fp4():
    chip = Chip(id="own", name="own", peak={"bf16": 1e15, "fp4": 4e15}, memory=1e11, memory_bandwidth=1e12)
    assert widened(chip, "mxfp4") == ("mxfp4", "")
    assert chip.rate("mxfp4") == 4e15
    check_products(chip, "mxfp4")


@pytest.mark.parametrize("precision", [None, "bf16", "fp16", "fp8", "int8", "int4", "fp4", "mxfp4", "q4_k_m"])
@pytest.mark.parametrize("chip", [H100, A100, V100], ids=lambda chip: chip.id)
def test_no_format_is_counted_at_the_rate_of_another_without_a_word(chip, precision):
    fields, said = settled_formats({}, precision, chip, training=False)
    assert chip.multiplies(fields["compute"])
    stored = fields.get("weights", "bf16")
    assert stored == (precision or stored)
    assert bool(said) is (stored != fields["compute"] or (precision is None and fields["compute"] != "bf16"))


def test_a_search_over_formats_leaves_out_what_a_chip_does_not_multiply_in():
    asked = {"tokens": "1B", "precision": ["bf16", "fp8"]}
    found = costline.find_plan("train", "llama-3.1-8b", on=["8xh100-sxm", "8xa100-sxm-80gb"], **asked)
    (left_out,) = [row.value for row in found.assumptions if row.name == "left out"]
    assert "a100-sxm-80gb states no rate for products in fp8" in left_out
    with pytest.raises(FormatError):
        costline.find_plan("train", "llama-3.1-8b", on="8xa100-sxm-80gb", tokens="1B", precision="fp8")


def test_rooflines_say_in_which_format_a_chip_multiplies(capsys):
    assert (
        main(["chip", "compare", "a100-sxm-80gb", "h100-sxm", "--workload", "llama-3.1-8b", "--precision", "fp8"]) == 0
    )
    out = capsys.readouterr().out
    assert "a100-sxm-80gb: weights fp8, products bf16 (a100-sxm-80gb states no rate for fp8)" in out.replace("\n", " ")
    assert "h100-sxm: weights" not in out
