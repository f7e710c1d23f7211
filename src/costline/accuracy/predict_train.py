"""From a training row to a prediction: one optimizer step, and tokens a second of one chip."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import Any

from costline.accuracy.conventions import EXPERT_TENSOR
from costline.accuracy.machines import cluster_of, stated_links, units_per_chip
from costline.accuracy.networks import family, trained_decoder
from costline.accuracy.prediction import (
    Prediction,
    Setting,
    machine_of,
    rate_prediction,
    time_prediction,
)
from costline.accuracy.refusal import UnpredictableError
from costline.accuracy.rows import TrainRow
from costline.accuracy.words import number_format, release
from costline.engine.passes import Machine, training_step
from costline.estimate import timed, total
from costline.formulas.training import training_flops
from costline.hardware.cluster import Cluster
from costline.hardware.efficiency import Efficiency
from costline.models.decoder import Decoder
from costline.numeric import some
from costline.plan import Plan, Recompute
from costline.studies.batch import micro_batches_of
from costline.studies.formats import widened
from costline.studies.targets import training_target
from costline.studies.train import training_memory
from costline.studies.training_work import FORWARD_AND_BACKWARD

METRICS = ("tokens_per_s_per_gpu", "step_time_s")
SHARDING = re.compile(r"fsdp|maxtext|torchtitan|automodel|composer", re.I)
"""Frameworks that shard weights (ZeRO-3) unless they say otherwise."""
OPTIMIZER = re.compile(r"megatron|nemo|mcore|mindspeed|intern|neuronx", re.I)
"""Frameworks whose usual recipe shards the optimizer (ZeRO-1)."""
BALANCED = {"expert_spread": 0.0}
"""Published trainings of mixtures force balanced routing (README of the measurements), so no chip has more tokens."""
ROUNDING = 0.05
"""Part of a micro-batch that a printed global batch may exceed whole ones by. [micro-batch]"""
FULL = re.compile(r"full|custom|block|uniform", re.I)


@dataclass(frozen=True, kw_only=True)
class TrainCase:
    """A training row ready to be evaluated."""

    metric: str
    network: Decoder
    cluster: Cluster
    plan: Plan
    sequence: int
    sequences: float
    setting: Setting

    @property
    def tokens(self) -> float:
        """Tokens of a step. [token]"""
        return self.sequences * self.sequence

    def evaluate(self, efficiency: Efficiency) -> Prediction:
        """Predict the metric with these coefficients."""
        machine = machine_of(self, efficiency.replace(**BALANCED))
        streams = training_streams(self.network, self.sequence, self.plan)
        step = training_step(self.network, streams, micro_batches_of(self.sequences, self.plan), machine)
        whole = step.total
        phases = [timed(name, phase) for name, phase in step.phases.items() if some(phase.point)]
        figure = total("step", "s", phases, low=whole.lower, high=whole.upper, note=f"bound by {whole.binds}")
        if self.metric == "step_time_s":
            return time_prediction(figure)
        return rate_prediction("tokens a second of one chip", self.tokens / self.setting.chips, figure)


def training_streams(network: Decoder, sequence: int, plan: Plan) -> dict[str, Any]:
    """Tokens of one micro-batch of one replica."""
    return network.streams(tokens=sequence, logits=sequence, batch=plan.micro_batch)


def prepare_train(row: TrainRow, efficiency: Efficiency) -> TrainCase:
    """Read a row.

    Parameters
    ----------
    row : TrainRow
        Its conditions.
    efficiency : Efficiency
        Only for memory: whether activations fit decides what a blank ``recompute`` means.

    Raises
    ------
    UnpredictableError
        With the reason.
    """
    if row.metric not in METRICS:
        raise UnpredictableError(f"metric {row.metric[:40]} is not predicted")
    if row.task and row.task.partition(" ")[0] not in {"pretrain", "sft"}:
        raise UnpredictableError(f"task {row.task[:40]}: only training of all weights is predicted")
    if "diffusion" in row.task or "DiT" in row.task:
        raise UnpredictableError("training of a diffusion model: the table does not state its clips")
    for name in ("num_chips", "seq_len", "global_batch_seqs"):
        if not getattr(row, name):
            raise UnpredictableError(f"{name} is not stated")
    network, assumed = trained_decoder(row)
    notes = list(assumed)
    chips, sequence, batch = row.num_chips or 0, row.seq_len or 0, row.global_batch_seqs or 0.0
    cluster = stated_links(cluster_of(row.chip, chips), row.chips_per_node, row.interconnect_intra,
                           row.interconnect_inter)  # fmt: skip
    plan = _plan(row, chips, batch, cluster, notes)
    plan = _recomputing(row, network, plan, sequence, batch, cluster, efficiency, notes)
    return TrainCase(
        metric=row.metric, network=network, cluster=cluster, plan=plan, sequence=sequence,
        sequences=batch, setting=_setting(row, network, plan, cluster, batch, tuple(notes)),
    )  # fmt: skip


def _plan(row: TrainRow, chips: int, batch: float, cluster: Cluster, notes: list[str]) -> Plan:
    """Parallelism, formats and kernels; every blank that is filled leaves a note."""
    tensor, pipeline, context = row.tp or 1, row.pp or 1, row.cp or 1
    if row.tp is None or row.pp is None:
        notes.append("tensor and pipeline parallelism not stated: 1 where blank")
    units = units_per_chip(tensor * pipeline * context * (row.dp or 1), chips)
    cores = chips * units
    data = cores // (tensor * pipeline * context)
    if data < 1 or data * tensor * pipeline * context != cores:
        raise UnpredictableError(
            f"tp {tensor} x pp {pipeline} x cp {context} does not divide {cores} {'cores' if units > 1 else 'chips'}"
        )
    if row.dp is not None and row.dp != data:
        raise UnpredictableError(f"dp {row.dp} contradicts {cores} ranks over tp {tensor}, pp {pipeline}, cp {context}")
    samples = row.micro_batch or (1.0 if pipeline > 1 or tensor > 1 else max(batch / data, 1.0))
    if row.micro_batch is None:
        notes.append(f"micro-batch not stated: {samples:g}")
    if units > 1:  # the cores of a chip work as one
        tensor, data, samples = (tensor // units, data, samples) if tensor % units == 0 else (
            tensor, data // units, samples * units)  # fmt: skip
        notes.append(f"ranks are cores, {units} a chip")
    compute, said = widened(cluster.chip, number_format(row.dtype, "products"))
    notes.extend(filter(None, [said]))
    return Plan(
        weights="fp16" if compute == "fp16" else "bf16",
        compute=compute,
        tensor=tensor,
        pipeline=pipeline,
        virtual=row.vpp or 1,
        data=data,
        ring=context,
        expert=row.ep or 1,
        expert_tensor=next((degree for phrase, degree in EXPERT_TENSOR.items() if phrase in row.said), None),
        zero=_zero(row, notes),
        shard_scope="domain" if "shards inside a node" in row.said else "all",
        sequence_parallel="no sequence parallel" not in row.said,
        micro_batch=samples,
        **asdict(release(row.framework, "train", row.date or row.framework_version, row.said, cluster.chip)),
    )


def _zero(row: TrainRow, notes: list[str]) -> int:
    if row.zero_stage is not None:
        return min(row.zero_stage, 3)
    stage = 3 if SHARDING.search(row.framework) else 1 if OPTIMIZER.search(row.framework) else 0
    notes.append(f"ZeRO stage not stated: {stage}, usual for {row.framework or 'unnamed software'}")
    return stage


def _recomputing(
    row: TrainRow, network: Decoder, plan: Plan, sequence: int, batch: float, cluster: Cluster,
    efficiency: Efficiency, notes: list[str],
) -> Plan:  # fmt: skip
    """The plan with the stated recomputation; a blank is selective if that fits in memory, else of the layers it takes.

    That is Megatron's method ``block``: as many layers are computed again as memory demands.
    """

    def with_mode(mode: Recompute, share: float = 1.0) -> Plan:
        return replace(plan, recompute=mode, recomputed=share)

    if row.recompute:
        if FULL.search(row.recompute):
            return with_mode("full")
        return with_mode("selective" if "selective" in row.recompute.lower() else "none")
    streams = training_streams(network, sequence, plan)

    def free(mode: Recompute, share: float) -> float:
        machine = Machine(cluster, efficiency, with_mode(mode, share))
        return float(training_memory(network, streams, micro_batches_of(batch, plan), machine).free)

    if free("selective", 1.0) >= 0:
        notes.append("recomputation not stated: selective, which fits")
        return with_mode("selective")
    none, every = free("full", 0.0), free("full", 1.0)
    share = min(none / (none - every), 1.0) if every > none else 1.0
    notes.append(f"recomputation not stated: {share:.0%} of the layers, as less does not fit")
    return with_mode("full", share)


def _setting(
    row: TrainRow, network: Decoder, plan: Plan, cluster: Cluster, batch: float, notes: tuple[str, ...]
) -> Setting:
    chips = float(cluster.chips)
    sequence = row.seq_len or 0
    passes = batch / plan.micro_batch
    forward = network.flops(training_streams(network, sequence, plan))
    tokens = batch * sequence
    return Setting(
        family=family(network),
        software=row.framework,
        chips=chips,
        batch=batch,
        sequence=sequence,
        flops=float(FORWARD_AND_BACKWARD * forward * passes),
        simple_flops=float(training_flops(network.active_params, tokens)),
        peak=float(cluster.chip.rate(plan.compute)) * chips,
        amount=tokens / chips if row.metric == "tokens_per_s_per_gpu" else 0.0,
        regime=training_target(network),
        assumed=notes,
    )
