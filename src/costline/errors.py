"""The exception tree.

::

    CostlineError                  anything costline raises on purpose
      InputError                   text, a number or a file that cannot be read; exit code 2
        QuantityError              "40 Gb/s": ambiguous or wrong unit, NaN, negative, overflow
        UnknownNameError           no such chip, model, system, price; carries the nearest names
          AmbiguousNameError       the beginning of several names; carries all of them
        ConfigError                a config.json that is malformed, hostile or of an unfamiliar architecture
        CatalogueError             a catalogue or user file with faults; carries all of them
        PlanError                  a plan that contradicts itself (tensor=3 on 8 chips of 8 heads)
          FormatError              products in a format that the chip states no rate for

A plan that does not *fit* is not an error: it is an estimate marked infeasible, with the reason.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class CostlineError(Exception):
    """Anything costline raises on purpose."""


class InputError(CostlineError):
    """Input that cannot be read; the command line exits with code 2."""


class QuantityError(InputError):
    """A quantity that is malformed, ambiguous, out of range or of the wrong kind."""


class UnknownNameError(InputError):
    """A name that is in no catalogue.

    Parameters
    ----------
    kind : str
        What was looked for ("chip", "model", ...).
    name : str
        The name as given.
    known : iterable of str
        All names that would have been right; the nearest are shown.
    meant : iterable of str
        Names that were meant, most likely: shown in place of the nearest in spelling.
    listed : iterable of str
        Names that are shown where none is near.
    """

    def __init__(
        self, kind: str, name: str, known: Iterable[str], meant: Iterable[str] = (), *, listed: Iterable[str] = ()
    ) -> None:
        self.kind = kind
        self.name = name
        self.nearest = tuple(meant) or tuple(nearest_names(name, known))
        shown = name if len(name) <= 60 else f"{name[:57]}..."
        hint = f"; did you mean {', '.join(self.nearest)}?" if self.nearest else ""
        if not hint and (all_of_them := ", ".join(listed)):
            hint = f"; there are {all_of_them}"
        super().__init__(f"unknown {kind} {shown!r}{hint}")


class ConfigError(InputError):
    """A model configuration that cannot be read, or that would change the count in a way costline does not know."""


class CatalogueError(InputError):
    """A catalogue file with faults, all of them listed.

    Parameters
    ----------
    path : str
        The file.
    faults : iterable of str
        One line each: where, what, and what would be right.
    """

    def __init__(self, path: str, faults: Iterable[str]) -> None:
        self.path = path
        self.faults = tuple(faults)
        lines = "\n".join(f"  {fault}" for fault in self.faults)
        super().__init__(f"{path}: {len(self.faults)} fault{'s' * (len(self.faults) != 1)}\n{lines}")


class PlanError(InputError):
    """A plan that contradicts itself, the model or the machine."""


class FormatError(PlanError):
    """Products in a number format for which the chip states no rate."""


def visible(text: str) -> str:
    r"""The text with control characters written out, so that a name prints as one line and moves no cursor.

    Examples
    --------
    >>> visible("two\nlines")
    'two\\x0alines'
    """
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text)


def nearest_names(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """Return up to `limit` names most like `name`, best first.

    Examples
    --------
    >>> nearest_names("h10-sxm", ["h100-sxm", "a100-sxm-80gb", "l4"])
    ['h100-sxm', 'a100-sxm-80gb']
    """
    return difflib.get_close_matches(name[:80].lower(), list(known), n=limit, cutoff=0.5)
