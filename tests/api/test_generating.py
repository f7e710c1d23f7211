"""What `generate` answers: contracts of its inputs, and what follows from how a clip is cut."""

from __future__ import annotations

import itertools
import re
from types import SimpleNamespace

import numpy as np
import pytest

import costline
from costline.api.clips import least_tile
from costline.catalogue import shipped
from costline.errors import InputError
from costline.models.autoencoder import Tiling

WAN = "wan2.1-t2v-14b"


def plan_of(estimate):
    """The plan an answer is about, and the words on how it was found."""
    return next(row.value for row in estimate.assumptions if row.name == "plan")


def denoising(estimate):
    """Seconds of the transformer."""
    return next(part.value for part in estimate.figure("time").children if part.name == "denoise")


def test_the_plan_of_a_clip_in_segments_is_that_of_a_segment():
    """One pass holds one segment, so a minute made in pieces needs the memory and the plan of a piece."""
    asked = {"on": "8xh100-sxm", "chunk": 3}
    minute, piece = costline.generate(WAN, seconds=60, segment="5s", **asked), costline.generate(WAN, **asked)
    assert plan_of(minute) == plan_of(piece)
    assert "fit" in plan_of(minute)
    assert minute["memory"] == piece["memory"]
    assert denoising(minute) == pytest.approx(12 * denoising(piece))


def test_a_segment_covers_the_frames_its_latents_stand_for():
    """5 s are 80 frames, which Wan computes as 81: its own clip of 81 frames is one such segment."""
    whole, cut = (costline.generate(WAN, on="8xh100-sxm", segment=segment) for segment in (None, "5s"))
    assert denoising(cut) == denoising(whole)


@pytest.mark.parametrize("asked", [{"seconds": 5}, {"frames": 33}, {"fps": 24}, {"segment": "5s"}, {"chunk": 3}])
@pytest.mark.parametrize("model", ["flux.1-dev", "sd3.5-large", "qwen-image"])
def test_models_of_images_refuse_video(model, asked):
    """Their pipelines in diffusers take no number of frames, whatever their autoencoder could do."""
    with pytest.raises(InputError, match=f"{model} makes images, not video; leave out --{next(iter(asked))}"):
        costline.generate(model, on="1xh100-sxm", **asked)


def test_an_image_says_nothing_of_frames_and_several_are_counted():
    one, four = (costline.generate("flux.1-dev", on="1xh100-sxm", frames=1, batch=batch) for batch in (1, 4))
    assert "an image of 1024x1024" in one.title
    assert "4 images of 1024x1024" in four.title
    assert not {"fps", "frames"} & {row.name for row in one.assumptions}
    assert costline.generate("latte-1", on="1xh100-sxm", frames=32).figures  # an autoencoder of images, but for video


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"seconds": 5, "frames": 81}, r"81 frames at 16(\.0+)? a second are 5.06 s, not 5.00 s"),
        ({"overlap": "0.5s"}, "overlap 0.5s: only segments overlap"),
        ({"segment": "5s", "overlap": "6s"}, "must be shorter than a segment"),
        ({"tokens": "1M", "resolution": "720p"}, "tokens 1M and resolution 720p"),
        ({"plan": "cache=fp8"}, "cache=fp8: .* say --chunk"),
        ({"plan": "vae_tile=8"}, "vae_tile=8: .* at least 16 pixels"),
        ({"resolution": "8x8"}, "holds no latent token"),
    ],
)
def test_inputs_that_would_be_passed_over_are_refused(asked, says):
    with pytest.raises(InputError, match=says):
        costline.generate(WAN, on="8xh100-sxm", **asked)


def test_inputs_that_agree_are_taken():
    asked = {"on": "8xh100-sxm", "seconds": 5}
    assert costline.generate(WAN, frames=80, **asked)["time"] == costline.generate(WAN, **asked)["time"]
    assert costline.generate(WAN, chunk=3, plan="cache=fp8, vae_tile=16", **asked).figures


@pytest.mark.parametrize(
    ("field", "method", "name"), [("reused", "teacache", "cache_reuse"), ("density", "svg", "sparse_density")]
)
def test_a_method_stands_for_its_share_in_the_table(field, method, name):
    """The row of coefficients.csv of that method, and its source in the answer."""
    (row,) = (row for row in shipped.coefficients() if (row.name, row.qualifier) == (name, method))
    named, stated = (costline.generate(WAN, on="8xh100-sxm", plan=f"{field}={value}") for value in (method, row.value))
    assert named["time"] == pytest.approx(stated["time"])
    said = next(one for one in named.assumptions if one.name == field)
    assert row.source in said.value
    assert said.kind == row.kind
    overruled = costline.generate(WAN, on="8xh100-sxm", plan=f"{field}={method}", coefficients={name: 0.2})
    assert overruled["time"] == costline.generate(WAN, on="8xh100-sxm", plan=f"{field}=0.2")["time"]


def test_a_threshold_reuses_by_the_steps():
    """A plan that names the share costs the same; audits, which know no steps yet, ask for the share."""
    named = costline.generate(WAN, on="8xh100-sxm", plan="reused=teacache0.2", steps=40)
    said = next(one for one in named.assumptions if one.name == "reused")
    share = 1 - 9.6 / (40 * 0.2**0.5)
    assert named["time"] == pytest.approx(
        costline.generate(WAN, on="8xh100-sxm", plan=f"reused={share}", steps=40)["time"]
    )
    assert said.value.startswith("0.46 at a threshold of 0.2, as of teacache: ")
    for wrong in ("teecache0.2", "teacache0.0", "teacache99999999.0", "dbcache0.2"):
        with pytest.raises(
            InputError, match=rf"reused={wrong}: say a share .* fbcache and teacache also at a threshold"
        ):
            costline.generate(WAN, on="8xh100-sxm", plan=f"reused={wrong}")


def test_methods_without_a_share_are_told_those_that_have_one():
    known = "attncache, dbcache, fbcache, teacache; did you mean teacache"
    with pytest.raises(InputError, match=f"reused=teecache: say a share such as 0.4, or one of {known}"):
        costline.generate(WAN, on="8xh100-sxm", plan="reused=teecache")
    with pytest.raises(InputError, match=r"density=dense: .* natten, sla, svg"):
        costline.generate(WAN, on="8xh100-sxm", plan={"density": "dense"})


def test_clips_side_by_side_are_said():
    """One chip a clip on seven chips; eight work on one clip together."""
    alone = "tensor=1, ulysses=1, ring=1, guidance=1"
    seven, eight = costline.generate(WAN, on="7xh100-sxm", plan=alone), costline.generate(WAN, on="8xh100-sxm")
    assert "7 clips are made side by side, each on a chip; time and cost are of one" in seven.warnings
    assert not any("side by side" in words for words in eight.warnings)
    assert seven["clips_per_hour"] == pytest.approx(7 * 3600 / seven["time"])


def test_a_batch_is_that_of_each_replica_and_the_answer_says_so():
    """Two replicas that make three clips each take as long as one, make twice as many, and cost as much a clip."""
    alone = "tensor=1, ulysses=4, ring=1, guidance=1"
    one, two = (costline.generate(WAN, on=f"{chips}xh100-sxm", batch=3, plan=alone) for chips in (4, 8))
    assert one["time"] == two["time"]
    assert one["cost"] == pytest.approx(two["cost"])
    assert two["clips_per_hour"] == pytest.approx(2 * 3 * 3600 / two["time"])
    assert "3 clips are made together; time is until these 3 are done, cost and energy are of one clip" in one.warnings
    assert any("each of 2 replicas, of 4 chips, makes 3 clips together, 6 in all" in words for words in two.warnings)


def test_utilisation_is_of_all_chips_that_are_paid_for():
    """FLOPs of a clip over what all chips could do meanwhile, an idle fifth among them."""
    plan = {"tensor": 1, "ulysses": 4, "ring": 1, "guidance": 1}
    four, five = (costline.generate(WAN, on=f"{chips}xh100-sxm", plan=plan) for chips in (4, 5))
    assert five["time"] == four["time"]
    assert five["mfu"] == pytest.approx(four["mfu"] * 4 / 5)
    denoise = next(part.amount for part in five.figure("time").children if part.name == "denoise")
    peak = shipped.chip("h100-sxm").rate("bf16")
    assert five["mfu"] == pytest.approx(five["flops"] / denoise / (5 * peak))
    stated = costline.generate(WAN, on="5xh100-sxm", plan=plan, mfu=0.3)
    assert stated["mfu"] == pytest.approx(0.3)


def test_more_chips_never_slow_a_clip():
    """Where they do not divide the work they can stand idle, and then that is said."""
    times = [costline.generate(WAN, on=f"{chips}xh100-sxm") for chips in range(1, 17)]
    assert all(after["time"] <= before["time"] for before, after in itertools.pairwise(times))
    assert any(
        "7 chips stand idle" in words or "chips stand idle" in words for each in times for words in each.warnings
    )


def test_one_plan_a_point_is_the_plan_of_each_point():
    numbers = [5, 7, 8, 12]
    many = costline.generate(WAN, on=[f"{chips}xh100-sxm" for chips in numbers])
    one = [costline.generate(WAN, on=f"{chips}xh100-sxm")["time"] for chips in numbers]
    assert np.ravel(many.figures["time"]).tolist() == pytest.approx(one)


def cached(estimate):
    """KV cache of a chip. [byte]"""
    return next(part.value for part in estimate.figure("memory").children if part.name == "KV cache")


@pytest.mark.parametrize("guidance", [1, 2])
def test_every_guidance_branch_keeps_its_keys(guidance):
    """Wan: 30 s are 121 frames of 3,600 tokens, 40 layers of width 5,120, keys and values in 16 bits, two branches.

    The last three frames look back on 118.
    """
    whole = 2 * 118 * 3600 * 40 * 5120 * 2 * 2
    found = costline.generate(WAN, on="8xh100-sxm", seconds=30, chunk=3, plan=f"guidance={guidance}")
    assert cached(found) == pytest.approx(whole / 8)


def test_a_transformer_that_works_in_chunks_keeps_its_window():
    """MAGI-1's config.json: 4 chunks of 6 frames of 3,600 tokens, 48 layers, 8 key heads of 128; 3 branches."""
    found = costline.generate("magi-1-24b", on="1xh100-sxm")
    assert cached(found) == pytest.approx(3 * 4 * 6 * 3600 * 48 * 8 * 128 * 2 * 2)
    with pytest.raises(InputError, match="works in chunks of its own"):
        costline.generate("magi-1-24b", on="1xh100-sxm", chunk=6)


def test_tokens_of_a_named_model_are_the_clip_they_stand_for():
    """75,600 tokens are 21 latent frames of 90 x 40 tokens: 81 frames of 1280x720."""
    tokens, frames = costline.generate(WAN, on="8xh100-sxm", tokens=75600), costline.generate(WAN, on="8xh100-sxm")
    for name in ("time", "cost", "cost_per_second", "clips_per_hour"):
        assert tokens[name] == pytest.approx(frames[name])


@pytest.mark.parametrize("asked", [{"frames": 81}, {"seconds": 5}, {"chunk": 3}], ids=lambda asked: next(iter(asked)))
def test_tokens_say_how_much_is_generated_and_nothing_else_may(asked):
    with pytest.raises(InputError, match="tokens"):
        costline.generate(WAN, on="8xh100-sxm", tokens="1M", **asked)


def test_tokens_of_a_transformer_without_a_size_may_have_any_length():
    short, long = (costline.generate(params="20B", on="8xh100-sxm", tokens="1M", seconds=length) for length in (30, 60))
    assert short["time"] == long["time"]
    assert short["cost_per_second"] == pytest.approx(2 * long["cost_per_second"])
    assert "images" not in costline.generate("flux.1-dev", on="h100-sxm", tokens=4096).figures


def test_whole_latents_are_decoded():
    """80 frames are computed and decoded as 81."""
    asked, made = (costline.generate(WAN, on="8xh100-sxm", frames=frames) for frames in (80, 81))
    assert asked["time"] == made["time"]


def test_segments_share_a_prompt_and_what_they_make_beyond_the_clip_is_said():
    one, many = (costline.generate(WAN, on="8xh100-sxm", seconds=60, segment=length) for length in (None, "59s"))
    texts = [next(p.value for p in each.figure("time").children if p.name == "encode text") for each in (one, many)]
    assert texts[0] == texts[1]
    assert "2 segments of one length make 118.0 s, 58.0 s more than the clip has" in many.warnings


@pytest.mark.parametrize("ask", [costline.generate, costline.serve])
def test_a_batch_in_words_is_told_of_the_question_that_finds_it(ask):
    model = WAN if ask is costline.generate else "llama-3.1-8b"
    with pytest.raises(InputError, match="batch max: --solve batch finds the largest"):
        ask(model, on="8xh100-sxm", batch="max")


def test_what_apis_ask_is_grouped_by_list_and_counted_once():
    """No price is lost, and none of one model is counted twice, whichever list and task it stands under."""
    asked = costline.generate(WAN, on="8xh100-sxm").figure("api_price")
    rows = shipped.prices(category="api_video")
    assert (asked.low, asked.high) == (min(row.value for row in rows), max(row.value for row in rows))
    assert {group.name for group in asked.children} <= {row.provider for row in rows}
    counted = sum(
        int(found[1]) if (found := re.match(r"median of (\d+)", group.note)) else 1 for group in asked.children
    )
    assert asked.note.startswith(f"{counted} different prices of {len(asked.children)} lists")
    alibaba = {"dashscope", "qwencloud", "qwen_ai_platform"}  # the first and the last alike; all with t2v = i2v = r2v
    models = {
        (row.subject.partition("/")[2].removesuffix("-t2v").removesuffix("-i2v").removesuffix("-r2v"), row.value)
        for row in rows if row.provider in alibaba
    }  # fmt: skip
    told = [int(re.match(r"median of (\d+)", each.note)[1]) for each in asked.children if each.name in alibaba]
    assert sum(told) == len(models) < 114 / 3


@pytest.mark.parametrize(
    ("space", "tiling", "least"),
    [(8, Tiling.square(256, 192), 16), (32, Tiling.square(512, 448), 64), (8, Tiling.square(64, 8), 64)],
)
def test_the_least_tile_advances_by_a_latent(space, tiling, least):
    """As in diffusers, where the stride of a tile in latents, rounded down, must not be 0."""
    vae = SimpleNamespace(space=space, tiling=tiling)
    assert least_tile(vae) == least
    assert tiling.scaled(least).stride_height // space >= 1
    assert tiling.scaled(least - space).stride_height // space < 1


@pytest.mark.parametrize("tokens", [1, 500, 1559])
def test_tokens_of_less_than_a_latent_frame_are_one_frame(tokens):
    """832x480 has 1,560 tokens a latent frame of four; fewer were a clip of negative length, and of negative price."""
    image = costline.generate("wan2.1-t2v-1.3b", on="8xh100-sxm", tokens=tokens)
    assert "cost_per_second" not in image.figures
    many = costline.generate("wan2.1-t2v-1.3b", on="8xh100-sxm", tokens=np.array([tokens, 32760]))
    clip = costline.generate("wan2.1-t2v-1.3b", on="8xh100-sxm", frames=81)
    assert many["cost_per_second"] == pytest.approx([many["cost"][0] * 16, clip["cost_per_second"]])


def test_guidance_is_parallel_wherever_there_are_branches_to_divide():
    branches = np.array([1, 2])
    both = costline.generate("hunyuanvideo", on="8xh100-sxm", branches=branches)
    for place, number in enumerate(branches.tolist()):
        one = costline.generate("hunyuanvideo", on="8xh100-sxm", branches=number)
        assert both["time"][place] == pytest.approx(one["time"], rel=1e-12)
        assert both.inputs["guidance"][place] == one.inputs["guidance"]
