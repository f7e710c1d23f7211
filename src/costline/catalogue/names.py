"""Names people type: any case, spaces for hyphens, a beginning that fits one name only."""

from __future__ import annotations

from collections.abc import Collection

from costline.errors import QuantityError, UnknownNameError
from costline.quantity import read_fleet


class AmbiguousNameError(UnknownNameError):
    """A name that fits several; carries all of them in `nearest`."""

    def __init__(self, kind: str, name: str, candidates: Collection[str]) -> None:
        super().__init__(kind, name, ())
        self.nearest = tuple(candidates)
        listed = ", ".join(self.nearest[:8]) + (", ..." if len(self.nearest) > 8 else "")
        self.args = (f"{name[:60]!r} fits more than one {kind}: {listed}; write one of them",)


def plain(name: str) -> str:
    """The name as the catalogue spells names.

    Examples
    --------
    >>> plain(" H100 SXM ")
    'h100-sxm'
    """
    return "-".join(name.lower().replace("_", "-").split())


def callable_by(name: str) -> bool:
    """Whether chips of that name can be asked for, alone and by number.

    Examples
    --------
    >>> callable_by("h100-sxm"), callable_by("4x"), callable_by("8xbox")
    (True, False, False)
    """
    try:
        return read_fleet(name) == (1, name) and read_fleet(f"8x{name}") == (8, name)
    except QuantityError:
        return False


def resolve(kind: str, name: str, known: Collection[str]) -> str:
    """Return the one name of `known` that `name` stands for.

    Parameters
    ----------
    kind : str
        What is looked for, for messages.
    name : str
        As typed: any case; the beginning of a name is enough where only one name begins so.
    known : collection of str
        All names.

    Raises
    ------
    UnknownNameError
        None of them; the message lists the nearest.
    AmbiguousNameError
        Several begin so.

    Examples
    --------
    >>> resolve("chip", "MI300", ["mi300x", "h100-sxm", "h100-pcie"])
    'mi300x'
    """
    wanted = plain(name)
    if wanted in known:
        return wanted
    spelled = {plain(each): each for each in known}
    if wanted in spelled:
        return spelled[wanted]
    begins = [spelled[each] for each in spelled if wanted and each.startswith(wanted)]
    if len(begins) == 1:
        return begins[0]
    if begins:
        raise AmbiguousNameError(kind, name, begins)
    inside = [spelled[each] for each in spelled if len(wanted) > 2 and wanted in each]
    if len(inside) > 1:
        raise AmbiguousNameError(kind, name, inside)
    raise UnknownNameError(kind, name, inside or spelled)
