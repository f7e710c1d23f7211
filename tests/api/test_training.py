"""What a question about training assumes where nobody says, and what it refuses to assume."""

from __future__ import annotations

import numpy as np
import pytest

import costline
from costline.errors import InputError


def said(estimate, name):
    return next(str(row.value) for row in estimate.assumptions if row.name == name)


def test_clips_without_a_size_are_refused():
    with pytest.raises(InputError, match="give --resolution and --frames, or its tokens with --sequence"):
        costline.train("wan2.1-t2v-14b", on="64xh100-sxm", clips="10M")
    sized = costline.train("wan2.1-t2v-14b", on="64xh100-sxm", clips="10M", sequence=4096)
    assert sized.inputs["tokens"] == 10e6 * 4096


@pytest.mark.parametrize(
    ("chips", "tokens"),
    [(64, 4_194_304), (4096, 4_194_304), (16384, 16_777_216)],  # Llama 3 405B, table 4: 16M tokens on 16,384 GPUs
)
def test_the_usual_batch_grows_with_the_cluster(chips, tokens):
    found = costline.train("llama-3.1-405b", on=f"{chips}xh100-sxm", tokens=1e12, mfu=0.4)
    assert found.inputs["batch_tokens"] == tokens
    assert "1,024 a chip" in said(found, "tokens of a step")


def test_a_run_is_one_step_at_least():
    ask = {"on": "8xh100-sxm", "batch_tokens": 2**22}
    one, step = (costline.train("llama-3.1-8b", tokens=tokens, failures=False, **ask) for tokens in (1, 2**22))
    assert one["time"] == pytest.approx(step["time"])
    assert step["time"] == pytest.approx(step["step"])
    many = costline.train("llama-3.1-8b", tokens=np.array([1.0, 2.0**22, 2.0**23]), failures=False, **ask)
    assert np.allclose(many["time"] / step["time"], [1, 1, 2])


def test_a_range_of_the_utilisation_has_an_interval_and_no_sentence_says_otherwise():
    with costline.sampling(64):
        found = costline.train("llama-3.1-8b", on="8xh100-sxm", tokens=1e12, mfu="35% to 45%")
    (told,) = [warning for warning in found.warnings if "MFU you stated" in warning]
    assert "there is no interval" not in told
    assert found.sampled.span("time").low < found.sampled.span("time").high


def test_each_length_of_a_curriculum_gets_the_plan_it_would_get_alone():
    ask = {"on": "64xh100-sxm", "batch_tokens": "4M", "failures": False}
    both = costline.train("llama-3.1-8b", tokens="1T", curriculum="90%@32k, 10%@1M", **ask)
    alone = {
        size: costline.train("llama-3.1-8b", tokens=tokens, sequence=size, **ask)
        for size, tokens in ((32_000, 0.9e12), (1_000_000, 0.1e12))
    }
    assert both["time"] == pytest.approx(sum(part["time"] for part in alone.values()))
    for size, name in ((32_000, "plan at 32.0k tokens"), (1_000_000, "plan at 1.00M tokens")):
        assert said(both, name).partition(":")[0] == said(alone[size], "plan").partition(":")[0]
        assert said(both, name).endswith(" days")
    with costline.sampling(64):  # the samples are run as the medians are
        ranged = costline.train("llama-3.1-8b", tokens="0.9T..1.1T", curriculum="90%@32k, 10%@1M", **ask)
    assert ranged.sampled.span("time").median == pytest.approx(both["time"], rel=0.15)  # one plan for both: 1.4 x


def test_a_stated_plan_serves_every_length():
    plan = "tensor=4, pipeline=1, virtual=1, ulysses=8, expert=1, zero=3, micro_batch=1, recompute=full"
    found = costline.train("llama-3.1-8b", on="64xh100-sxm", tokens="1T", curriculum="90%@32k, 10%@1M", plan=plan)
    assert said(found, "plan").endswith("as stated")


def test_a_transformer_that_is_left_out_is_told():
    """Wan 2.2 A14B has two experts, one for the noisier steps (arXiv:2503.20314 and its model card)."""
    ask = {"on": "64xh100-sxm", "tokens": "1B"}
    assert "one of the 2 transformers of wan2.2-t2v-a14b" in said(costline.train("wan2.2-t2v-a14b", **ask), "trained")
    assert "trained" not in {row.name for row in costline.train("wan2.1-t2v-14b", **ask).assumptions}


@pytest.mark.parametrize(("sequence", "told"), [(4096, False), (4097, True)])
def test_sequences_beyond_the_context_are_told(sequence, told):
    """Llama 2 has 4k tokens of context (Touvron et al. 2023, table 1)."""
    found = costline.train("llama-2-7b", on="8xh100-sxm", tokens="1B", sequence=sequence)
    assert any("are beyond the 4,096" in warning for warning in found.warnings) is told


@pytest.mark.parametrize(("chip", "told"), [("h100-sxm", True), ("trainium1", False)])
def test_an_engine_without_measurements_on_such_chips_is_told(chip, told):
    found = costline.train("llama-3.1-8b", on=f"8x{chip}", tokens="1B", engine="neuronx")
    assert ("no measurement of neuronx on NVIDIA chips" in said(found, "software")) is told


def test_the_plan_line_says_that_a_search_compares_more_kinds():
    """A larger space that holds the smaller one cannot have a worse best."""
    ask = {"on": "512xh100-sxm", "tokens": "1T", "sequence": 65536, "batch_tokens": "16M"}
    quick, best = costline.train("llama-3.1-70b", **ask), costline.find_plan("train", "llama-3.1-70b", **ask)
    assert best.estimate["time"] <= quick["time"] * (1 + 1e-9)
    assert said(quick, "plan").endswith("costline plan train compares more kinds")
    one = costline.train("llama-3.1-8b", on="8xb200", tokens="1B", plan="tensor=8, pipeline=1, virtual=1, ulysses=1, "
                         "expert=1, zero=1, micro_batch=1")  # fmt: skip
    assert "1 plans" not in said(one, "plan")


@pytest.mark.parametrize(("model", "chips", "field", "values"), [
    ("llama-3.1-70b", 24, "pipeline", (1, 2, 3, 4, 6, 8, 12, 24)),  # 80 layers: stages of 27, 14 and 7
    ("llama-3.1-70b", 25, "pipeline", (3, 6)),
    ("deepseek-v3", 2048, "expert", (1, 8, 64, 128, 256)),
    ("kimi-k2", 1024, "expert", (64, 128)),
])  # fmt: skip
def test_no_degree_that_is_stated_trains_sooner(model, chips, field, values):
    """Depths that do not divide the layers, and groups of as many chips as there are experts, are compared too."""
    best = costline.train(model, on=f"{chips}xh100-sxm", tokens=1e12)
    for value in values:
        other = costline.train(model, on=f"{chips}xh100-sxm", tokens=1e12, plan={field: value})
        assert not other.feasible or best["time"] <= other["time"] * (1 + 1e-12), value


@pytest.mark.parametrize("model", ["llama-3.1-8b", "wan2.1-t2v-14b"])
def test_tokens_and_clips_together_are_told_to_be_one_too_many(model):
    """A language model was asked for the resolution of its clips."""
    with pytest.raises(InputError, match="either --tokens or --clips"):
        costline.train(model, on="8xh100-sxm", tokens=1e12, clips=5)
