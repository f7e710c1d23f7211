"""``costline chip``: chips compared, priced, checked and designed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from costline.cli.chip_inputs import own_chips, shares, workloads
from costline.errors import InputError

if TYPE_CHECKING:
    from costline.silicon.cost import Silicon
    from costline.silicon.decoding import Talk
    from costline.silicon.filming import Film

app = App(name="chip", help="Chips, real and imagined: compare, price, check, design.")

SEED = (
    "a100-sxm-80gb", "a800-sxm-80gb", "h100-sxm", "h800-sxm", "l20", "tpu-v5e", "ascend-910b", "groq-lpu-v1",
    "a100-sxm-80gb+hbm-pim", "seed-14nm-144gb-hbm", "seed-14nm-144gb-gddr6",
)  # fmt: skip
"""Chips compared where none is named: those of the article."""

Flag = Annotated[bool, Parameter(negative="", show_default=False)]


@app.command
def compare(
    *chips: str,
    workload: str = "llama-2-70b,wan2.1-t2v-14b",
    input: str = "1000",
    output: str = "200",
    tpot: str = "50ms",
    precision: str = "bf16",
    catalogue: Path | None = None,
    json: Flag = False,
) -> int:
    """Chips beside each other on workloads, at equal chips, equal dollars and equal watts.

    Parameters
    ----------
    chips
        Names of the catalogue, such as h100-sxm or a100-sxm-80gb+hbm-pim, or a TOML file of your own chips; by default
        those of the article.
    workload
        Models with commas between: language models decode, video pipelines make their usual clip.
    input
        Prompt [token].
    output
        Answer [token].
    tpot
        Longest time per token allowed.
    precision
        Format of weights and products: bf16, fp8, int8.
    catalogue
        TOML file of your own chips.
    json
        For programs: SI units.
    """
    from costline import quantity, resolve
    from costline.cli.chip_show import print_comparison

    chips, catalogue = own_chips(chips, catalogue)
    book = resolve.catalogue(catalogue)
    limit = float(resolve.number(tpot, quantity.SECONDS, "tpot", least=1e-6))
    talks, films = workloads(workload, input, output, limit, precision, catalogue)
    return 0 if print_comparison(chips or SEED, talks, films, book, as_json=json) else 1


@app.command
def cost(
    chip: str,
    /,
    *,
    volume: str | None = None,
    catalogue: Path | None = None,
    json: Flag = False,
    csv: Flag = False,
    plain: Flag = False,
    explain: Flag = False,
) -> int:
    """What a chip costs to make: die, yield, memory, package, test, board, design; with 80 % ranges.

    Parameters
    ----------
    chip
        Name of the catalogue, or of a [[chip]] of your file with a [chip.silicon] table; with memory that computes:
        a100-sxm-80gb+hbm-pim.
    volume
        Chips that carry the one-time cost: 500k.
    catalogue
        TOML file of your own chips.
    json, csv, plain, explain
        How to print it.
    """
    from costline.api.common import recording
    from costline.cli.chip_show import print_cost
    from costline.cli.terminal import either
    from costline.silicon.cost import cost_estimate

    either(json=json, csv=csv)
    silicon = _silicon(chip, catalogue)
    with recording(explain) as record:
        estimate = cost_estimate(silicon, _volume(volume))
    print_cost(estimate, record, json=json, csv=csv, plain=plain)
    return 0


def _silicon(chip: str, catalogue: Path | None) -> Silicon:
    from costline import resolve
    from costline.silicon.chipfile import silicon_in
    from costline.silicon.lineup import parted

    book = resolve.catalogue(catalogue)
    name, memory = parted(chip, book)
    found = silicon_in(book, book.chip(name).id)
    return found if memory is None else replace(found, name=f"{found.name}+{memory.id}", in_memory=True)


@app.command
def check(file: Path, /, *, json: Flag = False) -> int:
    """What is physically implausible about the chips of a file, each with the limit and its source.

    Parameters
    ----------
    file
        TOML with [[chip]] tables, each with a [chip.silicon] table of what it is made of.
    json
        For programs.
    """
    from costline.cli.chip_show import print_findings
    from costline.errors import CatalogueError
    from costline.silicon.check import check as findings_of
    from costline.silicon.check import unchecked
    from costline.silicon.chipfile import read_chips

    chips, faults = read_chips(file)
    findings = [finding for each in chips for finding in findings_of(each)]
    open_ends = [f"{each.id}: {text}" for each in chips for text in unchecked(each)]
    print_findings(str(file), len(chips), findings, faults, open_ends, as_json=json)
    if faults:
        raise CatalogueError(str(file), faults)
    return 1 if any(finding.severity == "impossible" for finding in findings) else 0


@app.command
def levers(
    chip: str = "a100-sxm-80gb",
    /,
    *,
    workload: str = "llama-2-70b,wan2.1-t2v-14b",
    input: str = "1000",
    output: str = "200",
    precision: str = "bf16",
    catalogue: Path | None = None,
    json: Flag = False,
) -> int:
    """What helps a chip most, twice the arithmetic, bandwidth or memory, by how long a token may take.

    Parameters
    ----------
    chip
        Name of the catalogue, or of a [[chip]] of your file.
    workload
        Models with commas between.
    input
        Prompt [token].
    output
        Answer [token].
    precision
        Format of weights and products: bf16, fp8, int8.
    catalogue
        TOML file of your own chips.
    json
        For programs.
    """
    from costline import resolve
    from costline.cli.chip_judge import print_levers

    book = resolve.catalogue(catalogue)
    talks, films = workloads(workload, input, output, 1.0, precision, catalogue)
    print_levers(book.cluster(f"1x{chip}"), talks, films, book, as_json=json)
    return 0


@app.command
def claims(
    chip: str = "a100-sxm-80gb",
    /,
    *,
    workload: str = "llama-2-70b,wan2.1-t2v-14b",
    catalogue: Path | None = None,
    json: Flag = False,
) -> int:
    """Judge the article's claims about chips, each with the lengths and limits that it holds for.

    Parameters
    ----------
    chip
        Chip whose arithmetic and bandwidth are doubled for the last claim.
    workload
        A language model and a video pipeline.
    catalogue
        TOML file of your own models.
    json
        For programs.
    """
    from costline import resolve
    from costline.cli.chip_judge import print_claims
    from costline.silicon.claims import judge

    book = resolve.catalogue(catalogue)
    talk, film = _both(*workloads(workload, "1000", "200", 0.05, "bf16", catalogue))
    print_claims(judge(talk, film, book, book.chip(chip).id), as_json=json)
    return 0


@app.command
def power(*, json: Flag = False) -> int:
    """Peak and power from first principles, beside what every chip of the catalogue states.

    Parameters
    ----------
    json
        For programs.
    """
    from costline.cli.chip_show import print_power

    print_power(as_json=json)
    return 0


@app.command
def anchors(*, match: Annotated[str, Parameter(show_default=False)] = "", json: Flag = False) -> int:
    """Published results beside what costline's models of silicon give for them.

    Parameters
    ----------
    match
        Keep rows that contain this text.
    json
        For programs.
    """
    from costline.cli.chip_show import print_anchors

    print_anchors(match, as_json=json)
    return 0


@app.command
def pim(*, json: Flag = False) -> int:
    """Processing in memory: what costline predicts for every row with a stated configuration.

    Parameters
    ----------
    json
        For programs.
    """
    from costline.cli.chip_show import print_pim

    print_pim(as_json=json)
    return 0


@app.command
def design(
    *,
    workload: str = "llama-2-70b,wan2.1-t2v-14b",
    objective: Literal["dollar", "joule", "latency"] = "dollar",
    mix: str | None = None,
    input: str = "1000",
    output: str = "200",
    tpot: str = "50ms",
    precision: str = "bf16",
    volume: str | None = None,
    trials: str | None = None,
    save: Path | None = None,
    catalogue: Path | None = None,
    json: Flag = False,
) -> int:
    """Search a space of chips for the best one; say which kind wins, by how much, and how sure.

    Parameters
    ----------
    workload
        A language model, a video pipeline, or one of each.
    objective
        What is maximised: work for a dollar or a joule, or least time per token.
    mix
        decode, video, or the share of money spent on decoding, such as 50%; several with commas between are answered
        together: decode,video,50%. By default decode if there is a language model.
    input
        Prompt [token].
    output
        Answer [token].
    tpot
        Longest time per token allowed.
    precision
        Format of weights and products: bf16, fp8, int8.
    volume
        Chips that carry the one-time cost of a design: 500k.
    trials
        Search freely instead, with so many trials of each kind of memory: any peak, link, size and number of devices
        (needs optuna).
    save
        Write the winners of one mix to this file, as chips that compare, cost, check and serve read.
    catalogue
        TOML file of your own models.
    json
        For programs.
    """
    from costline import quantity, resolve
    from costline.cli.chip_designs import print_designs
    from costline.silicon.designs import Case
    from costline.silicon.saving import write_designs
    from costline.silicon.search import searches

    limit = float(resolve.number(tpot, quantity.SECONDS, "tpot", least=1e-6))
    talks, films = workloads(workload, input, output, limit, precision, catalogue)
    asked = shares(mix, talks, films)
    if objective == "latency" and asked != [1.0]:
        raise InputError("objective: latency is that of a token; name a language model, and leave --mix out")
    if save is not None and len(asked) > 1:
        raise InputError("save: the winners of one mix are written; name one in --mix")
    case = Case(
        talk=talks[0] if talks else None, film=films[0] if films else None, objective=objective, volume=_volume(volume)
    )
    if trials is None:
        found = searches(case, asked)
    else:
        from costline.silicon.free import search_freely

        most = int(resolve.number(trials, quantity.COUNT, "trials", least=10, whole=True))
        found = [search_freely(replace(case, share=share), most) for share in asked]
    if save is not None:
        write_designs(save, found[0].winners)
    print_designs(found, as_json=json)
    return 0 if all(each.winners for each in found) else 1


def _both(talks: list[Talk], films: list[Film]) -> tuple[Talk, Film]:
    """One workload of each kind."""
    if len(talks) != 1 or len(films) != 1:
        raise InputError("name one language model and one video pipeline: --workload llama-2-70b,wan2.1-t2v-14b")
    return talks[0], films[0]


def _volume(text: str | None) -> float | None:
    from costline import quantity, resolve

    return None if text is None else float(resolve.number(text, quantity.COUNT, "volume", least=1, whole=True))
