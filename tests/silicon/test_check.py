"""Chips of files: real ones pass, impossible ones get every fault at once."""

from __future__ import annotations

import pytest

from costline import catalogue
from costline.errors import CatalogueError
from costline.silicon.check import check
from costline.silicon.chipfile import read_chips

BAD = """
[[chip]]
id = "bad"
memory = "300 GB"
memory_bandwidth = "9 TB/s"
peak = { bf16 = "2 PFLOP/s", fp8 = "8 PFLOP/s" }
tdp = "3 kW"
sram = "4 GB"
[chip.silicon]
process = "14 nm"
area = "900 mm2"
memory = "HBM3"
devices = 6
multipliers = 100000
clock = "4 GHz"
cooling = "air"
"""
H100 = """
[[chip]]
id = "like-h100"
memory = "80 GB"
memory_bandwidth = "3.35 TB/s"
peak = { bf16 = "989 TFLOP/s", fp8 = "1979 TFLOP/s" }
tdp = "700 W"
sram = "50 MB"
[chip.silicon]
process = "4N"
area = "814 mm2"
memory = "HBM3"
devices = 5
multipliers = 270336
clock = "1.83 GHz"
"""


def write(tmp_path, text):
    path = tmp_path / "chip.toml"
    path.write_text(text)
    return path


def findings(tmp_path, text):
    (chip,), faults = read_chips(write(tmp_path, text))
    assert not faults
    return check(chip)


def test_a_real_chip_passes(tmp_path):
    assert findings(tmp_path, H100) == []


def test_an_impossible_chip_gets_every_fault_at_once(tmp_path):
    found = findings(tmp_path, BAD)
    grave = [finding.what for finding in found if finding.severity == "impossible"]
    for what in ("area of a die 900 mm2", "memory bandwidth 9.00 TB/s", "memory 300 GB", "power 3.00 kW",
                 "bf16 peak 2.00 PFLOP/s", "fp8 peak 8.00 PFLOP/s", "area 900 mm2"):  # fmt: skip
        assert what in grave
    assert [finding.severity for finding in found] == sorted((f.severity for f in found), reverse=True)
    assert all(finding.limit and finding.source and finding.fix for finding in found)


def test_limits_come_with_their_figures(tmp_path):
    by_what = {finding.what.split(" ")[0]: finding for finding in findings(tmp_path, BAD)[:3]}
    assert "858 mm2" in by_what["area"].limit
    assert "UCLA" in by_what["area"].source
    (pins,) = (f for f in findings(tmp_path, BAD) if f.what.startswith("memory bandwidth"))
    assert pins.limit == "at most 4.92 TB/s: 6,144 pins at 6.4 Gb/s"


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [  # one change to a real chip, one finding
        ('memory_bandwidth = "3.35 TB/s"', 'memory_bandwidth = "4.2 TB/s"', "memory bandwidth"),
        ('memory = "80 GB"', 'memory = "200 GB"', "memory"),
        ('area = "814 mm2"', 'area = "880 mm2"', "area of a die"),
        ('clock = "1.83 GHz"', 'clock = "1.2 GHz"', "bf16 peak"),
        ('sram = "50 MB"', 'sram = "5 GB"', "area"),
        ('tdp = "700 W"', 'tdp = "1.3 kW"', "power"),
        ('tdp = "700 W"', 'tdp = "60 W"', "power"),
        ("devices = 5", "devices = 11", "stacks"),
    ],
)
def test_one_fault(tmp_path, old, new, what):
    assert old in H100
    found = findings(tmp_path, H100.replace(old, new))
    assert found
    assert all(what in finding.what or "fp8" in finding.what for finding in found)


def test_a_bus_wider_than_any_is_doubtful(tmp_path):
    """The article's 144 GB of GDDR6 are 72 chips on a 1,152-bit bus; the widest of the catalogue has 512 bits."""
    text = """
[[chip]]
id = "seed"
memory = "144 GB"
memory_bandwidth = "2.304 TB/s"
peak = { bf16 = "180 TFLOP/s" }
tdp = "464 W"
[chip.silicon]
process = "14 nm"
area = "564 mm2"
memory = "GDDR6"
devices = 72
clamshell = true
"""
    (finding,) = findings(tmp_path, text)
    assert finding.severity == "doubtful"
    assert "memory bus" in finding.what
    assert "512" in finding.fix


def test_faults_of_spelling_and_of_physics_come_together(tmp_path):
    text = BAD + '\n[[chip]]\nid = "worse"\nmemory = "x"\n[chip.silicon]\nprocess = "6 ft"\ncolour = "blue"\n'
    chips, faults = read_chips(write(tmp_path, text))
    assert [each.chip.id for each in chips] == ["bad"]
    text = "\n".join(faults)
    for words in (
        "field 'memory'",
        "'memory_bandwidth' is missing",
        "'peak' is missing",
        "did you mean 6 nm",
        "colour",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "[[chip]]"), ("chip = 3", "double brackets"), ("[chip]\nid = 'a'", "double brackets"),
     ("[[chip]]\nid = 'a'\nsilicon = 3", "silicon")],
)  # fmt: skip
def test_files_that_hold_no_chip(tmp_path, text, words):
    chips, faults = read_chips(write(tmp_path, text))
    assert not chips
    assert words in "\n".join(faults)


def test_a_file_that_is_not_toml(tmp_path):
    with pytest.raises(CatalogueError, match="not TOML"):
        read_chips(write(tmp_path, "[[chip"))


def test_the_studies_run_on_the_same_file(tmp_path):
    """A chip's file with a silicon table is a catalogue too."""
    cluster = catalogue.with_file(write(tmp_path, H100)).cluster("8xlike-h100")
    assert cluster.chip.peak["bf16"] == 989e12
