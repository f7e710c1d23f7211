"""The command line.

Exit codes: 0 an answer, 1 an answer that does not fit or is not possible, 2 input that cannot be read or output that
cannot be written, 3 a fault of costline itself, 130 interrupted. Results go to stdout, everything else to stderr.

A command is one line in `COMMANDS`; its module is imported when the command is run.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cyclopts import App

COMMANDS: dict[str, tuple[str, str]] = {
    "train": ("costline.cli.train:train", "Days, dollars, MFU and memory of a training run."),
    "serve": ("costline.cli.serve:serve", "TTFT, TPOT, tokens a second and dollars a token of a language model."),
    "generate": ("costline.cli.generate:generate", "Seconds and dollars of generating a video clip or an image."),
    "caption": ("costline.cli.caption:caption", "What it costs to caption a video corpus."),
    "plan": ("costline.cli.plan:plan", "The best way to train, serve or generate, of all legal plans."),
    "audit": ("costline.cli.audit:audit", "Compute the claims of a published estimate again, and say which hold."),
    "sweep": ("costline.cli.sweep:app", "Grids and samples over any inputs, streamed to Parquet."),
    "accuracy": ("costline.cli.accuracy:app", "Predictions against published measurements."),
    "chip": ("costline.cli.chip:app", "Chips, real and imagined: compare, price, check, design."),
    "data": ("costline.cli.data:app", "List, show and check chips, systems, prices and models."),
}
"""Command -> where its function (or App) is, and its line in the help."""

FLAGS = ("--help", "-h", "--version")

LONGEST_WORD = 1000
"""Characters of a word in a complaint."""
FEW_COLLECTIONS = 100_000
"""New objects between two collections of garbage; Python's own 700 make a tenth of the time of a short answer."""
ANSWER, INFEASIBLE, BAD_INPUT, FAULT, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 3, 130, 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the program's name; taken from the process if left out.

    Returns
    -------
    int
        The exit code.
    """
    if arguments is None:  # a process of its own: what hundreds of imports make is no garbage to look for
        gc.set_threshold(FEW_COLLECTIONS)

    from costline.cli.terminal import complain

    try:
        _open_stdout()
        code, message = _run(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        _silence_stdout()
        return BROKEN_PIPE
    except KeyboardInterrupt:
        code, message = INTERRUPTED, "interrupted"
    except OSError as error:  # a full disk, a file that vanished, a closed stdout
        _silence_stdout()
        code, message = _unwritable(error), f"{error.filename or 'output'}: {error.strerror or error}"
    except Exception as error:
        if os.environ.get("COSTLINE_DEBUG"):
            raise
        code = FAULT
        message = f"a fault of costline itself: {type(error).__name__}: {error}; COSTLINE_DEBUG=1 shows where"
    if message:
        complain(message)
    return code


def _unwritable(error: OSError) -> int:
    """The exit code of a file that cannot be read or written: a fault of costline only if it is one of its own."""
    own = isinstance(error.filename, str) and Path(error.filename).is_relative_to(Path(__file__).parents[1])
    return FAULT if own else BAD_INPUT


def _run(arguments: list[str]) -> tuple[int, str]:
    """Run a command; return the exit code, and what to complain about."""
    if not arguments:
        from costline.cli.examples import worked_examples

        sys.stdout.write(worked_examples())
        return ANSWER, ""
    from cyclopts.exceptions import CycloptsError

    from costline.errors import CostlineError, UnknownNameError

    try:
        command = arguments[0]
        if command not in COMMANDS and command not in FLAGS:  # known without importing every command
            raise UnknownNameError("option" if command.startswith("-") else "command", command, (*COMMANDS, *FLAGS))
        code = build_app()(_joined(arguments))
    except (CostlineError, CycloptsError) as error:
        return BAD_INPUT, _short(str(error))
    return (code if isinstance(code, int) else ANSWER), ""


def _joined(arguments: Sequence[str]) -> list[str]:
    """Arguments with a negative number joined to its flag, so that it is read, and refused, as a number.

    ``--compile`` without a word is a yes.

    Examples
    --------
    >>> _joined(["--tokens", "-1T", "--plain", "-f", "a.toml"])
    ['--tokens=-1T', '--plain', '-f', 'a.toml']
    >>> _joined(["--compile", "--plain", "--compile", "no", "--compile"])
    ['--compile=yes', '--plain', '--compile', 'no', '--compile=yes']
    """
    joined: list[str] = []
    for word, after in zip(arguments, (*arguments[1:], "-"), strict=True):
        flag = joined[-1] if joined else ""
        if word[:1] == "-" and word[1:2] in {*"0123456789.$"} and flag.startswith("--") and "=" not in flag:
            joined[-1] = f"{flag}={word}"
        else:
            joined.append("--compile=yes" if word == "--compile" and after.startswith("-") else word)
    return joined


def _short(message: str) -> str:
    """A message without the middle of words that nobody reads to the end."""
    return " ".join(f"{word[:60]}...{word[-20:]}" if len(word) > LONGEST_WORD else word for word in message.split(" "))


def build_app() -> App:
    """The application with every command of `COMMANDS`."""
    from cyclopts import App

    from costline import __version__
    from costline.cli.terminal import console

    app = App(
        name="costline",
        help="What it costs to train and to serve large generative transformers.",
        version=__version__,
        console=console(),
        error_console=console(stderr=True),
        print_error=False,
        exit_on_error=False,
        result_action="return_value",
    )
    for name, (where, text) in COMMANDS.items():
        app.command(where, name=name, help=text)
    return app


def _open_stdout() -> None:
    """Refuse a closed stdout; let one that knows few characters replace the others."""
    if sys.stdout is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def _silence_stdout() -> None:
    """Point stdout at nothing, so that the interpreter does not complain about it when it flushes at exit."""
    if sys.stdout is None:
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, sys.stdout.fileno())
    except (OSError, ValueError):  # stdout is not a file, as under a test
        pass
    finally:
        os.close(nothing)
