"""Processing in memory against published figures, silicon and simulations apart, and against its limits."""

from __future__ import annotations

import numpy as np
import pytest

from costline.catalogue import pim_facts, shipped
from costline.engine.passes import Machine
from costline.errors import InputError, UnknownNameError
from costline.formulas.pim import row_efficiency
from costline.plan import Plan
from costline.silicon.lineup import line_up
from costline.silicon.pim import decode_split, device, devices
from costline.silicon.pim_cent import busy_share
from costline.silicon.pim_reasons import why_not
from costline.silicon.pim_rows import attacc_gain, predictions, whole_request

ROWS = predictions()


def split(name, batch, memory, context=2000, chips=1):
    machine = Machine(shipped.cluster(f"{chips}xa100-sxm-80gb"), shipped.efficiency(), Plan(tensor=chips))
    return decode_split(shipped.model(name), context, batch, machine, device(memory))


def predicted(words, metric=""):
    (row,) = (row for row in ROWS if words in row.config and metric in row.metric and row.predicted is not None
              and not (words in {"Llama2-7B", "Llama2-13B", "Llama2-70B"} and row.config != words))  # fmt: skip
    return row


def test_every_row_is_predicted_or_says_why():
    assert {(row.device, row.config) for row in ROWS} == {(fact.device, fact.config) for fact in pim_facts()}
    assert all(row.how for row in ROWS)
    assert sum(row.predicted is not None for row in ROWS) == 39
    assert {row.evidence for row in ROWS} == {"silicon", "simulation", "vendor"}


@pytest.mark.parametrize(
    ("words", "metric", "tolerance"),
    [
        ("300 MHz", "compute", 0.05),
        ("U280 GEMV", "", 0.1),
        ("1 PIM block", "", 0.01),
        ("1 GHz PU", "", 0.01),
        ("certain computation", "", 0.01),
        ("Llama2-7B max batch", "throughput, prefill", 0.15),
        ("Llama2-13B max batch", "throughput, prefill", 0.15),
        ("Llama2-70B max batch", "throughput, prefill", 0.15),
        ("Llama2-7B max batch", "throughput, decode", 0.35),
        ("Llama2-13B max batch", "throughput, decode", 0.35),
        ("Llama2-70B max batch", "throughput, decode", 0.35),
        ("Llama2-7B max batch", "throughput, end", 0.3),
        ("Llama2-13B max batch", "throughput, end", 0.3),
        ("Llama2-70B max batch", "throughput, end", 0.3),
        ("Llama2-7B batch 1", "", 0.2),
        ("Llama2-13B batch 1", "", 0.4),
        ("Llama2-7B", "tokens per dollar", 0.3),
        ("Llama2-13B", "tokens per dollar", 0.3),
        ("Llama2-70B", "tokens per dollar", 0.3),
        ("Llama2-7B 512/3584", "tokens/s, prefill", 0.15),
        ("Llama2-13B 512/3584", "tokens/s, decode", 0.15),
        ("7 nm die 18.96", "", 0.1),
        ("GPT-3 variants", "NPU+PIM", 0.35),
        ("GPT3-30B", "NPU / PIM", 0.1),
        ("in-bank read", "", 0.01),
        ("per-stack 670", "", 0.35),
        ("175B TbGM", "", 0.3),
    ],
)
def test_rows(words, metric, tolerance):
    row = predicted(words, metric)
    assert abs(row.error) <= tolerance, (row.stated, row.predicted)


@pytest.mark.parametrize(("level", "published"), [("bank", 9), ("bank-group", 3), ("buffer", 1)])
def test_the_power_limit_of_attacc(level, published):
    """AttAcc: the power of ordinary reads leaves 9, 3 and 1 times the bandwidth of the interface."""
    assert attacc_gain(level) == pytest.approx(published, rel=0.35)


def test_gains_of_kernels_shrink_end_to_end():
    """HBM-PIM: a kernel may gain 4 times; a request gains less, and nothing in a large batch of a GQA model."""
    gains = split("llama-2-70b", np.array([1, 2, 4, 8, 64]), "hbm-pim", chips=4).speedup
    assert gains[0] < device("hbm-pim").gain
    assert np.all(np.diff(gains[:4]) < 0)
    assert gains[-1] == pytest.approx(1.0)
    assert 1 < whole_request() < device("hbm-pim").gain


def test_a_whole_request_on_silicon():
    """Samsung: at most 1.9 times for LLMs, of which 60 to 80 % are matrix-vector products: 1.78 to 2.39 times here."""
    (row,) = (row for row in ROWS if "transformer LLMs" in row.config)
    assert row.bound
    assert row.stated == 1.9
    reads = shipped.efficiency().value("memory", shipped.chip("v100-sxm-32gb"))
    assert row.predicted == pytest.approx(1 / (0.3 + 0.7 / (4 * 0.739 / reads)), rel=0.001)
    assert row.error < 0.15


def test_rows_of_hbm_pim_from_timing():
    """HBM2: rows of 1 KB, 32 bytes at 300 MHz, tRCD + tRP 28 ns, refresh 260 of 3,900 ns; U280: 2.8 of 4."""
    reached = row_efficiency(32, 1 / 300e6, 14e-9, 14e-9, 260e-9, 3900e-9)
    assert device("hbm-pim").efficiency == pytest.approx(reached, abs=1e-3)
    assert 4 * reached == pytest.approx(2.8, rel=0.1)


def test_reasons_are_of_the_row_they_are_given_for():
    made = {(row.device, row.config) for row in ROWS if row.predicted is not None}
    missing = [fact for fact in pim_facts() if (fact.device, fact.config) not in made]
    assert missing
    assert all(why_not(fact) != "no reason is recorded" for fact in missing)


def test_blocks_of_cent_fill_its_channels():
    """80 blocks of 70B on 32 devices of 32 channels: three a device, ten channels each; 7B and 13B fill all."""
    assert busy_share("Llama2-70B") == pytest.approx(80 * 10 / (32 * 32))
    assert busy_share("Llama2-7B") == busy_share("Llama2-13B") == 1


def test_cent_stands_alone():
    with pytest.raises(InputError, match="works without a processor"):
        line_up(["l20+cent"], [], [], shipped)


def test_attention_of_grouped_queries_stays_on_the_chip():
    """Eight query heads share a key in Llama-2-70B: 8 FLOP a byte is more than the 4 times bandwidth is worth."""
    grouped = split("llama-2-70b", 64, "hbm-pim", chips=4)
    own = split("llama-2-7b", 64, "hbm-pim")
    assert grouped.moved == 0
    assert own.moved > 0


def test_no_step_is_slower_with_it():
    for name in devices():
        assert np.all(split("llama-2-7b", np.array([1, 8, 64, 256]), name).speedup >= 1 - 1e-12)


def test_prefill_is_lost():
    """CENT: prefill at 0.33 to 0.46 of the GPUs'; every token reads all weights again."""
    prefill = [row for row in ROWS if row.metric == "throughput, prefill" and row.device.startswith("CENT")]
    assert len(prefill) == 3
    assert all(row.predicted < 0.6 for row in prefill)


def test_an_unknown_device_is_named():
    with pytest.raises(UnknownNameError, match="hbm-pim"):
        device("hbm-pin")
