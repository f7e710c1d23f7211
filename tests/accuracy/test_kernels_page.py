"""The page on kernels prints what the shipped table holds."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from costline.catalogue.kernel_table import shipped_kernels

PRINTED = Path(__file__).resolve().parent.parent.parent / "docs" / "kernels.txt"
LINE = re.compile(r"(\S+) (\S+) +([\d,]+) +(\d+) / (\d+) +(\d+) / (\d+) +.*")


def printed():
    """Chip, kernel and format -> rows, and the held-out errors in per cent."""
    found, chip = {}, ""
    for line in PRINTED.read_text(encoding="utf-8").splitlines():
        if line.endswith("engines") and "sourced" in line:
            chip = line.split()[0]
        elif match := LINE.fullmatch(line):
            kernel, form, rows, _, _, median, most = match.groups()
            found[chip, kernel, form] = (int(rows.replace(",", "")), int(median), int(most))
    return found


def test_the_printed_errors_are_those_of_the_table():
    table = defaultdict(set)
    for row in shipped_kernels():
        errors = (f"{100 * row.held_out_median:.0f}", f"{100 * row.held_out_p90:.0f}")
        table[row.chip, row.kernel, row.format].add((row.rows, *map(int, errors)))
    shown = printed()
    assert shown.keys() == table.keys()
    for key, (rows, median, most) in shown.items():
        ((stored, *errors),) = table[key]
        assert rows == stored
        assert abs(median - errors[0]) <= 1, key  # the table has four digits, the page was printed from more
        assert abs(most - errors[1]) <= 1, key


def test_page_and_table_name_the_same_files():
    (source,) = {row.source for row in shipped_kernels()}
    assert source.split("; ")[1] in PRINTED.read_text(encoding="utf-8")
