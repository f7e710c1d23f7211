"""Inputs of every question: whatever the type, an answer or one clear refusal."""

from __future__ import annotations

import contextlib
import datetime as dt
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import costline
from costline import Chip, Cluster, resolve
from costline.cli.output import scenario_inputs, settings
from costline.errors import ConfigError, InputError
from costline.sweep.scenario import make_scenario

EXAMPLES = Path(__file__).parents[1] / "examples"
QUESTIONS: dict[str, dict[str, Any]] = {
    "serve": {"model": "llama-3.1-8b", "on": "h100-sxm"},
    "train": {"model": "llama-3.1-8b", "on": "8xh100-sxm", "tokens": 1e12},
    "generate": {"model": "wan2.1-t2v-1.3b", "on": "8xh100-sxm"},
    "caption": {"model": "llama-3.1-8b", "on": "h100-sxm", "minutes": 100},
}
ODD = [
    3, -1, True, 2.5, float("nan"), float("inf"), [1], (), {"a": 1}, {1: 2}, None, b"x", "", "x", "\x00", "1e999",
    "9" * 400, 10**400, dt.date(2024, 1, 1),
]  # fmt: skip
"""What a scenario file or a caller may hold in the place of anything."""


@pytest.mark.parametrize("question", QUESTIONS)
def test_whatever_is_given_is_answered_or_refused(question):
    ask = getattr(costline, question)
    for name in inspect.signature(ask).parameters:
        for value in ODD:
            with contextlib.suppress(costline.CostlineError):  # anything else is a fault of costline
                ask(**{**QUESTIONS[question], name: value})


@pytest.mark.parametrize("price", [2.49, [2.49, 3.0]])
def test_a_bare_price_of_a_file_is_refused_as_on_the_command_line(price, tmp_path):
    """2.49 typed behind --price has no unit and is refused; a file or --set must not mean $2.49 a second by it."""
    (tmp_path / "asked.toml").write_text(f"price = {price}\n")
    with pytest.raises(costline.CostlineError, match=r"2\.49' has no unit.*\$2\.49/h"):
        costline.serve(**QUESTIONS["serve"], **scenario_inputs(tmp_path / "asked.toml", frozenset({"price"})))
    with pytest.raises(costline.CostlineError, match="has no unit"):
        costline.serve(**QUESTIONS["serve"], **settings(("price=2",), frozenset({"price"})))
    with pytest.raises(costline.CostlineError, match="has no unit"):
        make_scenario({"study": "serve", "inputs": QUESTIONS["serve"], "axes": {"price": [2, 3]}})


def test_a_price_in_python_is_dollars_a_second_and_no_hourly_one():
    ask = QUESTIONS["serve"]
    hourly = costline.serve(**ask, price="$3.60/h")["cost_output"]
    assert costline.serve(**ask, price=1e-3)["cost_output"] == pytest.approx(hourly)
    for price in (2.49, np.array([1e-3, 2.49])):
        with pytest.raises(costline.CostlineError, match=r"\$8,964/h a chip.*write '\$2\.49/h'"):
            costline.serve(**ask, price=price)


@pytest.mark.parametrize("name", ["two\nlines", "bell\x07", "\x1b[31mred"])
def test_control_characters_of_a_folder_do_not_reach_the_answer(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    (folder / "config.json").write_text((EXAMPLES / "llama-3.1-8b" / "config.json").read_text())
    found = costline.serve(folder, on="h100-sxm")
    assert found.title.isprintable()
    assert r"\x" in found.title


def test_the_text_encoder_of_a_vision_language_model_is_a_decoder(tmp_path):
    """Qwen2.5-VL-7B reads text as Qwen2.5-7B does, 7,615,616,512 parameters (transformers, flops_truth.csv)."""
    for name in ("qwen2.5-vl-7b", "qwen2.5-vl-7b-text"):
        found = resolve.decoder(name, None, None, None)
        assert found.params == resolve.decoder("qwen2.5-7b", None, None, None).params == 7_615_616_512
    path = tmp_path / "config.json"
    path.write_text('{"architectures": ["Qwen3Model"], "num_key_value_heads": 8}')
    assert resolve.decoder(path, None, None, None).architecture == "Qwen3ForCausalLM"
    with pytest.raises(ConfigError, match=r"clip-l is not a decoder language model$"):
        resolve.decoder("clip-l", None, None, None)


def test_captions_say_how_to_count_the_vision_encoder():
    bare = costline.caption("qwen2.5-vl-7b", on="64xh100-sxm", minutes="1M")
    assert any("state its parameters, such as --vision 600M" in warning for warning in bare.warnings)
    counted = costline.caption("qwen2.5-vl-7b", on="64xh100-sxm", minutes="1M", vision="600M")
    assert not any("vision encoder" in warning for warning in counted.warnings)
    assert counted["time"] > bare["time"]


WHOLE_CHIP = {"id": "x", "name": "X", "peak": {"bf16": 1e14}, "memory": 8e10, "memory_bandwidth": 1e12}


@pytest.mark.parametrize(("figures", "said"), [
    ({"memory_bandwidth": 0}, "memory_bandwidth is a positive number"), ({"memory": "80 GB"}, "memory is a positive"),
    ({"peak": {"bf16": -1e14}}, "peak of bf16 is a positive"), ({"tdp": float("nan")}, "tdp is a positive"),
    ({"memory": None}, "memory is a positive"),
])  # fmt: skip
def test_chips_made_in_python_have_positive_figures(figures, said):
    """A negative peak was answered, and no bandwidth ended in a division by zero."""
    chip = Chip(**{**WHOLE_CHIP, **figures})
    with pytest.raises(InputError, match=said):
        costline.serve("llama-3.1-8b", on=Cluster(chip=chip, chips=2))


@pytest.mark.parametrize(
    "figures", [{"chips": 0}, {"chips": 1.5}, {"domain": 0}, {"scale_up": -1.0}, {"chip": "h100-sxm"}]
)
def test_clusters_made_in_python_have_figures_that_a_machine_can_have(figures):
    with pytest.raises(InputError, match="cluster"):
        costline.serve("llama-3.1-8b", on=Cluster(**{"chip": Chip(**WHOLE_CHIP), "chips": 2, **figures}))
