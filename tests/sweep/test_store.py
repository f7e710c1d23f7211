"""Folders of sweeps: whole blocks or none, and never two sweeps in one folder."""

import errno
import json
import os

import pytest

from costline.errors import InputError
from costline.sweep import run
from costline.sweep.run import environment, prepare
from costline.sweep.store import Folder

from .conftest import contents, grid, serve_scenario


def test_a_damaged_a_missing_and_a_foreign_block_are_worked_out_again(kept, tmp_path):
    folder = tmp_path / "out"
    run(grid(), folder)
    block = folder / "block-000000.parquet"
    other = tmp_path / "other"
    run(grid(seed=1), other)
    for damage in (
        lambda: block.write_bytes(block.read_bytes()[:-100]),
        lambda: block.write_bytes(b""),
        block.unlink,
        lambda: block.write_bytes((other / block.name).read_bytes()),
    ):
        damage()
        assert run(grid(), folder).found == 0
        assert contents(folder) == contents(kept)
    assert run(grid(), folder).found == grid().points


def test_what_an_interrupted_write_left_is_removed(kept, tmp_path):
    folder = tmp_path / "out"
    run(grid(), folder)
    (folder / ".block-000000.part").write_bytes(b"half")
    run(grid(), folder)
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "_manifest.json", "block-000000.parquet"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"seed": 7}, "changed: seed"),
        ({"figures": ["tpot"]}, "changed: figures"),
        ({"inputs": {"output": 100}}, "changed: output"),
    ],
)
def test_a_changed_scenario_is_refused_by_what_changed(kept, fields, says):
    before = contents(kept)
    with pytest.raises(InputError, match=says):
        run(grid(**fields), kept)
    assert contents(kept) == before


def test_a_changed_axis_is_refused(kept):
    with pytest.raises(InputError, match="axis batch"):
        run(serve_scenario({"batch": [1, 2]}), kept)


def test_another_costline_is_refused(kept, tmp_path):
    folder = Folder(tmp_path)
    manifest = prepare(grid(), folder)
    body = json.loads((kept / "_manifest.json").read_text())
    (tmp_path / "_manifest.json").write_text(json.dumps(body | {"environment": "older"}))
    with pytest.raises(InputError, match="another costline"):
        folder.begin(manifest)
    assert environment() == manifest.environment


def test_a_folder_with_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("all of it")
    with pytest.raises(InputError, match=r"not empty.*thesis\.tex"):
        run(grid(), tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "all of it"


def test_a_file_in_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(InputError, match="out"):
        run(grid(), tmp_path / "out")


def test_two_sweeps_do_not_run_into_one_folder(tmp_path):
    with Folder(tmp_path).locked(), pytest.raises(InputError, match="another process"), Folder(tmp_path).locked():
        pass


def test_a_full_disk_keeps_what_is_there_and_says_how_to_go_on(tmp_path, monkeypatch):
    folder = tmp_path / "out"
    real, written = os.fsync, []

    def full(file):
        written.append(file)
        if len(written) == 3:  # the manifest, the first block, then no more
            raise OSError(errno.ENOSPC, "No space left on device")
        real(file)

    scenario = serve_scenario({"plan": {"tensor": [1, 8]}, "batch": list(range(1, 901))}, figures=["tpot"])
    monkeypatch.setattr("costline.sweep.scenario.BLOCK", 1000)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="900 points are kept, and the same command goes on"):
        run(scenario, folder)
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "_manifest.json", "block-000000.parquet"]
    monkeypatch.setattr(os, "fsync", real)
    assert run(scenario, folder).found == 900


def test_a_result_larger_than_the_disk_is_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr(Folder, "free", lambda folder: 1000)
    with pytest.raises(InputError, match=r"126 points of 8 figures take up to .* free"):
        run(grid(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("body", ["{", "[]", '{"schema": "costline.sweep/9"}', '{"schema": "costline.sweep/1"}'])
def test_a_manifest_that_is_none_is_refused(tmp_path, body):
    (tmp_path / "_manifest.json").write_text(body)
    with pytest.raises(InputError, match=r"_manifest\.json"):
        Folder(tmp_path).manifest()
