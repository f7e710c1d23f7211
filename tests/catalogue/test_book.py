"""Names people type, and the clusters they make."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costline import catalogue
from costline.catalogue import chip_table
from costline.catalogue.names import AmbiguousNameError, plain, resolve
from costline.errors import InputError, QuantityError, UnknownNameError


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("H100-SXM", "h100-sxm"),
        ("h100 sxm", "h100-sxm"),
        ("gh200 144gb", "gh200-144gb"),
        ("m2", "m2-ultra"),
        ("rtx4090", "rtx-4090"),
        ("TPUv5p", "tpu-v5p"),
        ("tpu v5p", "tpu-v5p"),
    ],
)
def test_names_are_forgiving(typed, found):
    assert catalogue.chip(typed).id == found


@pytest.mark.parametrize(
    ("printed", "found"),
    [
        ("NVIDIA H100 80GB HBM3", "h100-sxm"), ("NVIDIA H100 PCIe", "h100-pcie"), ("NVIDIA H100 NVL", "h100-nvl"),
        ("NVIDIA A100-SXM4-80GB", "a100-sxm-80gb"), ("NVIDIA A100 80GB PCIe", "a100-pcie-80gb"),
        ("Tesla V100-SXM2-32GB", "v100-sxm-32gb"), ("NVIDIA GeForce RTX 4090", "rtx-4090"), ("NVIDIA L40S", "l40s"),
        ("NVIDIA RTX 6000 Ada Generation", "rtx-6000-ada"), ("AMD Instinct MI300X", "mi300x"),
        ("NVIDIA H200", "h200-sxm"), ("NVIDIA RTX PRO 6000 Blackwell Server Edition", "rtx-pro-6000"),
        ("AMD Instinct MI325X OAM", "mi325x"), ("NVIDIA GH200 480GB", "gh200-96gb"),
        ("H100-SXM5-80GB", "h100-sxm"), ("NVIDIA H100 SXM5 80GB", "h100-sxm"), ("H200 SXM 141GB", "h200-sxm"),
    ],
)  # fmt: skip
def test_names_that_drivers_print_are_understood(printed, found):
    """As `nvidia-smi` and `rocm-smi` list cards."""
    assert catalogue.chip(printed).id == found
    assert catalogue.cluster(f"8x {printed}").chip.id == found


@pytest.mark.parametrize(
    ("hub", "name", "stored"),
    [
        ("meta-llama/Meta-Llama-3.1-8B-Instruct", "llama-3.1-8b", None),
        ("Qwen/Qwen3-32B-FP8", "qwen3-32b", "fp8"),
        ("deepseek-ai/DeepSeek-R1-0528", "deepseek-r1", "fp8"),
        ("nvidia/DeepSeek-R1-FP4", "deepseek-r1", "fp4"),
        ("TheBloke/Llama-2-70B-chat-AWQ", "llama-2-70b", "int4"),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", "llama-4-scout", None),
        ("google/gemma-3-27b-it", "gemma-3-27b", None),
        ("Qwen/Qwen2.5-7B-Instruct-GPTQ-Int4", "qwen2.5-7b", "int4"),
        ("mistralai/Mistral-7B-Instruct-v0.2", "mistral-7b-v0.2", None),
    ],
)
def test_checkpoints_have_the_shape_of_their_model_and_the_format_they_name(hub, name, stored):
    """Names of repositories on the Hugging Face hub."""
    assert catalogue.model(hub).parts == catalogue.model(name).parts
    told = catalogue.shipped.stored_format(hub)
    assert (told and told[0].weights) == stored


def test_gptq_of_eight_bits_quantises_weights_only():
    """As its config.json says: quant_method gptq, bits 8, no activations."""
    told, _ = catalogue.shipped.stored_format("Qwen/Qwen2.5-7B-Instruct-GPTQ-Int8")
    assert (told.weights, told.products) == ("int8", "bf16")
    told, _ = catalogue.shipped.stored_format("RedHatAI/Llama-3.1-8B-Instruct-W8A8")
    assert (told.weights, told.products) == ("int8", "")


@pytest.mark.parametrize("other", ["llama-3.1-8b-instructed", "llama-3.1-8b-fp9", "someone/else-8b-instruct", "-fp8"])
def test_other_endings_are_not_guessed_at(other):
    with pytest.raises(UnknownNameError):
        catalogue.model(other)


def test_a_beginning_that_fits_several_chips_lists_them():
    with pytest.raises(AmbiguousNameError, match=r"h100-pcie.*h100-nvl") as caught:
        catalogue.chip("h100")
    assert "h100-sxm" in caught.value.nearest


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("h10-sxm", "h100-sxm"),
        ("a100-80gb", "a100-sxm-80gb"),
        ("4090", "rtx-4090"),
        ("mi355", "mi355x"),
        ("8h100", "8xh100-sxm"),
        ("nvidia h100", "h100-pcie"),
    ],
)
def test_unknown_chips_suggest_the_nearest(typed, near):
    with pytest.raises(UnknownNameError, match=near):
        catalogue.chip(typed)


@pytest.mark.parametrize(
    ("typed", "near"),
    [("gpt-17", {"gpt-175b"}), ("gpt-35", {"gpt-350m"})],
)
def test_a_name_cut_inside_a_word_is_another_model_and_never_taken(typed, near):
    with pytest.raises(UnknownNameError) as caught:
        catalogue.model(typed)
    assert near <= set(caught.value.nearest)


def test_gpt_3_is_not_the_first_name_that_begins_so():
    assert catalogue.model("gpt-3").params == pytest.approx(175e9, rel=0.005)  # Brown et al. 2020, table 2.1; not 350M
    assert catalogue.model("gpt-2").params == 124439808  # the checkpoint that is called gpt2


def test_first_words_that_a_chip_and_a_system_share_name_neither():
    with pytest.raises(AmbiguousNameError, match=r"dgx-spark.*dgx-h100"):
        catalogue.cluster("8xdgx")


@given(st.text(max_size=30))
def test_any_text_is_a_chip_or_a_clean_refusal(text):
    with contextlib.suppress(InputError):
        assert catalogue.chip(text).id


@given(st.sampled_from(sorted(chip_table.shipped_chip_facts())), st.randoms())
def test_names_are_found_in_any_case(name, random):
    typed = "".join(random.choice((each.upper(), each.lower())) for each in name)
    assert resolve("chip", typed, chip_table.shipped_chip_facts()) == name
    assert plain(plain(typed)) == plain(typed)


def test_eight_h100_get_the_links_of_a_dgx():
    cluster = catalogue.cluster("8xh100-sxm")  # 900 GB/s NVLink both ways, a 400 Gb/s port a chip, 10.2 kW
    assert (cluster.chips, cluster.domain, cluster.system) == (8, 8, "dgx-h100")
    assert cluster.scale_up == 450e9
    assert cluster.scale_out == 50e9
    assert cluster.power == pytest.approx(10.2e3 / 8)


@pytest.mark.parametrize(
    ("text", "chip", "chips", "domain"),
    [
        ("h100-sxm", "h100-sxm", 1, 8),
        ("16384xh100-sxm", "h100-sxm", 16384, 8),
        ("2xdgx-h100", "h100-sxm", 16, 8),
        ("gb200-nvl72", "gb200", 72, 72),
        ("4xaws-p5:h200-sxm", "h200-sxm", 32, 8),
        ("64xtpu-v5e", "tpu-v5e", 64, 256),
        ("4xrtx-4090", "rtx-4090", 4, 8),
    ],
)
def test_clusters(text, chip, chips, domain):
    cluster = catalogue.cluster(text)
    assert (cluster.chip.id, cluster.chips, cluster.domain) == (chip, chips, domain)


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("8xh1000-sxm", UnknownNameError, "h100-sxm"),
        ("2xdgx-h200", UnknownNameError, "hgx-h200"),
        ("aws-p5", InputError, "aws-p5:h100-sxm or aws-p5:h200-sxm"),
        ("aws-p5:b200", UnknownNameError, "chip of aws-p5"),
        ("0xh100-sxm", QuantityError, "from 1"),
        ("", QuantityError, "empty"),
    ],
)
def test_clusters_that_cannot_be_read(text, error, says):
    with pytest.raises(error, match=says):
        catalogue.cluster(text)


def test_every_shipped_system_makes_a_cluster():
    for system in catalogue.systems().values():
        for chip in system.chips:
            if chip in catalogue.chips():
                assert catalogue.cluster(f"2x{system.id}:{chip}").chips == 2 * system.n_chips
