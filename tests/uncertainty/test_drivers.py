"""Indices against functions whose indices are known, and a tornado by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

import costline
from costline import sampling
from costline.uncertainty.drivers import MODEL, drivers, factor_indices, plain_drivers, tornado
from costline.uncertainty.sobol import points
from costline.uncertainty.spreads import Bounds


def ishigami(x, a=7.0, b=0.1):
    return np.sin(x[0]) + a * np.sin(x[1]) ** 2 + b * x[2] ** 4 * np.sin(x[0])


def test_ishigami():
    # Ishigami and Homma 1990; the values are the closed forms of its variances
    a, b, pi = 7.0, 0.1, math.pi
    one, two = 0.5 * (1 + b * pi**4 / 5) ** 2, a**2 / 8
    three = b**2 * pi**8 * (1 / 18 - 1 / 50)
    whole = one + two + three
    found = factor_indices(
        lambda rows: ishigami(((2 * rows - 1) * pi).T)[None, :], 3, [[0], [1], [2]], base=2**13, seed=0
    )
    first, total, _ = zip(*(index[0] for index in found), strict=True)
    assert first == pytest.approx((one / whole, two / whole, 0.0), abs=0.01)
    assert total == pytest.approx(((one + three) / whole, two / whole, three / whole), abs=0.01)


def test_indices_are_those_scipy_finds_by_itself():
    names = [stats.uniform(loc=-math.pi, scale=2 * math.pi)] * 3
    theirs = stats.sobol_indices(func=ishigami, n=2**13, dists=names, rng=np.random.default_rng(1))
    ours = factor_indices(
        lambda rows: ishigami(((2 * rows - 1) * math.pi).T)[None, :], 3, [[0], [1], [2]], base=2**13, seed=1
    )
    assert [index[0][0] for index in ours] == pytest.approx(list(theirs.first_order), abs=0.02)
    assert [index[0][1] for index in ours] == pytest.approx(list(theirs.total_order), abs=0.02)


def test_a_group_of_columns_is_one_input():
    # x1 + x2 + 2 x3, all uniform: variances 1, 1 and 4; the first two together hold a third
    found = factor_indices(lambda rows: (rows @ [1.0, 1.0, 2.0])[None, :], 3, [[0, 1], [2]], base=2048, seed=0)
    indices = [list(index[0][:2]) for index in found]
    assert indices == [pytest.approx([1 / 3] * 2, abs=0.01), pytest.approx([2 / 3] * 2, abs=0.01)]


def test_ishigami_through_a_study(study):
    a, b, pi = 7.0, 0.1, math.pi
    one, two, three = 0.5 * (1 + b * pi**4 / 5) ** 2, a**2 / 8, b**2 * pi**8 * (1 / 18 - 1 / 50)
    whole = one + two + three
    truth = {
        "x": (one / whole, (one + three) / whole),
        "y": (two / whole, two / whole),
        "z": (0.0, three / whole),
    }
    for seed in range(4):
        made = study(
            lambda x, y, z: ishigami([(2 * each - 1) * pi for each in (x, y, z)]),
            seed=seed, x="0..1", y="0..1", z="0..1",
        )  # fmt: skip
        found = drivers(made, ["result"])["result"]
        assert found.scale == "value"
        for row in found.ranked:
            assert (row.first, row.total) == pytest.approx(truth[row.name], abs=0.03)
            assert 0 < row.error < 0.05
            assert 0 <= row.first <= row.total <= 1


def test_a_skewed_product_that_is_not_wide_is_explained_by_its_logarithm(study):
    # 1 to 1.5 and 1 to 3 span less than a factor of ten; deviations of the logarithms as log 1.5 to log 3
    share = math.log(3) ** 2 / (math.log(1.5) ** 2 + math.log(3) ** 2)
    for seed in range(4):
        found = drivers(study(lambda a, b: a * b, seed=seed, a="1 to 1.5", b="1 to 3"), ["result"])["result"]
        assert found.scale == "logarithm"
        assert [(row.name, row.first, row.total) for row in found.ranked] == [
            ("b", pytest.approx(share, abs=0.01), pytest.approx(share, abs=0.01)),
            ("a", pytest.approx(1 - share, abs=0.01), pytest.approx(1 - share, abs=0.01)),
        ]


def test_a_heavy_result_below_zero_is_explained_by_its_rank(study):
    """Of a rising function of a sum of normals, the rank is normal's own: covariances of it are arcsin(share / 2)."""
    made = study(
        lambda a, b: np.sinh(2 * (a + 2 * b)), a=Bounds(0, -1.2815516, 1.2815516), b=Bounds(0, -1.2815516, 1.2815516)
    )
    found = drivers(made, ["result"])["result"]
    assert found.scale == "rank"
    alone = {share: math.asin(share / 2) / math.asin(0.5) for share in (0.2, 0.8)}
    assert [(row.name, row.first, row.total) for row in found.ranked] == [
        ("b", pytest.approx(alone[0.8], abs=0.02), pytest.approx(1 - alone[0.2], abs=0.02)),
        ("a", pytest.approx(alone[0.2], abs=0.02), pytest.approx(1 - alone[0.8], abs=0.02)),
    ]


def test_shares_of_an_ordinary_question_hardly_move_with_the_seed():
    shares = {}
    for seed in range(4):
        with sampling(1024, seed=seed):
            estimate = costline.train(params="70B", tokens="{13T: 60%, 20T: 40%}", on="1024xh100-sxm", price="$2/h")
        for row in drivers(estimate.sampled, ["time"])["time"].ranked:
            assert 0 <= row.first <= row.total <= 1
            shares.setdefault(row.name, []).append((row.first, row.total))
    assert set(shares) == {MODEL, "tokens"}  # of a time the price moves nothing, and all of it is accounted for
    assert all(np.ptp(found, axis=0).max() < 0.08 for found in shares.values())
    assert sum(np.mean(found, axis=0)[0] for found in shares.values()) == pytest.approx(1, abs=0.06)


def test_what_hardly_ever_varies_is_not_divided_by_nothing(study):
    made = study(lambda a, b: np.where(a > 1, a + b, 5.0), a="{1: 0.9995, 9: 0.0005}", b="0..1")
    found = drivers(made, ["result"], base=256)["result"].ranked
    assert all(0 <= row.first <= row.total <= 1 for row in found)
    assert not any(row.seen for row in found)


def test_the_error_is_that_of_other_samples(study):
    """The spread of an index over scramblings is what drawing the rows again says, or less: Sobol points are even."""
    found = [
        drivers(study(lambda a, b: a + b * b, seed=seed, a="0..1", b="0..2"), ["result"], base=256)["result"].ranked[1]
        for seed in range(12)
    ]
    assert {row.name for row in found} == {"a"}
    assert np.std([row.total for row in found]) < 2 * np.mean([row.error for row in found])


def test_of_a_wide_product_the_logarithm_is_explained(study):
    found = drivers(study(lambda a, b: a * b, a="1 to 10", b="1 to 100"), ["result"])["result"]
    assert found.scale == "logarithm"
    # a sum of two normals, one with twice the deviation: 4/5 and 1/5 of the variance, nothing together
    assert [(row.name, row.first, row.total) for row in found.ranked] == [
        ("b", pytest.approx(0.8, abs=0.01), pytest.approx(0.8, abs=0.01)),
        ("a", pytest.approx(0.2, abs=0.01), pytest.approx(0.2, abs=0.01)),
    ]
    assert plain_drivers({"result": found})["result"]["of"] == "logarithm"


def test_what_does_not_vary_has_no_drivers(study):
    found = study(lambda a: {"constant": 1.0 + 0 * a, "a": a}, a="1 to 2")
    assert set(drivers(found, ["constant", "a"])) == {"a"}
    assert drivers(found, ["constant"]) == {}
    assert MODEL not in {row.name for row in drivers(found, ["a"])["a"].ranked}


def test_a_tornado_by_hand(study):
    found = tornado(study(lambda a, b, c: 10 * a - b + 0 * c, a="0..1", b="0..1", c="0..1"), "result")
    assert found.middle == pytest.approx(4.5)
    assert [(swing.name, swing.low, swing.high) for swing in found.swings] == [
        ("a", pytest.approx(0.5), pytest.approx(8.5)),
        ("b", pytest.approx(4.9), pytest.approx(4.1)),
    ]
    assert (found.swings[0].at_low, found.swings[0].at_high) == pytest.approx((0.1, 0.9))


def test_points_are_sobols_and_inside():
    drawn = points(1000, 40, seed=3)
    assert drawn.shape == (1000, 40)
    assert 0 < drawn.min() < drawn.max() < 1
    assert np.abs(points(4096, 8, seed=0).mean(axis=0) - 0.5).max() < 1e-3  # plain samples miss by 5e-3
    assert points(7, 0, seed=0).shape == (7, 0)


def test_inputs_of_one_file_are_moved_together(study, tmp_path):
    # x and 10 - x of one row: their sum is never in doubt, whatever each of them alone would do to it
    path = tmp_path / "rows.csv"
    path.write_text("x,y\n" + "".join(f"{x},{10 - x}\n" for x in range(1, 10)), encoding="utf-8")
    found = study(lambda x, y, z: {"sum": x + y + z, "difference": x - y + z}, x=f"{path}:x", y=f"{path}:y", z="1..3")
    (only,) = tornado(found, "sum").swings
    assert (only.name, only.low, only.high) == ("z", pytest.approx(11.2), pytest.approx(12.8))
    both = {swing.name: swing for swing in tornado(found, "difference").swings}["x & y"]
    assert (both.low, both.high) == (-8 + 2, 8 + 2)  # nine rows: the first and the last hold 11 % each
    assert np.isnan(both.at_low)
