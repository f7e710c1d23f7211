"""Yes or no, as people and files write it."""

from __future__ import annotations

import numpy as np

from costline.errors import QuantityError
from costline.quantity.reading import shown

YES = frozenset({"yes", "true", "on", "1"})
NO = frozenset({"no", "false", "off", "0"})


def read_flag(value: object, name: str) -> bool:
    """Read yes or no: a bool, 1 or 0, or one of the usual words in any case.

    Parameters
    ----------
    value : bool, int or str
        As given.
    name : str
        Name of the input, for messages.

    Raises
    ------
    QuantityError
        Anything that is neither: nothing is taken for yes because it is not empty.

    Examples
    --------
    >>> read_flag("Off", "compile"), read_flag(True, "compile")
    (False, True)
    """
    word = value.strip().lower() if isinstance(value, str) else ""
    if isinstance(value, int | np.bool_) and value in (0, 1):
        word = str(int(value))
    if word not in YES | NO:
        raise QuantityError(f"{name} {shown(value)}: say yes or no")
    return word in YES
