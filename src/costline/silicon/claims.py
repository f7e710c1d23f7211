"""The article's claims about chips, judged by the models: each verdict is computed, with the settings it holds for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from costline.catalogue import Catalogue
from costline.engine.passes import Machine
from costline.formulas.sram import chips_to_hold
from costline.models.decoder import Decoder
from costline.plan import Plan
from costline.silicon.decoding import Talk
from costline.silicon.designs import Case
from costline.silicon.filming import Film
from costline.silicon.inputs import node_of
from costline.silicon.levers import CLEAR, Lever, film_lever, talk_levers
from costline.silicon.pim import decode_split, device
from costline.silicon.search import Design, search

LENGTHS = ((100, 1000), (1000, 200))
"""Prompts and answers tried: long answers, where decoding is all, and long prompts. [token]"""
LIMITS = (0.03, 0.05, 0.2)
"""Longest times per token tried. [s]"""
MID, SRAM = "mid node, large memory", "SRAM only"


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A claim of the article with its verdict, and the figures that it rests on."""

    id: str
    claim: str
    verdict: str
    because: str


@dataclass(frozen=True)
class Setting:
    """A workload and the winners of the search for it."""

    talk: Talk
    winners: dict[str, Design]

    def against(self, kind: str) -> float | None:
        """Cost of the best design of a kind over the cheapest of all others; None where it has none. [1]"""
        own = self.winners.get(kind)
        others = [each.token for name, each in self.winners.items() if name != kind]
        return own.token / min(others) if own is not None and others else None


def settings(talk: Talk) -> list[Setting]:
    """The search for every length and limit."""
    made = []
    for prompt, answer in LENGTHS:
        for limit in LIMITS:
            one = replace(talk, input=prompt, output=answer, tpot=limit)
            found = search(Case(talk=one))
            made.append(Setting(one, {each.kind: each for each in found.winners}))
    return made


def judge(talk: Talk, film: Film, book: Catalogue, chip: str = "a100-sxm-80gb") -> list[Judged]:
    """Judge S33 to S38.

    Parameters
    ----------
    talk, film : Talk, Film
        Workloads; lengths and limits are varied.
    book : Catalogue
        Chips and coefficients.
    chip : str
        Chip whose figures are doubled for S38.
    """
    tried = settings(talk)
    return [
        _groq(talk.network, book),
        _printed(book),
        _mid_node(tried),
        _sram(tried),
        _in_memory(book),
        _arithmetic(talk, film, book, chip),
    ]


def _groq(network: Decoder, book: Catalogue) -> Judged:
    chip = book.chip("groq-lpu-v1")
    rate, node = float(chip.rate("fp16")) / 1e12, node_of(chip.details["process_node"])
    held = float(chips_to_hold(Talk(network=network).weights, chip.memory))
    true = abs(rate / 188 - 1) < 0.01 and node == "14"
    return Judged(
        id="S33",
        claim="Groq: 14 nm, 188 TFLOP/s, SRAM only",
        verdict="holds" if true else "does not hold",
        because=f"{node} nm, {rate:.0f} TFLOP/s; {held:,.0f} chips hold the weights of {network.name}",
    )


def _printed(book: Catalogue) -> Judged:
    tpu, ascend = float(book.chip("tpu-v5e").rate("bf16")) / 1e12, float(book.chip("ascend-910b").rate("fp16")) / 1e12
    true = abs(tpu / 197 - 1) < 0.01 and abs(ascend / 376 - 1) < 0.01
    return Judged(
        id="S34",
        claim="TPU v5e 197, Ascend 910B 376 TFLOP/s",
        verdict="holds as printed" if true else "does not hold",
        because=f"the catalogue has {tpu:.0f} and {ascend:.0f} TFLOP/s",
    )


def _settings(chosen: Sequence[Setting]) -> str:
    """Lengths and their limits in words."""
    limits: dict[str, list[str]] = {}
    for one in chosen:
        lengths = f"{one.talk.input:,} + {one.talk.output:,} tokens"
        limits.setdefault(lengths, []).append(f"{one.talk.tpot * 1e3:.0f}")
    return "; ".join(f"{lengths} at {', '.join(each)} ms" for lengths, each in limits.items())


def _span(values: Sequence[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}" if max(values) > 1.005 * min(values) else f"{values[0]:.2f}"


def _mid_node(tried: Sequence[Setting]) -> Judged:
    """S35: how much dearer the best mid-node design is than the best of the others."""
    costs = [cost for one in tried if (cost := one.against(MID)) is not None]
    if not costs:
        return Judged(id="S35", claim=S35, verdict="cannot be judged", because="no such design serves the workload")
    won = _settings([one for one in tried if (one.against(MID) or 2.0) < 1])
    sure = max(one.winners[MID].sure for one in tried if MID in one.winners)
    verdict = "does not hold" if not won else f"holds for {won}"
    because = (
        f"its best design costs {_span(costs)} times the best other, over {len(costs)} lengths and "
        f"limits, and is the cheapest in at most {sure:.0%} of the draws"
    )
    return Judged(id="S35", claim=S35, verdict=verdict, because=because)


S35 = "a 14 nm chip with large memory is the best value for decoding"


def _sram(tried: Sequence[Setting]) -> Judged:
    """S36: where on-chip memory alone is the dearer answer."""
    claim = "pure SRAM may not be a good answer"
    costs = [cost for one in tried if (cost := one.against(SRAM)) is not None]
    if not costs:
        return Judged(id="S36", claim=claim, verdict="holds", because="no such design serves the workload")
    dear = _settings([one for one in tried if (one.against(SRAM) or 0.0) > 1])
    sure = [one.winners[SRAM].sure for one in tried if SRAM in one.winners]
    faster = [
        min(each.floor for name, each in one.winners.items() if name != SRAM) / one.winners[SRAM].floor
        for one in tried if SRAM in one.winners and len(one.winners) > 1
    ]  # fmt: skip
    if all(cost > 1 for cost in costs):
        verdict = "holds for cost, not for latency"
    else:
        verdict = f"open: dearer than others for {dear}" if dear else "does not hold"
    because = (
        f"{_span(costs)} times the cost of the best other, cheapest in {min(sure):.0%} to "
        f"{max(sure):.0%} of the draws, and a token {_span(faster)} times as soon"
    )
    return Judged(id="S36", claim=claim, verdict=verdict, because=because)


def _in_memory(book: Catalogue) -> Judged:
    """S37: whether attention over the cache moves into memory that computes."""
    machine = Machine(book.cluster("4xa100-sxm-80gb"), book.efficiency(), Plan(tensor=4))
    moved: list[str] = []
    left: list[str] = []
    for name in ("llama-2-7b", "llama-2-70b"):
        network = book.model(name)
        for memory in ("hbm-pim", "attacc"):
            split = decode_split(network, 4000, 64, machine, device(memory))  # type: ignore[arg-type]
            (moved if split.moved_share > 0.01 else left).append(f"{name} on {memory}")
    verdict = "holds" if not left else f"holds for {', '.join(moved)}" if moved else "does not hold"
    because = "64 sequences of 4,000 tokens on 4 x A100"
    if left:
        because += f"; not for {', '.join(left)}, whose queries share keys: more work a byte than the banks do"
    return Judged(
        id="S37", claim="attention over the cache is a GEMV that memory can compute", verdict=verdict, because=because
    )


def _arithmetic(talk: Talk, film: Film, book: Catalogue, chip: str) -> Judged:
    """S38: up to which limit bandwidth helps decoding more than arithmetic, and what helps video."""
    cluster = book.cluster(f"1x{chip}")
    video = film_lever(film, cluster, book)
    split = {
        (prompt, answer): _split(talk_levers(replace(talk, input=prompt, output=answer), cluster, book))
        for prompt, answer in LENGTHS
    }
    said = [f"{prompt:,} + {answer:,} tokens: {_ranges(*each)}" for (prompt, answer), each in split.items()]
    if video.peak is None or video.bandwidth is None:
        films, filmed = "cannot be judged", "no clip fits in eight chips"
    else:
        films = "holds" if video.peak > video.bandwidth else "does not hold"
        filmed = (
            f"twice the FLOP/s makes video {video.peak:.2f} times as fast, twice the bandwidth {video.bandwidth:.2f}"
        )
    soon, late = (any(each[place] for each in split.values()) for place in (0, 1))
    decoding = "holds" if soon and not late else "holds only where a token must come soon" if soon else "does not hold"
    return Judged(
        id="S38",
        claim="a video model needs arithmetic, more TFLOP/s hardly help decoding",
        verdict=f"{films} for video; for decoding it {decoding}",
        because=f"on {chip} {filmed}; {'; '.join(said)}",
    )


def _split(rows: Sequence[Lever]) -> tuple[list[float], list[float]]:
    """Limits for which bandwidth helps more than arithmetic, and those for which it is the other way round. [s]"""
    more: tuple[list[float], list[float]] = ([], [])
    for row in rows:
        if row.limit is not None and row.peak is not None and row.bandwidth is not None:
            if row.bandwidth > CLEAR * row.peak:
                more[0].append(row.limit)
            elif row.peak > CLEAR * row.bandwidth:
                more[1].append(row.limit)
    return more


def _ranges(bandwidth: Sequence[float], arithmetic: Sequence[float]) -> str:
    words = []
    if bandwidth:
        words.append(f"bandwidth helps more up to {max(bandwidth) * 1e3:,.0f} ms a token")
    if arithmetic:
        words.append(f"arithmetic from {min(arithmetic) * 1e3:,.0f} ms")
    return ", ".join(words) or "both help alike"
