"""From a generation row to a prediction: the whole pipeline, its denoising, one step, one evaluation, its decoding."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costline.accuracy.machines import cluster_of
from costline.accuracy.networks import family, generating_pipeline
from costline.accuracy.prediction import Prediction, Setting, machine_of, time_prediction
from costline.accuracy.refusal import UnpredictableError
from costline.accuracy.rows import GenerateRow
from costline.accuracy.words import number_format, release
from costline.engine.passes import Machine
from costline.engine.timing import Timing
from costline.estimate import timed, total
from costline.formulas.diffusion import evaluations
from costline.formulas.training import long_context_factor
from costline.hardware.chip import Chip
from costline.hardware.cluster import Cluster
from costline.hardware.efficiency import Efficiency
from costline.models.pipeline import Pipeline
from costline.numeric import some
from costline.plan import Plan
from costline.studies.clip import Clip, clip_streams
from costline.studies.formats import widened
from costline.studies.generate import denoising_flops, evaluation, generation_phases
from costline.studies.generation_memory import generation_memory
from costline.studies.methods import reused_at
from costline.studies.software import ONLY
from costline.studies.targets import generation_target

PHASES = {
    "e2e_s": ("encode text", "denoise", "decode"),
    "dit_total_s": ("denoise",),
    "vae_decode_s": ("decode",),
    "text_encode_s": ("encode text",),
}
"""Metric -> phases it covers."""
STEPS = ("s_per_it", "dit_step_s")
DEGREES = {
    "ulysses": "ulysses", "usp": "ulysses", "sp": "ulysses", "cp": "ulysses", "ring": "ring", "tp": "tensor",
    "cfg": "guidance", "cfgp": "guidance", "pipefusion": "pipeline", "pp": "pipeline", "dp": "data", "ddp": "data",
    "vaepp": "vae_parallel", "vae": "vae_parallel", "tensor": "tensor", "context": "ulysses", "data": "data",
}  # fmt: skip
"""Word of a source -> degree of a plan. Plain sequence parallelism is taken as Ulysses."""
WORD = re.compile(r"(?P<kind>[a-z]+)[=:_-]?(?P<degree>\d*)(?:[-(_].*)?")
BETWEEN = re.compile(r"[+,;/&×\s]+|(?<=\d)x(?=[a-z])")
"""What stands between two words of a parallelism."""
NARROW = (
    (r"nf4|bnb.?4bit|gguf.?q4\w*|q4_k\w*", "int4 stored"), (r"gguf.?q8\w*|q8_0", "int8 stored"), (r"e[45]m[23]", "fp8"),
    (r"svdq\w*.?|w4a4", "int4 "),
)  # fmt: skip
"""Pattern of a narrow format that sources of pictures and videos name -> the words that `number_format` reads."""
NO_DEGREE = frozenset({"none", "single", "fsdp", "hsdp", "dit", "npu", "unstated", "unknown"})
"""Words that change no degree: sharded weights, a named kernel."""
UNCACHED = frozenset({"", "none", "no", "off", "0"})
CACHES = ("teacache", "fbcache", "dbcache", "attncache")
"""Methods whose usual share of reuse has a row of its own."""
SPARSE = ("svg", "natten", "sla")
"""Sparse kernels whose usual density has a row of its own."""
KERNELS = ("fa1", "fa2", "fa3", "fa4", "sdpa", "cudnn")
"""Attention kernels by name. Of several the first that the chip runs counts; of FA2 and FA3 the former, which is what
installing the package gives."""
FUSED_ATTENTION = re.compile(r"xdit|official|svg|wan|hunyuan", re.I)
"""Software that calls FlashAttention where a row does not name the kernel; others call PyTorch's."""


@dataclass(frozen=True, kw_only=True)
class GenerateCase:
    """A generation row ready to be evaluated."""

    metric: str
    pipeline: Pipeline
    clip: Clip
    cluster: Cluster
    plan: Plan
    setting: Setting

    def evaluate(self, efficiency: Efficiency) -> Prediction:
        """Predict the metric with these coefficients."""
        machine = machine_of(self, efficiency)
        if self.metric in STEPS:
            timing = Timing()
            for network, share in self.pipeline.transformers:
                timing = timing + evaluation(network, self.clip, machine) * share
            if self.metric == "s_per_it":
                timing = timing * (self.clip.branches / self.plan.guidance * (1 - self.plan.reused))
            return time_prediction(timed("step", timing))
        phases = generation_phases(self.pipeline, self.clip, machine)
        whole = Timing()
        figures = []
        for name in PHASES[self.metric]:
            if name in phases and some(phases[name].point):
                whole = whole + phases[name]
                figures.append(timed(name, phases[name]))
        figure = total("time", "s", figures, low=whole.lower, high=whole.upper, note=f"bound by {whole.binds}")
        return time_prediction(figure)


def prepare_generate(row: GenerateRow, efficiency: Efficiency) -> GenerateCase:
    """Read a row.

    Parameters
    ----------
    row : GenerateRow
        Its conditions.
    efficiency : Efficiency
        For memory (whether weights stay on the chip where they are offloaded between phases) and for what caches and
        sparse kernels usually save.

    Raises
    ------
    UnpredictableError
        With the reason.
    """
    _check(row)
    pipeline, assumed = generating_pipeline(row)
    notes = list(assumed)
    chips = row.num_chips or 1
    cluster = cluster_of(row.chip, chips)
    plan = _plan(row, cluster.chip, chips, notes)
    clip = _clip(row, pipeline, plan, notes)
    if row.metric == "vae_decode_s" and pipeline.autoencoder is None:
        raise UnpredictableError("the autoencoder is not known")
    plan = _tiled(row, pipeline, plan, notes)
    plan = _saved(row, plan, efficiency, cluster.chip, notes)
    if row.offload:
        plan = _offloaded(pipeline, clip, cluster, plan, efficiency, notes)
    return GenerateCase(
        metric=row.metric, pipeline=pipeline, clip=clip, cluster=cluster, plan=plan,
        setting=_setting(row, pipeline, clip, cluster, plan, tuple(notes)),
    )  # fmt: skip


def _check(row: GenerateRow) -> None:
    """Refuse what is not predicted, with the reason."""
    if row.metric not in PHASES and row.metric not in STEPS:
        raise UnpredictableError(f"metric {row.metric[:40]} is not predicted")
    if row.model.lower() == "vae-only":
        raise UnpredictableError("which autoencoder it is is not stated")
    if not row.num_chips:
        raise UnpredictableError("number of chips is not stated")
    if not (row.width and row.height) and not row.latent_tokens:
        raise UnpredictableError("neither resolution nor latent tokens are stated")
    if row.metric in {"e2e_s", "dit_total_s"} and not row.steps:
        raise UnpredictableError("steps are not stated")


def _plan(row: GenerateRow, chip: Chip, chips: int, notes: list[str]) -> Plan:
    degrees = parallel_degrees(row.parallelism, chips)
    used = chips_used(degrees)
    if used == 1 < chips and not degrees:  # chips of one clip that nothing else is said of share its sequence
        degrees, used = {"ulysses": chips}, chips
        notes.append(f"parallelism not stated: {chips} chips share the sequence (Ulysses)")
    if used != chips and degrees.get("vae_parallel", 1) != chips:
        raise UnpredictableError(f"parallelism {row.parallelism[:40]!r} uses {used} chips, the row states {chips}")
    if not row.dtype:
        notes.append("number format not stated: bf16")
    weights, compute = formats_of(row.dtype or "bf16")
    compute, said = widened(chip, compute)
    notes.extend(filter(None, [said]))
    tool = release(row.framework, "generate", row.date, row.said, chip)
    plan = Plan(
        weights=weights, compute=compute, attention=_attention(row, chip, notes), software=tool.software,
        year=tool.year, compiled=bool(row.compile) or tool.compiled,
    )  # fmt: skip
    fields: dict[str, Any] = dict(degrees)
    return replace(plan, **fields)


def chips_used(degrees: dict[str, int]) -> int:
    """Chips that work on the transformer; those that share the autoencoder are the same ones."""
    return int(np.prod([size for name, size in degrees.items() if name != "vae_parallel"]))


def parallel_degrees(words: str, chips: int = 1) -> dict[str, int]:
    """Degrees a source writes as ``cfg2+ulysses4``; words without a number (fsdp) change none.

    Two guidance branches go without a number; the last other word without one has the chips that are left.

    Raises
    ------
    UnpredictableError
        A word that is not known.

    Examples
    --------
    >>> parallel_degrees("cfg2+ulysses4+fsdp"), parallel_degrees("ring2-p2p"), parallel_degrees("none")
    ({'guidance': 2, 'ulysses': 4}, {'ring': 2}, {})
    >>> parallel_degrees("cfg + ulysses", 8), parallel_degrees("cfg=2 x ring_4")
    ({'guidance': 2, 'ulysses': 4}, {'guidance': 2, 'ring': 4})
    """
    degrees: dict[str, int] = {}
    open_ended = ""
    for word in filter(None, BETWEEN.split(re.sub(r"\s*([=x])\s*(?=[a-z\d])", r"\1", words.lower()))):
        found = WORD.fullmatch(word)
        kind = found["kind"] if found else ""
        if kind in NO_DEGREE:
            continue
        if found is None or kind not in DEGREES:
            raise UnpredictableError(f"parallelism {word[:40]!r} is not known")
        name = DEGREES[kind]
        if not found["degree"] and name != "guidance":
            open_ended = name
        degrees[name] = degrees.get(name, 1) * int(found["degree"] or (2 if name == "guidance" else 1))
    if open_ended:
        left = chips if open_ended == "vae_parallel" else chips // max(chips_used(degrees), 1)
        degrees[open_ended] *= max(left, 1)
    return {name: size for name, size in degrees.items() if size > 1}


def formats_of(dtype: str) -> tuple[str, str]:
    """Formats of weights and products: dynamic quantisation (dq, w8a8) narrows both, weight-only the weights.

    Raises
    ------
    UnpredictableError
        A format that is not known.

    Examples
    --------
    >>> formats_of("fp8dqrow"), formats_of("int8wo"), formats_of("fp6_e3m2"), formats_of("bf16+fp32")
    (('fp8', 'fp8'), ('int8', 'bf16'), ('fp8', 'bf16'), ('bf16', 'bf16'))
    >>> formats_of("nf4"), formats_of("GGUF Q8_0"), formats_of("e4m3")
    (('int4', 'bf16'), ('int8', 'bf16'), ('fp8', 'fp8'))
    """
    word = dtype.lower()
    for pattern, name in NARROW:
        word = re.sub(pattern, name, word)
    weights = number_format(word, "weights")
    only_stored = re.search(r"wo\b|storage|fp6|fp4_e2m1|weight.only|stored", word)
    return weights, ("bf16" if only_stored and weights not in {"bf16", "fp16"} else weights)


def _attention(row: GenerateRow, chip: Chip, notes: list[str]) -> str:
    """Attention kernel in the words of a plan; empty leaves it to the chip."""
    words = re.split(r"[/(,;\s]+", row.attention_backend.lower())
    if any("sage" in word for word in (*words, row.dtype.lower())):
        return "sage"
    named = [name for word in words for name in KERNELS if word.startswith(name)]
    for name in named:
        if name == "cudnn":
            return name if chip.family == "blackwell" else "sdpa"
        if ONLY.get(name, chip.family) == chip.family and not (name == "fa3" and "fa2" in named):
            return name
    if chip.vendor != "NVIDIA" or (words[0] and not named):
        return ""
    kernel = "fa2" if FUSED_ATTENTION.search(row.framework) else "sdpa"
    notes.append(f"attention kernel not stated: {kernel}")
    return kernel


def _clip(row: GenerateRow, pipeline: Pipeline, plan: Plan, notes: list[str]) -> Clip:
    """What is generated; latent tokens only where pixels are not stated."""
    batch = row.batch or 1
    data = int(plan.data)
    if data > 1:
        batch = max(batch // data, 1)
    branches = row.cfg or pipeline.branches or 1
    if row.cfg is None:
        notes.append(f"evaluations a step not stated: {branches}")
    if plan.guidance > branches:
        raise UnpredictableError(f"{plan.guidance} guidance groups for {branches} evaluations a step")
    pixels = bool(row.width and row.height)
    clip = Clip(
        frames=row.frames or 1, height=row.height or 8, width=row.width or 8, fps=row.fps or 24.0, steps=row.steps or 1,
        branches=branches, batch=batch, tokens=None if pixels else row.latent_tokens,
    )  # fmt: skip
    counted = float(clip_streams(pipeline.transformers[0][0], clip)["image"])
    if row.latent_tokens and abs(counted / row.latent_tokens - 1) > 0.02:
        notes.append(f"latent tokens: {counted:,.0f} by the model's grid, the row states {row.latent_tokens:,}")
    return clip


def _tiled(row: GenerateRow, pipeline: Pipeline, plan: Plan, notes: list[str]) -> Plan:
    """The plan with the autoencoder's own tiles where the row says that it tiles."""
    if not row.vae_tiling or pipeline.autoencoder is None:
        return plan
    return replace(plan, vae_tile=pipeline.autoencoder.tiling.height)


def _saved(row: GenerateRow, plan: Plan, efficiency: Efficiency, chip: Chip, notes: list[str]) -> Plan:
    """The plan with what a cache reuses and a sparse kernel leaves out; sources name the method and not the share."""
    method = row.cache_method.lower()
    if method not in UNCACHED:
        kind = next((name for name in CACHES if name in method), "")
        at = None if not row.steps else reused_at(method, row.steps, efficiency, chip)
        plan = replace(plan, reused=efficiency.value("cache_reuse", chip, kind) if at is None else at[0])
        notes.append(f"share of evaluations that {method[:40]} reuses not stated: {plan.reused:.2g}")
    if row.sparse or "sparse" in row.attention_backend.lower():
        kernel = next((name for name in SPARSE if name in row.attention_backend.lower()), "")
        plan = replace(plan, density=efficiency.value("sparse_density", chip, kernel))
        notes.append(f"density of the sparse attention not stated: {plan.density:.2g}")
    return plan


def _offloaded(
    pipeline: Pipeline, clip: Clip, cluster: Cluster, plan: Plan, efficiency: Efficiency, notes: list[str]
) -> Plan:
    """Models wait in host memory while they do not run; the transformer layer by layer if it does not fit even so."""
    between = replace(plan, offload="encoders")
    fits = bool(generation_memory(pipeline, clip, Machine(cluster, efficiency, between)).fits)
    notes.append(f"offload: {'models between phases' if fits else 'weights layer by layer, as they do not fit'}")
    return between if fits else replace(plan, offload="weights")


def _setting(
    row: GenerateRow, pipeline: Pipeline, clip: Clip, cluster: Cluster, plan: Plan, notes: tuple[str, ...]
) -> Setting:
    machine: Any = _Bare(plan)
    number = float(evaluations(clip.steps, clip.branches))
    flops = float(denoising_flops(pipeline, clip, machine))
    network = pipeline.transformers[0][0]
    streams = clip_streams(network, clip)
    tokens = float(streams["image"])
    if row.metric in STEPS:
        share = (1.0 if row.metric == "dit_step_s" else float(clip.branches)) / number
        flops, number = flops * share, number * share
    # 2 N D T of the article, its factor for attention (15 at a million tokens) taken at the length of this clip
    rule = 2.0 * network.params * float(long_context_factor(tokens, network.hidden_size, 1))
    return Setting(
        family=family(network),
        software=row.framework,
        chips=float(row.num_chips or 1),
        batch=float(row.batch or 1),
        sequence=tokens,
        flops=flops,
        simple_flops=rule * tokens * number * float(clip.batch),
        peak=float(cluster.chip.rate(plan.compute)) * float(plan.replica),
        amount=0.0,
        regime=generation_target(plan, offloaded=bool(row.offload)),
        assumed=notes,
    )


@dataclass(frozen=True)
class _Bare:
    """What `denoising_flops` needs of a machine."""

    plan: Plan
