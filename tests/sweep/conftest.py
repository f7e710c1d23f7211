"""Small sweeps."""

from __future__ import annotations

import pytest

from costline.sweep import make_scenario, run

STATED = {"pipeline": 1, "expert": 1}


def serve_scenario(axes, **fields):
    """Serving llama-3.1-8b on eight chips, the plan stated but for what the axes vary."""
    inputs = {"model": "llama-3.1-8b", "on": "8xh100-sxm", "plan": dict(STATED)} | fields.pop("inputs", {})
    return make_scenario({"study": "serve", "inputs": inputs, "axes": axes, **fields})


def grid(**fields):
    """Two called axes, one of them with a plan the machine has no chips for, and two array axes."""
    axes = {
        "precision": ["bf16", "fp8"],
        "plan": {"tensor": [1, 8, 16]},
        "input": ["1k", "2k", "64k"],
        "batch": {"from": 1, "to": 4096, "count": 7, "scale": "log"},
    }
    return serve_scenario(axes, **fields)


@pytest.fixture(scope="session")
def kept(tmp_path_factory):
    """Folder of a finished sweep."""
    folder = tmp_path_factory.mktemp("sweep") / "out"
    run(grid(), folder)
    return folder


def contents(folder):
    """Bytes of every block of a folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("block-*.parquet"))}
