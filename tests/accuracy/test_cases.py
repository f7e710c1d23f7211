"""What rows become: plans, batches and conventions, each against the words of the row."""

from __future__ import annotations

import pytest

from costline.accuracy.predict import evaluate, prepare
from costline.accuracy.prediction import Prediction
from costline.accuracy.refusal import Refusal


def case(row, efficiency):
    """The case of a row that must be predictable."""
    found = prepare(row, efficiency)
    assert not isinstance(found, Refusal), found
    return found


def test_training_plan(row, efficiency):
    made = case(
        row(
            "train", chip="h100-sxm", model="llama-3.1-70b", num_chips="64", tp="4", pp="2", cp="2", dp="4", vpp="5",
            zero_stage="", micro_batch="2", recompute="full", dtype="fp8 rowwise",
            notes="ZeRO-1 shard group: intra-node",
        ),
        efficiency,
    )  # fmt: skip
    plan = made.plan
    assert (plan.tensor, plan.pipeline, plan.virtual, plan.ring, plan.data) == (4, 2, 5, 2, 4)
    assert (plan.weights, plan.compute, plan.recompute, plan.zero, plan.shard_scope) == (
        "bf16", "fp8", "full", 1, "domain",
    )  # fmt: skip
    assert made.sequences == 64
    assert any("ZeRO stage not stated" in note for note in made.setting.assumed)


def test_ranks_that_are_cores_work_as_one_chip(row, efficiency):
    changes = {"chip": "trainium1", "num_chips": "16", "tp": "8", "dp": "4", "model": "llama-2-7b"}
    made = case(row("train", **changes), efficiency)
    assert (made.plan.tensor, made.plan.data, made.tokens) == (4, 4, 64 * 4096)


def test_degrees_that_contradict_the_chips_are_refused(row, efficiency):
    assert isinstance(prepare(row("train", tp="3"), efficiency), Refusal)
    assert isinstance(prepare(row("train", dp="4"), efficiency), Refusal)


def test_a_training_rate_is_the_tokens_of_a_step_over_its_time_and_chips(row, efficiency):
    step = evaluate(prepare(row("train"), efficiency), efficiency).value
    rate = evaluate(prepare(row("train", metric="tokens_per_s_per_gpu"), efficiency), efficiency).value
    assert rate == pytest.approx(64 * 4096 / step / 8)


def test_blank_recomputation_is_what_fits(row, efficiency):
    assert case(row("train", recompute="", num_chips="64", dp="64"), efficiency).plan.recompute == "selective"
    tight = {"recompute": "", "seq_len": "131072", "zero_stage": "3"}
    assert case(row("train", **tight), efficiency).plan.recompute == "full"


def test_static_rates_are_tokens_over_the_latency_of_the_batch(row, efficiency):
    made = {
        metric: evaluate(prepare(row("serve", metric=metric), efficiency), efficiency).value
        for metric in ("request_latency_ms", "output_tokens_per_s", "total_tokens_per_s", "tokens_per_s_per_gpu")
    }
    latency = made["request_latency_ms"]
    assert made["output_tokens_per_s"] == pytest.approx(4 * 128 / latency)
    assert made["total_tokens_per_s"] == pytest.approx(4 * 256 / latency)
    assert made["tokens_per_s_per_gpu"] == pytest.approx(4 * 128 / latency)


def test_prompt_rate_and_prompt_latency_agree(row, efficiency):
    rate, latency = (
        evaluate(prepare(row("serve", metric=metric), efficiency), efficiency).value
        for metric in ("prefill_tokens_per_s", "prefill_latency_ms")
    )
    assert rate * latency == pytest.approx(4 * 128)


def test_prompts_prefilled_in_turn_wait_half_of_the_batch(row, efficiency):
    """Mean over a batch of 4 of the time until one's own prompt is done: 5/8 of the whole."""
    together, in_turn = (
        evaluate(prepare(row("serve", metric="ttft_ms", notes=notes), efficiency), efficiency).value
        for notes in ("", "requests prefilled in turn")
    )
    assert in_turn == pytest.approx(together * 5 / 8)


def test_attention_data_parallel_ranks(row, efficiency):
    words = {"model": "DeepSeek-R1", "num_chips": "8", "tp": "8", "concurrency_or_batch": "64"}
    formats = {"weight_dtype": "fp8", "kv_dtype": "fp8", "compute_dtype": "fp8", "batch_kind": "max_concurrency"}
    for changes in ({"ep": "8", "dp": "8"}, {"ep": "unstated (attention DP on)"}):
        plan = case(row("serve", **words, **formats, **changes), efficiency).plan
        assert (plan.tensor, plan.data, plan.expert) == (1, 8, 8)


def test_disaggregated_groups(row, efficiency):
    made = case(
        row(
            "serve", model="DeepSeek-R1", num_chips="44", tp="P1/D8", ep="P4/D8", dp="P1x4/D5x1", weight_dtype="fp8",
            kv_dtype="fp8", compute_dtype="fp8", concurrency_or_batch="90", batch_kind="max_concurrency",
        ),
        efficiency,
    )  # fmt: skip
    assert (made.plan.tensor, made.plan.expert, made.batch, made.job) == (8, 8, 18, "decode")
    assert (made.first.plan.data, made.first.plan.expert) == (4, 4)


def test_layers_split_over_chips_in_turn_are_as_fast_as_one_chip(row, efficiency):
    one, four = (
        evaluate(prepare(row("serve", engine="llama.cpp (layer split)", **changes), efficiency), efficiency).value
        for changes in ({}, {"num_chips": "4", "pp": "4"})
    )
    assert one == four


def test_a_full_engine_runs_what_fits(row, efficiency):
    words = {"batch_kind": "saturated", "metric": "output_tokens_per_s"}
    free = case(row("serve", **words, concurrency_or_batch="max (in-flight batching, KV 95%)"), efficiency)
    limited = case(row("serve", **words, concurrency_or_batch="max 4"), efficiency)
    assert (free.batch, limited.batch, limited.most) == (None, None, 4)
    slow, fast = (evaluate(one, efficiency).value for one in (limited, free))
    assert slow < fast


def test_batches_stated_for_each_chip(row, efficiency):
    words = {"batch_kind": "saturated", "metric": "output_tokens_per_s", "num_chips": "8", "tp": "8"}
    assert case(row("serve", **words, concurrency_or_batch="256 per GPU"), efficiency).batch == 2048
    words |= {"metric": "prefill_tokens_per_s", "input_len": "1024"}
    assert case(row("serve", **words, concurrency_or_batch="16384 tokens/GPU"), efficiency).batch == 128


@pytest.mark.parametrize("kind", ["open_loop_poisson", "server_SLO", "production_average", "per_user_api_speed"])
def test_queues_are_refused_with_the_reason(kind, row, efficiency):
    found = prepare(row("serve", batch_kind=kind), efficiency)
    assert isinstance(found, Refusal)
    assert len(found.reason) > 20


def test_generation_plan_and_clip(row, efficiency):
    made = case(row("generate", parallelism="cfg2+ulysses4", vae_tiling="1"), efficiency)
    assert (made.plan.guidance, made.plan.ulysses, made.plan.attention, made.plan.compiled) == (2, 4, "fa3", False)
    assert made.plan.vae_tile == made.pipeline.autoencoder.tiling.height
    assert (made.clip.frames, made.clip.height, made.clip.steps, made.clip.branches) == (81, 720, 50, 2)
    assert made.setting.sequence == 75_600  # 21 latent frames of 45 x 80 patches


def test_a_step_is_its_evaluations_and_the_pipeline_all_steps(row, efficiency):
    step, one, every, whole = (
        evaluate(prepare(row("generate", metric=metric, parallelism="ulysses8"), efficiency), efficiency).value
        for metric in ("s_per_it", "dit_step_s", "dit_total_s", "e2e_s")
    )
    assert step == pytest.approx(2 * one)
    assert every == pytest.approx(50 * step)
    assert whole > every


@pytest.mark.parametrize(
    "changes",
    [
        {"metric": "peak_mem_gb"}, {"steps": ""}, {"num_chips": "4"}, {"parallelism": "sideways8"},
        {"width": "", "latent_tokens": ""}, {"model": "VAE-only", "metric": "vae_decode_s"}, {"parallelism": "cfg8"},
    ],
)  # fmt: skip
def test_generations_that_are_not_predicted(changes, row, efficiency):
    assert isinstance(prepare(row("generate", **changes), efficiency), Refusal)


@pytest.mark.parametrize(
    ("changes", "plan"),
    [
        ({"cache_method": "TeaCache 0.2"}, {"reused": 0.47, "density": 1.0}),
        ({"cache_method": "taylorseer"}, {"reused": 0.47}),
        ({"sparse": "1", "attention_backend": "sparse(SVG)"}, {"density": 0.55, "reused": 0.0}),
        ({"attention_backend": "fa2/fa3(unstated)"}, {"attention": "fa2"}),
        ({"attention_backend": "fa3/cudnn"}, {"attention": "fa3"}),
        ({"attention_backend": "fa3/cudnn", "chip": "l40s"}, {"attention": "sdpa"}),
        ({"attention_backend": "cudnn", "chip": "b200"}, {"attention": "cudnn"}),
        ({"attention_backend": "", "framework": "diffusers"}, {"attention": "sdpa"}),
        ({"parallelism": ""}, {"ulysses": 8}),
        ({"parallelism": "cfg + ulysses"}, {"guidance": 2, "ulysses": 4}),
        ({"dtype": ""}, {"weights": "bf16", "compute": "bf16"}),
        ({"dtype": "fp8 weight-only"}, {"weights": "fp8", "compute": "bf16"}),
        ({"dtype": "nf4"}, {"weights": "int4", "compute": "bf16"}),
    ],
)
def test_what_a_generation_leaves_open_has_a_rule(changes, plan, row, efficiency):
    made = case(row("generate", **changes), efficiency).plan
    assert {name: getattr(made, name) for name in plan} == plan


def test_a_cache_saves_steps_on_average_and_no_evaluation(row, efficiency):
    words = {"cache_method": "teacache"}
    plain, cached = (
        {
            metric: evaluate(prepare(row("generate", metric=metric, **more), efficiency), efficiency).value
            for metric in ("s_per_it", "dit_step_s", "dit_total_s")
        }
        for more in ({}, words)
    )
    assert cached["dit_step_s"] == plain["dit_step_s"]
    for metric in ("s_per_it", "dit_total_s"):
        assert cached[metric] == pytest.approx((1 - 0.47) * plain[metric])


def test_offloaded_weights_take_longer(row, efficiency):
    words = {"chip": "rtx-4090", "num_chips": "1", "parallelism": "none"}
    kept, moved = (prepare(row("generate", **words, offload=flag), efficiency) for flag in ("0", "1"))
    one, two = (evaluate(each, efficiency) for each in (kept, moved))
    assert moved.plan.offload != "none"
    assert isinstance(one, Prediction)
    assert one.value < two.value


@pytest.mark.parametrize(("expert", "cut"), [("1", None), ("2", 4), ("4", 2), ("8", None)])
def test_groups_of_experts_cut_them_over_the_rest_of_the_tensor_group(row, efficiency, expert, cut):
    """TensorRT-LLM's documentation: moe_tensor_parallel_size x moe_expert_parallel_size is the tensor degree."""
    made = case(row("serve", model="Mixtral-8x7B", tp="8", num_chips="8", ep=expert), efficiency)
    assert (made.plan.expert, made.plan.expert_tensor) == (int(expert), cut)
    assert made.plan.expert_shards == 8


def test_requests_beyond_what_an_engine_takes_in_wait(row, efficiency):
    """vLLM runs 256 sequences on an RTX 4090, so of 512 half wait: as long as an answer takes (Little's law)."""
    words = {"chip": "rtx-4090", "num_chips": "1", "tp": "1", "model": "Qwen2.5-0.5B", "engine": "vLLM", "date": "2026"}
    words |= {"batch_kind": "max_concurrency", "input_len": "100", "output_len": "100", "weight_dtype": "bf16"}
    some, many, stay = (
        evaluate(prepare(row("serve", **words, metric=metric, concurrency_or_batch=number), efficiency), efficiency)
        for metric, number in (("ttft_ms", "256"), ("ttft_ms", "512"), ("request_latency_ms", "256"))
    )
    assert many.value == pytest.approx(some.value + stay.value, rel=1e-6)


@pytest.mark.parametrize(("notes", "split"), [("", None), ("ETP=2", 2), ("expert tensor parallelism 4; BF16", 4)])
def test_notes_on_training_say_how_many_chips_share_an_expert(row, efficiency, notes, split):
    words = {"model": "Mixtral-8x7B", "num_chips": "64", "tp": "4", "pp": "1", "ep": "8", "notes": notes}
    assert case(row("train", **words, params_total="", params_active="", layers="", hidden="", heads="", kv_heads="",
                    ffn="", vocab="", dp="16"), efficiency).plan.expert_tensor == split  # fmt: skip


LOOP = {"batch_kind": "max_concurrency", "concurrency_or_batch": "32", "metric": "ttft_ms", "input_len": "2048"}


@pytest.mark.parametrize(
    ("notes", "rounds", "in_step"),
    [
        ("", None, True), ("320 requests", 10, True), ("all requests at once", 1, True), ("1,600 prompts", 50, True),
        ("lengths vary from request to request; 64 requests", 2, False), ("ShareGPT", None, False),
        ("lengths do not vary", None, True), ("greedy, nothing sampled", None, True), ("3.5 requests/s", None, True),
        ("32 requests in all", None, True), ("one uniform length of 1024", None, True),
    ],
)  # fmt: skip
def test_how_requests_come_is_read_in_the_notes(notes, rounds, in_step, row, efficiency):
    made = case(row("serve", **LOOP, notes=notes), efficiency)
    assert (made.rounds, made.in_step) == (rounds, in_step)
    assert any("come back together" in words for words in made.setting.assumed) == in_step


def test_bursts_wait_longest_and_varied_lengths_least(row, efficiency):
    """Prefills ahead: half of the others at once or in step, a twentieth in ten rounds of varied lengths."""
    first = {
        notes: evaluate(prepare(row("serve", **LOOP, notes=notes), efficiency), efficiency).value
        for notes in ("all requests at once", "lengths vary; 64 requests", "lengths vary; 320 requests")
    }
    burst, two, ten = first.values()
    assert (burst - ten) / (two - ten) == pytest.approx((1 / 2 - 1 / 20) / (1 / 4 - 1 / 20))


def test_no_more_requests_are_in_flight_than_there_are(row, efficiency):
    few = row("serve", **{**LOOP, "concurrency_or_batch": "256"}, notes="100 requests")
    same = row("serve", **{**LOOP, "concurrency_or_batch": "100"}, notes="100 requests")
    one, other = (evaluate(prepare(each, efficiency), efficiency).value for each in (few, same))
    assert one == pytest.approx(other)
