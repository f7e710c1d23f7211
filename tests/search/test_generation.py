"""The search of generation plans against a plain loop over single estimates."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from costline.catalogue import shipped
from costline.search.find import found_plan
from costline.search.generation import TILES, generation_settings
from costline.studies.clip import Clip
from costline.studies.economics import Economics
from costline.studies.generate import generate
from tests.conftest import make_machine

PRICE = Economics(price=1e-3)
CLIP = Clip(frames=17, height=480, width=832, steps=4, branches=2)
LOSSES = {"launch": 3e-6, "step_overhead": 1e-3, "latency_up": 2e-6}


@pytest.mark.parametrize("goal", ["time", "cost", "throughput"])
def test_the_best_plan_is_the_best_of_all_single_estimates(goal):
    wan = shipped.model("wan2.1-t2v-1.3b")
    settings = generation_settings(wan, CLIP, make_machine(4, coefficients=LOSSES), PRICE, {}, batch=2)
    answer = found_plan("generate", settings, goal, [], "")
    degrees, powers = (1, 2, 3, 4), (1, 2, 4)
    best, number = float("inf"), 0
    for tensor, ulysses, ring, guidance, shared in product(degrees, degrees, degrees, (1, 2), powers):
        replica = tensor * ulysses * ring * guidance
        if replica > 4 or 12 % (tensor * ulysses) or shared > replica:
            continue
        plan = {"tensor": tensor, "ulysses": ulysses, "ring": ring, "guidance": guidance, "data": 4 // replica}
        for offload, tile in product(("none", "encoders", "weights"), TILES):
            place = make_machine(4, coefficients=LOSSES, **plan, vae_parallel=shared, offload=offload, vae_tile=tile)
            one = generate(wan, replace(CLIP, batch=2), place, PRICE)
            number += 1
            value = {"time": one["time"], "cost": one["cost"], "throughput": -one["clips_per_hour"]}[goal]
            if one.feasible is True:
                best = min(best, float(value))
    assert answer.considered == number
    figure = {"time": "time", "cost": "cost", "throughput": "clips_per_hour"}[goal]
    assert float(answer.estimate[figure]) == pytest.approx(abs(best), rel=1e-12)
