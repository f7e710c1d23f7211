"""Write the figures of the README's "How accurate it is today" from the tables of the last fit (``make readme``)."""

from __future__ import annotations

from pathlib import Path

from costline.accuracy.evidence import shipped_evidence
from costline.accuracy.page import figures
from costline.accuracy.unseen import first_look
from costline.report.page import markdown

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- figures of the last fit -->\n", "<!-- end of figures -->\n"


def with_figures(text: str) -> str:
    """The text with the figures between its two marks replaced by those of now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{markdown(figures(shipped_evidence(), first_look()))}\n{END}{after}"


if __name__ == "__main__":
    README.write_text(with_figures(README.read_text(encoding="utf-8")), encoding="utf-8")
