"""What is compared and on what: own chips of a file, workloads by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from costline.errors import InputError

if TYPE_CHECKING:
    from costline.catalogue import Catalogue
    from costline.resolve import Model
    from costline.silicon.decoding import Talk
    from costline.silicon.filming import Film


def own_chips(names: tuple[str, ...], catalogue: Path | None) -> tuple[tuple[str, ...], Path | None]:
    """Names with the chips of a file in its place, and the catalogue they are in."""
    from costline import resolve

    files = [name for name in names if name.lower().endswith(".toml")]
    if not files:
        return names, catalogue
    if len(files) > 1 or catalogue is not None:
        raise InputError(f"{files[0][:60]}: chips of one file are compared; put all of your own into it")
    book = resolve.catalogue(files[0])
    own = tuple(book.user.chips) if book.user else ()
    if not own:
        raise InputError(f"{files[0][:60]} has no [[chip]] to compare")
    return tuple(each for name in names for each in (own if name == files[0] else (name,))), Path(files[0])


def workloads(
    names: str, input: str, output: str, tpot: float, precision: str, catalogue: Path | None
) -> tuple[list[Talk], list[Film]]:
    """Language models that decode and pipelines that make video, by their names with commas between."""
    from costline import quantity, resolve
    from costline.catalogue.given import narrow_in
    from costline.models.decoder import Decoder
    from costline.precision import element_bytes
    from costline.silicon.decoding import Talk

    element_bytes(precision)  # refuses what is none
    book = resolve.catalogue(catalogue)
    prompt, answer = (
        int(resolve.number(tokens, quantity.TOKENS, name, least=1, whole=True))
        for name, tokens in (("input", input), ("output", output))
    )
    talks, films = [], []
    for name in names.split(","):
        if not name.strip():
            raise InputError(f"workload: {names[:60]!r} lacks a model between its commas; write e.g. llama-2-70b")
        found = resolve.model(name.strip(), book)
        if isinstance(found, Decoder):
            narrow = narrow_in(name.strip(), precision, book)
            talks.append(
                Talk(network=found, input=prompt, output=answer, tpot=tpot, precision=precision, narrow=narrow)
            )
        else:
            films.append(_film(name.strip(), found, precision, book))
    return talks, films


def _film(name: str, found: Model, precision: str, book: Catalogue) -> Film:
    """A workload that makes video."""
    from costline import resolve
    from costline.models.encoder import Encoder
    from costline.silicon.filming import film_of

    if isinstance(found, Encoder):
        raise InputError(f"{name} is a text encoder: it neither answers nor makes video; name one that does")
    pipeline = resolve.sampler(found, None, {}, book)
    if pipeline.still:
        raise InputError(f"{name} makes images; name a video pipeline, such as wan2.1-t2v-14b, or a language model")
    return film_of(pipeline, precision)


def shares(mix: str | None, talks: list[Talk], films: list[Film]) -> list[float]:
    """Shares of the money spent on decoding, of mixes with commas between; by default what the workloads leave.

    Raises
    ------
    InputError
        A mix needs a workload that is not there.
    """
    from costline import quantity, resolve

    if len(talks) > 1 or len(films) > 1:
        raise InputError("name at most one language model and one video pipeline in --workload")
    found = list[float]()
    for each in (mix or ("decode" if talks else "video")).split(","):
        share = {"decode": 1.0, "video": 0.0}.get(each.strip())
        try:
            found.append(float(resolve.number(each, quantity.FRACTION, "mix")) if share is None else share)
        except InputError as error:
            raise InputError(f"{error}, or decode, or video") from None
    found = list(dict.fromkeys(found))
    if max(found) > 0 and not talks:
        raise InputError("mix: decoding needs a language model in --workload, such as llama-2-70b")
    if min(found) < 1 and not films:
        raise InputError("mix: video needs a video pipeline in --workload, such as wan2.1-t2v-14b")
    return found
