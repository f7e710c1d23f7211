"""The command line as a process: exit codes, streams, colour, speed, and that no traceback ever gets out."""

import contextlib
import os
import pty
import re
import subprocess
import sys

import pytest

from costline import cli


def run(*arguments, **environment):
    settings = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
    return subprocess.run(
        [sys.executable, "-m", "costline", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=settings | environment,
    )


def test_without_arguments_it_shows_two_worked_examples():
    done = run()
    assert done.returncode == 0
    assert done.stdout.count("\n    costline ") == done.stdout.count("\n    -> time ") == 2
    assert "unknown" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_help_lists_every_command():
    done = run("--help")
    assert done.returncode == 0
    assert all(f" {name} " in done.stdout for name in cli.COMMANDS)
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_version():
    from costline import __version__

    assert run("--version").stdout.strip() == __version__


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("dta",), "did you mean data"),
        (("--no-such-option",), "no-such-option"),
        (("data", "lst"), "list"),
        (("data", "list", "chip"), "chips"),
        (("data", "list"), "TABLE"),
        (("data", "list", "chips", "--vendr", "amd"), "--vendor"),
        (("data", "show", "h100-smx"), "h100-sxm"),
        (("data", "check", "no-such-file.toml"), "cannot be read"),
        (("data", "show", "\x1b[31mred"), r"\x1b[31mred"),
        (("data", "list", "a" * 100_000), "aaa..."),
        (("audit", "a" * 5000), "unknown audit"),
        (("chip", "design", "--input", "9" * 400), "input: "),
        (("chip", "compare", "--output", "0"), "output: 0 is below"),
        (("serve", "llama-3.1-8b", "--on", "h100-sxm", "--active", "1B"), "leave out active or the model"),
        (("train", "llama-3.1-8b", "--on", "h100-sxm", "--tokens", "1T", "--params", "1B"), "leave out params"),
        (("generate", "wan2.1-t2v-14b", "--on", "h100-sxm", "--shape", "layers=3"), "leave out shape"),
    ],
)
def test_bad_input_is_one_line_on_stderr_and_code_2(arguments, says):
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("costline: ")
    assert says in done.stderr
    assert len(done.stderr) < 2000
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr


def test_a_reader_that_goes_away_is_no_error():
    with subprocess.Popen(
        [sys.executable, "-m", "costline", "data", "list", "prices", "--csv"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == cli.BROKEN_PIPE


def test_a_full_disk_is_said_without_a_traceback():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "costline", "data", "list", "chips", "--csv"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == cli.BAD_INPUT
    assert done.stderr == "costline: output: No space left on device\n"


def test_a_closed_stdout_is_said_in_one_line():
    command = f"{sys.executable} -m costline serve llama-3.1-8b --on h100-sxm >&-"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == cli.BAD_INPUT
    assert done.stderr == "costline: output: Bad file descriptor\n"


def test_characters_that_the_terminal_does_not_know_are_replaced():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "costline", "audit", "sora-2024", "--lang", "zh", "--claim", "S26"]
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert done.returncode == 0
    assert b"S26" in done.stdout


def test_no_colour_where_nobody_sees_it():
    assert "\x1b" not in run("data", "show", "h100-sxm").stdout


@pytest.mark.parametrize("flags", [["--plain"], ["--plain", "--explain"]])
def test_a_plain_answer_has_no_escapes_on_a_terminal_either(flags):
    reader, terminal = pty.openpty()
    command = [sys.executable, "-m", "costline", "serve", "llama-3.1-8b", "--on", "h100-sxm", *flags]
    with subprocess.Popen(command, stdout=terminal, env={**os.environ, "TERM": "xterm-256color"}) as process:
        os.close(terminal)
        written = b""
        with contextlib.suppress(OSError):  # how a terminal says that its other end is closed
            while piece := os.read(reader, 65536):
                written += piece
        assert process.wait(60) == 0
    os.close(reader)
    assert b"TTFT" in written
    assert b"\x1b" not in written


def test_what_the_derivation_says_it_left_out_can_be_shown():
    ask = ["serve", "llama-3.1-8b", "--on", "h100-sxm", "--plain"]
    some, every = run(*ask, "--explain").stdout, run(*ask, "--explain-all").stdout
    left_out = re.findall(r"([0-9]+) more calls of the same formulas \((--[a-z-]+)\)", some)
    assert {flag for _, flag in left_out} == {"--explain-all"}
    assert "more calls" not in every
    assert every.count("\n") > some.count("\n")


def test_a_negative_number_behind_its_flag_is_refused_as_a_number():
    for words in (("--tokens", "-1T"), ("--tokens=-1T",)):
        done = run("train", "llama-3.1-8b", "--on", "8xh100-sxm", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert "'-1T' is negative" in done.stderr


def test_commands_are_not_imported_for_help():
    code = (
        "import sys; from costline.cli import main; main(['--help']);"
        "sys.exit('costline.cli.data' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_an_interrupt_is_code_130(monkeypatch, capsys):
    monkeypatch.setattr(cli, "_run", _raise(KeyboardInterrupt))
    assert cli.main(["data"]) == 130
    assert capsys.readouterr().err == "costline: interrupted\n"


def test_a_fault_of_costline_is_code_3_and_shows_its_place_on_request(monkeypatch, capsys):
    monkeypatch.setattr(cli, "_run", _raise(ZeroDivisionError("division by zero")))
    assert cli.main(["data"]) == 3
    assert "ZeroDivisionError: division by zero; COSTLINE_DEBUG=1" in capsys.readouterr().err
    monkeypatch.setenv("COSTLINE_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        cli.main(["data"])


def _raise(error):
    def run_(_):
        raise error

    return run_
