"""A page of headings, text, lists, tables and pictures, as Markdown or HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TypeAlias

HTML_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;"
    "background:#fff}table{border-collapse:collapse;font-size:14px;display:block;overflow-x:auto}"
    "th,td{padding:.25rem .6rem;border-bottom:1px solid #8884;text-align:right;vertical-align:top}"
    "th.words,td.words{text-align:left}svg{max-width:100%;height:auto}code{font-size:.95em}"
    "pre{white-space:pre-wrap;font-size:13px;background:#8881;padding:.5rem .8rem}"
    "@media(prefers-color-scheme:dark){body{color:#e6e9ee;background:#14171b}a{color:#7ab7ff}}"
)


@dataclass(frozen=True)
class Heading:
    """A heading; 1 is the title."""

    words: str
    level: int = 2


@dataclass(frozen=True)
class Text:
    """A paragraph; ``code``, **strong** and [links](address) as in Markdown."""

    words: str


@dataclass(frozen=True)
class Bullets:
    """A list of such paragraphs."""

    items: Sequence[str]


@dataclass(frozen=True)
class Lines:
    """Lines that are shown as they are."""

    lines: Sequence[str]


@dataclass(frozen=True)
class Table:
    """A table; columns of words are set to the left, those of figures to the right."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: frozenset[int] = field(default=frozenset({0}))


@dataclass(frozen=True)
class Picture:
    """An SVG under a name without its ending, and what it shows in words."""

    name: str
    svg: str
    words: str


Block: TypeAlias = Heading | Text | Bullets | Lines | Table | Picture
MARKS = re.compile(r"[\\`*_\[\]<>|#$]")
"""What Markdown takes for a mark."""
ESCAPED = re.compile(r"\\([\\`*_\[\]<>|#$])")
PRIVATE = 0xE000
"""First character that stands for itself nowhere."""


def unmarked(words: str) -> str:
    r"""Words of somebody else, whose marks are none.

    Examples
    --------
    >>> print(unmarked("a*b <i>"))
    a\*b \<i\>
    """
    return MARKS.sub(r"\\\g<0>", words)


def markdown(blocks: Sequence[Block], *, inline: bool = False) -> str:
    """Blocks as Markdown.

    Parameters
    ----------
    blocks : sequence of Block
        The page.
    inline : bool
        Pictures as SVG in the text rather than as files beside it.
    """
    return "\n\n".join(_markdown(block, inline) for block in blocks) + "\n"


def _markdown(block: Block, inline: bool) -> str:
    match block:
        case Heading():
            return f"{'#' * block.level} {block.words}"
        case Text():
            return block.words
        case Bullets():
            return "\n".join(f"- {item}" for item in block.items)
        case Lines():
            fence = "`" * max(
                3, 1 + max((len(run) for line in block.lines for run in re.findall("`+", line)), default=0)
            )
            return "\n".join([f"{fence}text", *block.lines, fence])
        case Picture():
            plain = "".join(line for line in block.svg.splitlines() if line.strip())
            return f"<div>{plain}</div>" if inline else f"![{block.words}]({block.name}.svg)"
        case Table():
            rule = [":---" if place in block.words else "---:" for place in range(len(block.header))]
            lines = [list(map(_cell, block.header)), rule, *(list(map(_cell, row)) for row in block.rows)]
            return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(words: str) -> str:
    """What a cell may hold: no line ends and no bars; a star is a star, and a tag is none."""
    return re.sub(r"[|*<$]", r"\\\g<0>", " ".join(words.split()))


def html(blocks: Sequence[Block], title: str, language: str = "en") -> str:
    """Blocks as one HTML document that needs nothing else."""
    body = "\n".join(_html(block) for block in blocks)
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width"><style>{HTML_STYLE}</style></head><body>\n'
        f"{body}\n</body></html>\n"
    )


def _html(block: Block) -> str:
    match block:
        case Heading():
            return f"<h{block.level}>{_inline(block.words)}</h{block.level}>"
        case Text():
            return f"<p>{_inline(block.words)}</p>"
        case Bullets():
            return "<ul>" + "".join(f"<li>{_inline(item)}</li>" for item in block.items) + "</ul>"
        case Lines():
            return f"<pre>{escape(chr(10).join(block.lines))}</pre>"
        case Picture():
            return f"<figure>{block.svg}</figure>"
        case Table():
            head = _row("th", block.header, block.words)
            return f"<table>{head}{''.join(_row('td', row, block.words) for row in block.rows)}</table>"


def _row(tag: str, cells: Sequence[str], words: frozenset[int]) -> str:
    made = (
        f"<{tag}{' class=words' if place in words else ''}>{escape(cell)}</{tag}>" for place, cell in enumerate(cells)
    )
    return f"<tr>{''.join(made)}</tr>"


INLINE: Mapping[str, str] = {
    r"`([^`]+)`": r"<code>\1</code>",
    r"\*\*([^*]+)\*\*": r"<strong>\1</strong>",
    r"\[([^\]]+)\]\(([^)\s]+)\)": r'<a href="\2">\1</a>',
}


def _inline(words: str) -> str:
    r"""Text with its marks as HTML.

    Examples
    --------
    >>> _inline("`a<b` is **so**"), _inline(r"\`a\<b\` is \*\*not\*\*")
    ('<code>a&lt;b</code> is <strong>so</strong>', '`a&lt;b` is **not**')
    """
    made = escape(ESCAPED.sub(lambda mark: chr(PRIVATE + ord(mark[1])), words))
    for pattern, replacement in INLINE.items():
        made = re.sub(pattern, replacement, made)
    return "".join(escape(chr(ord(each) - PRIVATE)) if PRIVATE < ord(each) < PRIVATE + 128 else each for each in made)
