"""Processing in memory against published figures, silicon and simulations apart, and against its limits."""

from __future__ import annotations

import numpy as np
import pytest

from costline.catalogue import pim_facts, shipped
from costline.engine.passes import Machine
from costline.errors import UnknownNameError
from costline.plan import Plan
from costline.silicon.pim import decode_split, device, devices
from costline.silicon.pim_rows import attacc_gain, predictions

ROWS = predictions()


def split(name, batch, memory, context=2000, chips=1):
    machine = Machine(shipped.cluster(f"{chips}xa100-sxm-80gb"), shipped.efficiency(), Plan(tensor=chips))
    return decode_split(shipped.model(name), context, batch, machine, device(memory))


def predicted(words, metric=""):
    (row,) = (row for row in ROWS if words in row.config and metric in row.metric and row.predicted is not None)
    return row


def test_every_row_is_predicted_or_says_why():
    assert {(row.device, row.config) for row in ROWS} == {(fact.device, fact.config) for fact in pim_facts()}
    assert all(row.how for row in ROWS)
    assert sum(row.predicted is not None for row in ROWS) == 15
    assert {row.evidence for row in ROWS} == {"silicon", "simulation", "vendor"}


@pytest.mark.parametrize(
    ("words", "metric", "tolerance"),
    [
        ("300 MHz", "compute", 0.05),
        ("1 GHz PU", "", 0.01),
        ("Llama2-7B max batch", "prefill", 0.15),
        ("Llama2-13B max batch", "prefill", 0.15),
        ("Llama2-70B max batch", "prefill", 0.15),
        ("Llama2-7B max batch", "decode", 0.45),
        ("Llama2-13B max batch", "decode", 0.45),
        ("Llama2-70B max batch", "decode", 0.45),
        ("Llama2-7B batch 1", "", 0.25),
        ("per-stack 670", "", 0.35),
        ("175B TbGM", "", 0.4),
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
    """HBM-PIM: a kernel may gain 4 times; a decode step gains less, and nothing in a large batch of a GQA model."""
    gains = split("llama-2-70b", np.array([1, 2, 4, 8, 64]), "hbm-pim", chips=4).speedup
    assert gains[0] < device("hbm-pim").gain
    assert np.all(np.diff(gains[:4]) < 0)
    assert gains[-1] == pytest.approx(1.0)


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
    assert all(row.predicted < 0.6 for row in ROWS if row.metric == "throughput, prefill")


def test_an_unknown_device_is_named():
    with pytest.raises(UnknownNameError, match="hbm-pim"):
        device("hbm-pin")
