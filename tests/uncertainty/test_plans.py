"""Plans of samples against those of the same questions asked one by one."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import costline
from costline.uncertainty.draws import Draws, drawing
from costline.uncertainty.plans import MOST, Plans
from costline.uncertainty.sobol import points

DEGREES = ("tensor", "pipeline", "zero", "recompute", "micro_batch")
ASKED = [
    (costline.train, "llama-3.1-8b", "8..64", {"tokens": 1e12}, DEGREES),
    (costline.serve, "llama-3.1-70b", "4..40", {}, ("tensor", "pipeline", "expert")),
    (costline.generate, "wan2.1-t2v-14b", "1..16", {}, ("tensor", "ulysses", "ring", "guidance")),
    (costline.train, "llama-3.1-8b", "64..256", {"tokens": 1e12, "curriculum": "90%@8k,10%@64k"}, DEGREES),
]  # fmt: skip


def planned(question, model, chips, inputs):
    """Plans of a question, made as the study makes them, and rows of its matrix."""
    draws = Draws()

    def asked(stated):
        return inspect.unwrap(question)(model, on=f"{chips}xh100-sxm", **{**inputs, **stated})

    with drawing(draws):
        middle = asked({})
    draws.adopt()
    return draws, Plans(asked, draws, middle), points(512, draws.columns, 0)


@pytest.mark.parametrize(("question", "model", "chips", "inputs", "chosen"), ASKED)
def test_every_number_of_chips_has_the_plan_of_the_question_about_it(question, model, chips, inputs, chosen):
    draws, plans, shares = planned(question, model, chips, inputs)
    counts = draws.chips_of(0).values(shares)
    found = plans.at(shares)["plan"]
    for count in np.unique(counts)[::7]:
        alone = question(model, on=f"{int(count)}xh100-sxm", **inputs).inputs
        place = int(np.flatnonzero(counts == count)[0])
        parts = [part["plan"] for part in alone.get("curriculum", ()) if "plan" in part] or [alone]
        several = found if isinstance(found, tuple) else [found]
        for plan, part in zip(several, parts, strict=True):
            for name in chosen:
                value = np.broadcast_to(getattr(plan, name), counts.shape)[place]
                assert value == part[name], (count, name)


def test_rows_seen_later_get_plans_of_their_own():
    """Sensitivity indices ask at other rows of the matrix: known plans stay, and new numbers get one."""
    draws, plans, shares = planned(*ASKED[2][:4])
    some = shares[draws.chips_of(0).values(shares) <= 8]
    plans.at(some)
    whole, (_, again, _) = plans.at(shares), planned(*ASKED[2][:4])
    for name, value in vars(again.at(shares)["plan"]).items():
        assert np.array_equal(value, getattr(whole["plan"], name)), name


def test_of_very_many_numbers_each_takes_the_plan_of_a_smaller_one_near_it():
    draws, plans, shares = planned(costline.train, "llama-3.1-8b", "1k to 100k", {"tokens": 1e12})
    counts = draws.chips_of(0).values(shares)
    assert np.unique(counts).size > MOST
    plan = plans.at(shares)["plan"]
    assert plans.words == f"a plan for each of {MOST} numbers of chips"
    assert np.all(plan.replica <= counts)


def test_the_answer_says_that_plans_differ_and_one_plan_stays_one():
    with costline.sampling(256):
        several = costline.generate("wan2.1-t2v-14b", on="1..16xh100-sxm")
        one = costline.generate("wan2.1-t2v-14b", on="8xh100-sxm", steps="40..50")
    assert several.sampled.plans == "a plan for each of 16 numbers of chips"
    assert one.sampled.plans == "one plan for all"


def test_questions_of_a_study_have_plans_of_their_own():
    """Chips that differ in two questions of a study; each is run as the same question alone at its median."""

    def both(few, many):
        return {"few": costline.serve("llama-3.1-8b", on="1..8xh100-sxm", input=few)["tpot"],
                "many": costline.serve("llama-3.1-8b", on="16..64xh100-sxm", input=many)["tpot"]}  # fmt: skip

    with costline.sampling(256):
        study = costline.together(both, few="1k to 2k", many="1k to 2k")
    assert np.isfinite(study.values("few")).all()
    assert study.span("few").median > study.span("many").median
