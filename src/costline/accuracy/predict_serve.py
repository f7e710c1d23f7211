"""From a serving row to a prediction: fixed batches, a stated concurrency, engines that fill their memory."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, TypeAlias

from costline.accuracy.conventions import requests_of
from costline.accuracy.machines import cluster_of
from costline.accuracy.networks import family, served_decoder
from costline.accuracy.prediction import Prediction, Setting, rate_prediction, time_prediction
from costline.accuracy.refusal import UnpredictableError
from costline.accuracy.rows import ServeRow
from costline.accuracy.serving_plan import Layout, Layouts, layouts
from costline.accuracy.words import number_format, release
from costline.catalogue.decoder_table import decoder_names, narrow_in
from costline.catalogue.software_table import software_called, software_named
from costline.engine.passes import Machine
from costline.estimate import Figure, total
from costline.formulas.pipeline import pipelined_share
from costline.formulas.serving import ahead_share, started_share
from costline.hardware.chip import Chip
from costline.hardware.cluster import Cluster
from costline.hardware.efficiency import Efficiency
from costline.models.decoder import Decoder
from costline.models.parts import Attention
from costline.numeric import Numeric, ceil_divide
from costline.plan import Plan
from costline.precision import element_bytes, usual_products
from costline.studies.formats import multiplied, widened
from costline.studies.serve import largest_batch
from costline.studies.serving_modes import first_of_pool, prefill_pool
from costline.studies.serving_times import Requests, Served
from costline.studies.software import sequences_taken
from costline.studies.targets import serving_target

Job: TypeAlias = Literal["static", "continuous", "prefill", "decode", "entering"]
"""A batch that starts together; a running batch that newcomers join; only one of the two phases; prompts that queue for
chips of their own."""

METRICS = (
    "output_tokens_per_s", "total_tokens_per_s", "ttft_ms", "tpot_ms", "itl_ms", "request_latency_ms",
    "prefill_tokens_per_s", "prefill_latency_ms", "tokens_per_s_per_gpu",
)  # fmt: skip
PROMPT_ALONE = frozenset({"prefill_tokens_per_s", "prefill_latency_ms"})
"""Metrics that no answer is part of, so that its length need not be stated."""
KINDS = {"fixed_batch": "static", "max_concurrency": "continuous", "saturated": "continuous"}
"""How a row was run -> how it is predicted."""
REFUSED = {
    "open_loop_poisson": "requests arrive at random: the batch follows from a queue that is not modelled",
    "server_SLO": "the rate found by a search for a latency limit: the queue is not modelled",
    "production_average": "an average over unknown traffic",
    "per_user_api_speed": "speed of an API whose batch is unknown",
}
WITH_CACHE = frozenset({"fp4"})
"""Formats of weights whose checkpoints state an fp8 cache: ModelOpt writes ``kv_cache_quant_algo`` beside NVFP4."""
MOST_SEQUENCES = 2048
"""Sequences an engine that fills its memory runs at most, where no limit is stated: assumed, as engines have one."""


@dataclass(frozen=True, kw_only=True)
class ServeCase:
    """A serving row ready to be evaluated.

    Attributes
    ----------
    batch : float or None
        Sequences in flight on one group of chips; None: as many as fit.
    most : float
        Limit where the batch is what fits.
    shown : float
        Chips (or 1 for a rate of all of them) the measured rate is for, over the chips of the group.
    rounds : float or None
        Requests of the run over those in flight, which all start at once; None: not stated.
    in_step : bool
        Whether all are of one length, and come back together: they are where nothing says that lengths vary.
    """

    metric: str
    job: Job
    network: Decoder
    cluster: Cluster
    plan: Plan
    input: int
    output: int
    batch: float | None
    most: float
    shown: float
    rounds: float | None
    in_step: bool
    in_turn: bool
    stages: int
    first: ServeCase | None
    setting: Setting

    def evaluate(self, efficiency: Efficiency) -> Prediction:
        """Predict the metric with these coefficients."""
        if self.first is not None and self.metric == "ttft_ms":
            return self.first.evaluate(efficiency)
        if self.rounds is not None and (self.rounds == 1 or not self.in_step):
            efficiency = efficiency.replace(queue=ahead_share(self.rounds))
        machine = Machine(self.cluster, efficiency, self.plan)
        if self.job == "entering":
            return time_prediction(self._entering(machine))
        batch = self.in_flight(machine)
        joining: Literal["static", "continuous"] = "continuous" if self.job == "continuous" else "static"
        requests = self._requests(batch=batch, batching=joining)
        served = Served(self.network, requests, machine)
        if self.metric.endswith("_ms"):
            return time_prediction(self.time_of(served, batch))
        if self.job == "prefill":
            return rate_prediction("prompt tokens a second", batch * self.input * self.shown, self.first_token(served))
        if self.job == "decode":
            return rate_prediction("output tokens a second", batch * self.shown, served.tpot)
        counted = self.output + (self.input if self.metric == "total_tokens_per_s" else 0)
        return rate_prediction("tokens a second", batch * counted * self.shown, self.request(served))

    def _entering(self, machine: Machine) -> Figure:
        """First token from chips that only prefill."""
        requests = self._requests()
        pool = prefill_pool(self.network, requests, 1, machine)
        return first_of_pool(pool, (self.batch or 1.0) / self.plan.data, machine, requests)

    def _requests(self, **known: Any) -> Requests:
        return Requests(input=self.input, output=self.output, in_step=self.in_step, **known)

    def first_token(self, served: Served) -> Figure:
        """Time to the first token; chips that hold some of the layers each pass chunks of the prompt on. [s]"""
        if self.stages == 1:
            return served.ttft
        tool = software_named(self.plan.software, "serve")
        # the output head is placed as one more layer; prompts pass it once
        fullest = ceil_divide(self.network.layers + 1, self.stages) / self.network.layers
        spacing = max(fullest, 1 / (tool.in_flight or self.stages))
        share = pipelined_share(spacing, ceil_divide(self.input, tool.chunk or self.input))
        return scaled(served.ttft, share, f"{self.stages} stages pass chunks on")

    def request(self, served: Served) -> Figure:
        """Time of a whole request with its bracket. [s]"""
        first, between, latency = self.first_token(served), served.tpot, served.latency
        sides = []
        for side in ("low", "high"):
            one, other = getattr(first, side), getattr(between, side)
            sides.append(None if one is None or other is None else one + other * (self.output - 1))
        return Figure(name="latency", value=latency.value, unit="s", low=sides[0], high=sides[1], combine="beside",
                      children=(first, between), note=latency.note)  # fmt: skip

    def time_of(self, served: Served, batch: float) -> Figure:
        """The time that a metric in milliseconds names."""
        if self.metric == "request_latency_ms":
            return self.request(served)
        if self.metric in {"tpot_ms", "itl_ms"}:
            return served.tpot
        turn = self.in_turn and self.metric == "ttft_ms"
        first = _in_turn(self.first_token(served), batch) if turn else self.first_token(served)
        return self._waited(first, served, batch)

    def _waited(self, first: Figure, served: Served, batch: float) -> Figure:
        """First token of requests that wait for a place, where more are in flight than fit."""
        asked = batch if self.batch is None or self.job != "continuous" else self.batch
        if asked <= batch:
            return first
        share = 1.0 if self.rounds is None else started_share(asked, batch, self.rounds)
        waited = share * served.latency.amount * (asked / batch - 1)
        wait = Figure(name="wait for a place", value=waited, unit="s", note="Little's law")
        return total("ttft", "s", (first, wait), low=first.low, high=first.high, note=first.note)

    def in_flight(self, machine: Machine) -> float:
        """Sequences in flight on one group of chips: as stated, but for a running engine at most what fits."""
        if self.batch is not None and self.job != "continuous":
            return self.batch
        # engines with a stated limit take requests in as long as the caches of the moment fit, full on average by half
        held = self.input + (self.output if self.batch is None else self.output / 2)
        fits = float(largest_batch(self.network, held, machine, self.input))
        if fits <= 0 and self.batch is not None:  # it was measured, so the chip is of a form with more memory
            fits = self.batch
        taken = sequences_taken(self.plan.software, self.cluster.chip) * float(self.plan.data)
        return min(max(fits, float(self.plan.data)), taken, self.most if self.batch is None else self.batch)


def _in_turn(first: Figure, batch: float) -> Figure:
    """Mean first token of a batch whose prompts are prefilled one after the other."""
    return scaled(first, (batch + 1) / (2 * batch), "mean over a batch prefilled in turn")


def scaled(first: Figure, share: Numeric, note: str) -> Figure:
    """TTFT of which only a share counts."""
    low, high = (None if side is None else side * share for side in (first.low, first.high))
    return Figure(name="ttft", value=first.amount * share, unit="s", low=low, high=high, combine="beside",
                  children=(first,), note=note)  # fmt: skip


def prepare_serve(row: ServeRow, efficiency: Efficiency) -> ServeCase:
    """Read a row.

    Raises
    ------
    UnpredictableError
        With the reason.
    """
    _check(row)
    network, assumed = served_decoder(row.model)
    notes = list(assumed)
    where = layouts(row, notes)
    chip_count = where.decode.chips
    base = cluster_of(row.chip, chip_count)
    formats = _formats(row, network, base.chip, notes)
    case = _case(row, network, where, where.decode, formats, notes)
    if not where.disaggregated:
        return case
    first = _case(row, network, where, where.prefill, formats, notes)
    return replace(case, job="decode", first=replace(first, job="entering"))


def _check(row: ServeRow) -> None:
    """Refuse what is not predicted, with the reason."""
    if row.metric not in METRICS:
        raise UnpredictableError(f"metric {row.metric[:40]} is not predicted")
    if row.spec_decode not in {"", "none"}:
        raise UnpredictableError(f"speculative decoding is not modelled: {row.spec_decode[:40]}")
    if row.batch_kind not in KINDS:
        raise UnpredictableError(REFUSED.get(row.batch_kind, f"batch kind {row.batch_kind[:40]!r} is not known"))
    if row.input_len is None and row.metric != "tpot_ms":
        raise UnpredictableError("input length is not stated")
    if row.output_len is None and row.metric not in PROMPT_ALONE:
        raise UnpredictableError("output length is not stated")


def _formats(row: ServeRow, network: Decoder, chip: Chip, notes: list[str]) -> dict[str, Any]:
    """Formats of weights, products and cache, and which weights are in theirs."""
    weights = number_format(row.weight_dtype, "weights")
    compute = number_format(row.compute_dtype, "products") if row.compute_dtype else usual_products(weights)
    if not row.compute_dtype:
        notes.append(f"format of the products not stated: {compute}")
    tool = software_called(row.engine, "serve")
    compute, said = widened(chip, multiplied(compute, "" if tool is None else tool.products))
    notes.extend(filter(None, [said]))
    if not row.kv_dtype or row.kv_dtype.startswith("unstated"):
        own = "" if tool is None or weights in WITH_CACHE else tool.cache
        cache = own or ("bf16" if element_bytes(weights) >= 2 else "fp8")
        notes.append(f"format of the cache not stated: {cache}")
    else:
        cache = number_format(row.kv_dtype, "cache")
    if weights == "fp16" and compute == "bf16":
        weights = "bf16"
    narrow = narrow_in(network.name, weights) if network.name in decoder_names() else "layers"
    return {"weights": weights, "compute": compute, "cache": cache, "narrow": narrow}


def _case(
    row: ServeRow, network: Decoder, where: Layouts, layout: Layout, formats: dict[str, Any], notes: list[str]
) -> ServeCase:
    cluster = cluster_of(row.chip, layout.chips)
    heads = max((part.heads for part in network.parts if isinstance(part, Attention)), default=1)
    if layout.tensor > heads:
        raise UnpredictableError(f"tp {layout.tensor} exceeds the {heads} heads of {network.name}")
    job = _job(row)
    batch, most = _batch(row, layout, notes)
    plan = Plan(
        **formats,
        tensor=layout.tensor,
        pipeline=layout.pipeline,
        data=layout.data,
        expert=layout.expert,
        expert_tensor=layout.cut,
        **asdict(release(row.engine, "serve", row.date, row.said, cluster.chip)),
    )
    tokens_in, tokens_out = max(row.input_len or 0, 1), max(round(row.output_len or 0), 1)
    shown = _shown(row, layout, where)
    in_step = "varied lengths" not in row.said
    if job == "continuous" and in_step:
        notes.append("nothing says that lengths vary: requests of one length, which come back together")
    setting = _setting(row, network, cluster, plan, (tokens_in, tokens_out), batch, job, shown, tuple(notes))
    return ServeCase(
        metric=row.metric, job=job, network=network, cluster=cluster, plan=plan, input=tokens_in, output=tokens_out,
        batch=batch, most=most, shown=shown, rounds=_rounds(row), in_step=in_step, in_turn="turn by turn" in row.said,
        stages=layout.stages, first=None, setting=setting,
    )  # fmt: skip


def _job(row: ServeRow) -> Job:
    if row.metric in PROMPT_ALONE or "prefill only" in row.said:
        return "prefill"
    if "decode only" in row.said:
        return "decode"
    return "static" if KINDS[row.batch_kind] == "static" else "continuous"


def _batch(row: ServeRow, layout: Layout, notes: list[str]) -> tuple[float | None, float]:
    """Sequences in flight on one group of chips (None: what fits), and the limit of what fits."""
    if row.metric == "ttft_ms" and "one at a time" in row.said:
        return 1.0, 1.0
    words = row.concurrency_or_batch
    number, flying = re.search(r"\d+(?:\.\d+)?", words), _flying(row)
    if flying is not None:
        if not flying:
            raise UnpredictableError("batch is 0")
        if KINDS[row.batch_kind] == "continuous":  # no more are in flight than there are
            flying = min(flying, float(requests_of(row.said) or flying))
        return max(flying / layout.instances, 1.0 if layout.data == 1 else 0.0), flying
    if number and "tokens" in words:
        return max(float(number[0]) * layout.chips / max(row.input_len or 1, 1), 1.0), float("inf")
    if number and re.search(r"per (gpu|chip)", words, re.I):
        return float(number[0]) * layout.chips, float("inf")
    if row.batch_kind != "saturated":
        raise UnpredictableError(f"batch is {words[:40]!r}" if words else "batch is not stated")
    if limit := re.fullmatch(r"max\.? (\d+)", words):
        return None, float(limit[1])
    notes.append(f"batch not stated: what fits, at most {MOST_SEQUENCES}")
    return None, float(MOST_SEQUENCES * layout.data)


def _flying(row: ServeRow) -> float | None:
    """Requests in flight, where they are stated as a number and nothing else."""
    words = row.concurrency_or_batch
    return float(words) if re.fullmatch(r"\d+(?:\.\d+)?", words) else None


def _rounds(row: ServeRow) -> float | None:
    """Requests of the run over those in flight."""
    flying, asked = _flying(row), requests_of(row.said)
    if KINDS[row.batch_kind] == "static" or not flying:
        return None
    if "all requests at once" in row.said:
        return 1.0
    return None if asked is None else max(asked / flying, 1.0)


def _shown(row: ServeRow, layout: Layout, where: Layouts) -> float:
    """Part of the group's rate that the row shows: one chip, the stated chips of a wider group, all instances."""
    if row.metric == "tokens_per_s_per_gpu":
        return 1 / layout.chips
    if where.disaggregated:
        return float(layout.instances)
    return 1.0 if layout.sequential else (row.num_chips or layout.chips) / layout.chips


def _setting(
    row: ServeRow, network: Decoder, cluster: Cluster, plan: Plan, lengths: tuple[int, int], batch: float | None,
    job: Job, shown: float, notes: tuple[str, ...],
) -> Setting:  # fmt: skip
    tokens_in, tokens_out = lengths
    prompts = float(network.flops(network.streams(tokens=tokens_in)))
    step = network.streams(tokens=1, cached=tokens_in + tokens_out / 2 - 1)
    answer = float(network.flops(step)) * tokens_out
    size, share = batch or 1.0, shown
    n = 2.0 * network.active_params
    single = row.metric == "ttft_ms" and job != "static"
    if row.metric in {"ttft_ms", "prefill_latency_ms"} or job == "prefill":
        size = 1.0 if single else size
        flops, simple, tokens = prompts * size, n * tokens_in * size, tokens_in * size
    elif row.metric in {"tpot_ms", "itl_ms"} or job == "decode":
        flops, simple, tokens = answer / tokens_out * size, n * size, size
    else:
        flops, simple = (prompts + answer) * size, n * (tokens_in + tokens_out) * size
        tokens = (tokens_out + (tokens_in if row.metric == "total_tokens_per_s" else 0)) * size
    return Setting(
        family=family(network),
        software=row.engine,
        chips=float(row.num_chips or cluster.chips),
        batch=batch if batch is not None else float("nan"),
        sequence=tokens_in + tokens_out,
        flops=flops,
        simple_flops=simple,
        peak=float(cluster.chip.rate(plan.compute)) * float(cluster.chips),
        amount=0.0 if row.metric.endswith("_ms") else tokens * share,
        regime=_target(row),
        assumed=notes,
    )


def _target(row: ServeRow) -> str:
    """Which target the row belongs to."""
    prefill = row.metric in PROMPT_ALONE
    return serving_target(first=prefill or row.metric == "ttft_ms", alone=prefill or row.batch_kind == "fixed_batch")
