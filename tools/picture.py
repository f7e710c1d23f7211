"""Draw docs/_static/answer.svg: a real command and what it printed (``make picture``)."""

from __future__ import annotations

import io
import re
import shlex
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

import costline
from costline.report.answer import answer

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "_static" / "answer.svg"
QUESTION: dict[str, Any] = {"resolution": "1280x720", "frames": 81, "on": "8xh100-sxm"}
MODEL = "wan2.1-t2v-14b"


def drawn() -> str:
    """Ask, print to a recording console, and return the picture."""
    flags = " ".join(f"--{name} {shlex.quote(str(value))}" for name, value in QUESTION.items())
    console = Console(record=True, width=82, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text(f"$ costline generate {MODEL} {flags}", style="bold green"))
    console.print(answer(costline.generate(MODEL, **QUESTION)))
    svg = console.export_svg(title="costline", unique_id="costline")
    svg = re.sub(r"@font-face \{[^}]*\}\s*", "", svg)  # the reader's own monospace font: a picture fetches nothing
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


if __name__ == "__main__":
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(drawn(), encoding="utf-8")
    sys.stdout.write(f"{PICTURE.relative_to(ROOT)}\n")
