"""Prefill and decode on chips of their own: a plan for each pool, and how the chips are divided."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from costline.engine.memory import Memory
from costline.engine.passes import Machine
from costline.engine.timing import Timing
from costline.estimate import Estimate
from costline.models.decoder import Decoder
from costline.numeric import Array, Numeric
from costline.plan import Plan
from costline.search.front import non_dominated
from costline.search.limits import Limit
from costline.search.serving import LARGEST_BATCH, batches, replica_axes
from costline.search.setting import Measured, Setting, plain, plan_words, site_words
from costline.studies.blocks import Axes, Block, blocks
from costline.studies.economics import Economics, mean_power
from costline.studies.fit import Fit
from costline.studies.serve import serving_estimate
from costline.studies.serving_memory import context_notes
from costline.studies.serving_modes import Pool, apart_figures, decode_pool, prefill_pool
from costline.studies.serving_times import Requests
from costline.studies.space import smallest_group

PREFILL_BATCHES = (1, 2, 4, 8)
"""Prompts prefilled together: a thousand tokens fill a chip already."""
STEPS = (-2, -1, 0, 1)
"""How far from the even balance the number of the larger units may be for the highest rate.

Units come whole. With n units of size u the rate is the lesser of n R, which rises, and of what floor((N - n u) / v) of
the smaller units do, which falls and lies at most one such unit under its own line; so they cross at most v / u + 1,
which is no more than 2, before the lines do.
"""
SPLITS = 64
"""Ways to divide the chips, for limits that ask for another balance: every one where there are no more."""
DIVIDED = ("tensor", "pipeline", "expert")


@dataclass(frozen=True)
class Kind:
    """Ways to run one pool that fit and that no other way beats, one a position of its arrays.

    Attributes
    ----------
    pool : Pool
        Timing, rate and memory of one replica.
    fields : dict of str to array
        Plan of one unit: `data` replicas, as few as can share their experts.
    units : array
        Chips of a unit, smallest first. [chip]
    """

    pool: Pool
    fields: dict[str, Array]
    units: Array

    @property
    def number(self) -> int:
        """Ways."""
        return int(self.units.size)

    def at(self, place: Any) -> tuple[Pool, dict[str, Any], Any]:
        """Pool, plan fields and unit at positions."""
        return chosen(self.pool, place), {name: one[place] for name, one in self.fields.items()}, self.units[place]


def chosen(value: Any, place: Any) -> Any:
    """Arrays inside `value` at positions; the rest as it is."""
    if isinstance(value, np.ndarray):
        return value[place]
    if isinstance(value, dict):
        return {name: chosen(one, place) for name, one in value.items()}
    if isinstance(value, Pool | Timing | Memory):
        return replace(value, **{name: chosen(one, place) for name, one in vars(value).items()})
    return value


def spread_out(value: Any, block: Block) -> Any:
    """Arrays inside `value` as one entry a combination of a block."""
    if isinstance(value, np.ndarray):
        return block.flat(value)[:, 0]
    if isinstance(value, dict):
        return {name: spread_out(one, block) for name, one in value.items()}
    if isinstance(value, Pool | Timing | Memory):
        return replace(value, **{name: spread_out(one, block) for name, one in vars(value).items()})
    return value


def _kind(axes: Axes, machine: Machine, made: Callable[[Numeric, Machine], Pool], careful: bool) -> Kind | None:
    """All ways to run a pool, the beaten ones left out; None if none fits."""
    (block,) = blocks(axes, limit=2**62)
    known: dict[str, Any] = {name: block.fields[name] for name in DIVIDED}
    plan = replace(machine.plan, **known)
    plan = replace(plan, data=smallest_group(plan))
    place = replace(machine, plan=plan)
    pool = made(block.fields["batch"], place)
    units = np.asarray(plan.replica * plan.data)
    flat = spread_out(replace(pool, batch=np.asarray(pool.batch), rate=np.asarray(pool.rate)), block)
    every = block.at(np.arange(block.size)) | {"data": block.flat(plan.data)[:, 0]}
    size = block.flat(units)[:, 0]
    good = np.flatnonzero(block.flat((units <= machine.cluster.chips) & np.asarray(pool.memory.fits))[:, 0])
    if not good.size:
        return None
    point, rate = (np.broadcast_to(one, size.shape) for one in (flat.timing.point, flat.rate * every["data"]))
    above = _power_above_idle(flat.timing, place) * size / rate
    used = np.broadcast_to(np.asarray(flat.memory.total), size.shape)
    # the fewer requests are in flight the shorter is the queue, so a smaller batch is something gained
    measures = [point, -rate, every["batch"] * every["data"], above, *([used] if careful else [])]
    kept = _unbeaten(good, np.stack(measures, axis=1), np.stack([size, size / every["data"]], axis=1))
    kept = kept[np.argsort(size[kept], kind="stable")]
    return Kind(chosen(flat, kept), {name: every[name][kept] for name in (*DIVIDED, "data")}, size[kept])


def _power_above_idle(timing: Timing, machine: Machine) -> Numeric:
    """What working draws beyond waiting, of one chip; 0 where no power is known. [W]"""
    alone = replace(machine, cluster=replace(machine.cluster, chips=1))
    busy, idle = mean_power(timing, alone), mean_power(replace(timing, bound={}), alone)
    return 0.0 if busy is None or idle is None else busy - idle


def _unbeaten(places: Array, measures: Array, groups: Array) -> Array:
    """Of units of the same chips, those that are not slower, of lower rate, fuller and thirstier than another.

    The answer of both pools together can only gain when one pool gains in one of these, so the others need not be
    combined.
    """
    kept = []
    for group in np.unique(groups[places], axis=0):
        inside = places[(groups[places] == group).all(axis=1)]
        kept.append(inside[non_dominated(measures[inside])])
    return np.sort(np.concatenate(kept))


def _kinds(
    network: Decoder,
    requests: Requests,
    machine: Machine,
    fixed: Mapping[str, Any],
    limits: Sequence[Limit],
    every: bool = False,
) -> tuple[Kind, Kind] | None:
    """Ways to run either pool; those that break a limit whatever the other pool does only if `every` is asked for."""
    careful = any(limit.figure == "memory" for limit in limits)
    chips = int(np.max(machine.cluster.chips))
    own = replica_axes(network, chips, fixed)
    ways: tuple[tuple[Sequence[int], Callable[[Numeric, Machine], Pool]], ...] = (
        (PREFILL_BATCHES, lambda size, at: prefill_pool(network, requests, size, at)),
        (batches(LARGEST_BATCH), lambda size, at: decode_pool(network, requests, size, at)),
    )
    prefill, decode = (_kind({"batch": sizes, **own}, machine, made, careful) for sizes, made in ways)
    if not every:
        prefill, decode = _quick(prefill, "ttft", limits), _quick(decode, "tpot", limits)
    return None if chips < 2 or prefill is None or decode is None else (prefill, decode)


def _quick(kind: Kind | None, figure: str, limits: Sequence[Limit]) -> Kind | None:
    """The ways that alone take no longer than a limit allows."""
    most = min((limit.value for limit in limits if limit.figure == figure and limit.most), default=np.inf)
    kept = np.flatnonzero(kind.pool.timing.point <= most) if kind else np.empty(0)
    if kind is None or not kept.size:
        return None
    return Kind(chosen(kind.pool, kept), {name: one[kept] for name, one in kind.fields.items()}, kind.units[kept])


def apart_setting(
    network: Decoder,
    requests: Requests,
    machine: Machine,
    economics: Economics,
    fixed: Mapping[str, Any],
    title: str = "",
    limits: Sequence[Limit] = (),
    every: bool = False,
) -> Setting | None:
    """All plans with a pool for prefill and one for decode; None where either cannot be run on these chips.

    Parameters
    ----------
    network, requests, machine, economics
        As for `costline.studies.serve.serve`; the search chooses the batch.
    fixed : mapping
        Fields of the plan that the user set, for both pools.
    title : str
        The question in words.
    limits : sequence of Limit
        What must hold: ways to run a pool that break a limit whatever the other does are left out.
    every : bool
        Whether they are not.
    """
    kinds = _kinds(network, requests, machine, fixed, limits, every)
    if kinds is None:
        return None
    prefill, decode = kinds
    known: list[tuple[Any, Any]] = []  # the block at hand: which of it is legal and what it gives are asked in turn

    def divided(fields: Mapping[str, Any]) -> Any:
        if not known or known[0][0] is not fields:
            known[:] = [(fields, _divided(kinds, machine, fields))]
        return known[0][1]

    def measure(place: Machine, fields: Mapping[str, Any]) -> Measured:
        pools, places, _ = divided(fields)
        return Measured(*apart_figures(network, requests, pools, places, economics))

    def estimate(place: Machine, fields: Mapping[str, Any]) -> Estimate:
        pools, places = _single(kinds, machine, fields)
        figures, _ = apart_figures(network, requests, pools, places, economics)
        held = replace(requests, batch=pools[1].batch * places[1].plan.data)
        answer = serving_estimate(network, held, machine, dict(figures), Fit(True), title)
        words = {name: _pool_words(one, at) for name, one, at in zip(("prefill", "decode"), pools, places, strict=True)}
        chips = {name: plain(at.cluster.chips) for name, at in zip(words, places, strict=True)}
        inputs = {**answer.inputs, **words, "pools": chips}  # no note on idle chips: either pool has its own
        return replace(answer, inputs=inputs, warnings=context_notes(network, requests.input + requests.output))

    def shown(place: Machine, fields: Mapping[str, Any]) -> str:
        prefill, decode = (_pool_words(*one) for one in zip(*_single(kinds, machine, fields), strict=True))
        return f"prefill on {prefill}; decode on {decode}"

    return Setting(
        words=site_words(machine, "prefill and decode apart"),
        machine=machine,
        axes={"split": [*STEPS, *_shares(machine)], "prefill": range(prefill.number), "decode": range(decode.number)},
        walked=lambda axes: _walked(kinds, machine, axes),
        legal=lambda fields, plan: divided(fields)[2],
        compared=("split",),
        measure=measure,
        estimate=estimate,
        shown=shown,
    )


def _shares(machine: Machine) -> list[int]:
    """Ranks of the number of larger units, beyond the values that mean `STEPS`."""
    return [max(STEPS) + rank for rank in range(1, int(min(np.max(machine.cluster.chips), SPLITS)))]


def _walked(kinds: tuple[Kind, Kind], machine: Machine, axes: Axes) -> Iterator[Block]:
    """Blocks without the units that are too large for a division, or whose every division is ranked anyway."""

    def small(split: int) -> tuple[int, ...]:
        most = np.max(machine.cluster.chips) / (split - max(STEPS) if split > max(STEPS) else SPLITS)
        return tuple(int(np.searchsorted(kind.units, most)) for kind in kinds)

    for numbers, splits in groupby(axes["split"], small):
        if all(numbers):
            ways = {name: range(number) for name, number in zip(("prefill", "decode"), numbers, strict=True)}
            yield from blocks({"split": list(splits), **ways})


def _divided(
    kinds: tuple[Kind, Kind], machine: Machine, fields: Mapping[str, Any]
) -> tuple[tuple[Pool, Pool], tuple[Machine, Machine], Any]:
    """Pools, where they are, and whether both have a unit at least."""
    chips = machine.cluster.chips
    (entering, one, unit), (leaving, other, last) = (
        kind.at(np.asarray(fields[name]).astype(np.int64))
        for kind, name in zip(kinds, ("prefill", "decode"), strict=True)
    )
    rates = entering.rate * one["data"], leaving.rate * other["data"]
    coarse = unit >= last  # whether the larger units are those of prefill
    large, small = np.where(coarse, unit, last), np.where(coarse, last, unit)
    ratio = np.where(coarse, rates[0] / rates[1], rates[1] / rates[0])
    split = fields["split"]
    ranked = np.floor((split - max(STEPS)) * np.maximum(chips / (SPLITS * large), 1))
    many = np.where(split > max(STEPS), ranked, np.floor(chips / (large + small * ratio)) + split)
    others = np.floor((chips - many * large) / small)
    legal = (many >= 1) & (others >= 1)
    many, others = np.maximum(many, 1), np.maximum(others, 1)
    number, rest = np.where(coarse, many, others), np.where(coarse, others, many)
    places = []
    for plan, units, size in ((one, number, number * unit), (other, rest, chips - number * unit)):
        known: dict[str, Any] = {**plan, "data": plan["data"] * units}
        cluster = replace(machine.cluster, chips=np.maximum(size, 1))
        places.append(Machine(cluster, machine.efficiency, replace(machine.plan, **known)))
    return (entering, leaving), (places[0], places[1]), legal


def _single(
    kinds: tuple[Kind, Kind], machine: Machine, fields: Mapping[str, Any]
) -> tuple[tuple[Pool, Pool], tuple[Machine, Machine]]:
    """Pools of one division and where they are, in plain numbers."""
    pools, places, _ = _divided(kinds, machine, {name: np.asarray(float(one)) for name, one in fields.items()})
    return (_numbers(pools[0]), _numbers(pools[1])), (_numbers(places[0]), _numbers(places[1]))


def _numbers(value: Any) -> Any:
    """Arrays of one number inside `value` as that number."""
    if isinstance(value, np.ndarray | np.generic):
        return plain(value)
    if isinstance(value, dict):
        return {name: _numbers(one) for name, one in value.items()}
    if isinstance(value, Pool | Timing | Memory | Plan):
        return replace(value, **{name: _numbers(one) for name, one in vars(value).items()})
    if isinstance(value, Machine):
        return Machine(
            replace(value.cluster, chips=_numbers(value.cluster.chips)), value.efficiency, _numbers(value.plan)
        )
    return value


def _pool_words(pool: Pool, machine: Machine) -> str:
    return f"{machine.cluster.chips} chips: {plan_words(machine.plan)}, batch={plain(pool.batch)}"
