"""Write constraints.txt and constraints-dev.txt: names, versions and hashes, nothing else.

Run by hand when a dependency in pyproject.toml changes or a newer version is wanted, with uv on the path::

    pip install uv
    python tools/pin.py            # keeps the versions that are pinned now
    python tools/pin.py --upgrade  # takes the newest

constraints.txt holds what costline needs to run, to sample ranges and to be installed; constraints-dev.txt what tests,
checks and the documentation need on top. One version serves every supported Python; the hashes are those of all files
its authors published, so any platform can install. No index address and no path is recorded.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORE, DEV = ROOT / "constraints.txt", ROOT / "constraints-dev.txt"
EDITABLE = "editables"  # what hatchling asks for when the project is installed in place
HEADER = "# Written by tools/pin.py. {what}\n"


def resolve(output: Path, *arguments: str) -> dict[str, str]:
    """Resolve requirements for every supported Python and platform, near what `output` pins: name -> its lines."""
    command = [
        "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--fork-strategy", "fewest",
        "--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url", *arguments,
        "--output-file", str(output),
    ]  # fmt: skip
    subprocess.run(command, cwd=ROOT, check=True)
    entries = re.split(r"^(?=\S)", output.read_text(), flags=re.MULTILINE)
    return {entry.split("==")[0]: entry for entry in entries if "==" in entry}


def main() -> None:
    """Resolve everything once, then split off what the core needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    with tempfile.TemporaryDirectory() as folder:
        build, pinned = Path(folder, "build.in"), Path(folder, "pinned.txt")
        build.write_text("\n".join([*project["build-system"]["requires"], EDITABLE]))
        if "--upgrade" not in sys.argv and CORE.exists() and DEV.exists():
            pinned.write_text(CORE.read_text() + DEV.read_text())
        entries = resolve(pinned, "pyproject.toml", str(build), "--extra", "dev", "--extra", "docs")
        ranges = ("--extra", "uncertainty")
        core = resolve(Path(folder, "core.txt"), "pyproject.toml", str(build), *ranges, "--constraint", str(pinned))
    what = "What costline needs to run, to sample ranges and to be installed."
    CORE.write_text(HEADER.format(what=what) + "".join(core.values()))
    rest = {name: entry for name, entry in entries.items() if name not in core}
    DEV.write_text(HEADER.format(what="What tests, checks and the documentation need on top.") + "".join(rest.values()))


if __name__ == "__main__":
    main()
