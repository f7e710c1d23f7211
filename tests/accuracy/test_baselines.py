"""Baselines against sums by hand."""

from __future__ import annotations

import pytest

from costline.accuracy.baselines import constant_mfu, in_units, measured_utilisation, roofline, seed_rule
from costline.accuracy.predict import predict
from costline.accuracy.rows import read_measurements
from tests.accuracy.conftest import SERVE, TRAIN

LLAMA_2_7B, A100, TOKENS = 6_738_415_616, 312e12, 64 * 4096


def test_the_rule_of_the_article_for_training(efficiency, row):
    """6 N D over 8 A100 at 40 %."""
    made = next(predict([row("train")], efficiency))
    assert seed_rule(made) == pytest.approx(6 * LLAMA_2_7B * TOKENS / (8 * A100 * 0.4))


def test_the_rule_of_the_article_for_serving(efficiency, row):
    """2 N for each of 4 sequences over one H100 at 5 %, in milliseconds."""
    made = next(predict([row("serve")], efficiency))
    assert seed_rule(made) == pytest.approx(1e3 * 2 * LLAMA_2_7B * 4 / (989e12 * 0.05), rel=0.002)


def test_the_rule_of_the_article_for_a_clip(efficiency, row):
    """2 N D T over 8 H100 at 50 %, with its factor for attention, 1 + D / 12 h, at 75,600 tokens and width 5,120."""
    made = next(predict([row("generate")], efficiency))
    params = made.case.pipeline.transformers[0][0].params
    flops = 2 * params * 75_600 * 100 * (1 + 75_600 / (12 * 5120))
    assert seed_rule(made) == pytest.approx(flops / (8 * 989e12 * 0.5), rel=0.002)


def test_a_constant_utilisation_is_that_of_the_other_configurations(efficiency, write):
    """Three configurations at 10, 20 and 40 s: the first is predicted at the mean utilisation of the other two."""
    rows = [
        {**TRAIN, "id": "1", "value": "10"},
        {**TRAIN, "id": "2", "value": "20", "micro_batch": "2"},
        {**TRAIN, "id": "3", "value": "40", "micro_batch": "4"},
        {**TRAIN, "id": "4", "value": "5", "framework_version": "newer"},
    ]
    made = list(predict(read_measurements(write(*rows)).rows, efficiency))
    work = made[0].case.setting.flops / made[0].case.setting.peak
    assert measured_utilisation(made[0]) == pytest.approx(work / 10)
    assert constant_mfu(made)[0] == pytest.approx(work / ((work / 20 + work / 40) / 2))


def test_a_chip_alone_takes_the_utilisation_of_the_table(efficiency, write):
    rows = [{**SERVE, "id": "1"}, {**SERVE, "id": "2", "chip": "a100-sxm-80gb", "value": "20"}]
    made = list(predict(read_measurements(write(*rows)).rows, efficiency))
    shares = [measured_utilisation(each) for each in made]
    assert constant_mfu(made) == pytest.approx([10 * shares[0] / shares[1], 20 * shares[1] / shares[0]])


def test_one_row_alone_has_no_constant_utilisation(efficiency, row):
    assert constant_mfu(list(predict([row("serve")], efficiency))) == [None]


def test_a_roofline_reads_weights_at_seven_tenths_of_bandwidth(efficiency, row):
    """Decoding one sequence of a 7B model in 16 bits: at least 2 bytes a parameter at 0.7 of 3.35 TB/s, little more."""
    least = 1e3 * 2 * (LLAMA_2_7B - 32_000 * 4096) / (0.7 * 3.35e12)
    alone = row("serve", concurrency_or_batch="1")
    made = next(predict([alone], roofline(efficiency)))
    (found,) = in_units([alone], [made.outcome])
    assert least < found < 1.1 * least
