"""Chips of files: real ones pass, impossible ones get every fault at once."""

from __future__ import annotations

import pytest

from costline import catalogue
from costline.catalogue import chip_facts
from costline.errors import CatalogueError
from costline.silicon.check import check, unchecked
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
        ('fp8 = "1979 TFLOP/s"', 'fp8 = "500 TFLOP/s"', "fp8 peak"),
        ('fp8 = "1979 TFLOP/s"', 'fp8 = "8 PFLOP/s"', "fp8 peak"),
        ('memory_bandwidth = "3.35 TB/s"', 'memory_bandwidth = "300 GB/s"', "memory bandwidth"),
        ('tdp = "700 W"', 'tdp = "700 W"\nlink_bandwidth = "5 TB/s"', "links"),
        ('tdp = "700 W"', 'tdp = "700 W"\nsram_bandwidth = "1 TB/s"', "on-chip bandwidth"),
        ('memory = "HBM3"\n', 'scratchpad = "60 MB"\nmemory = "HBM3"\n', "scratchpad"),
        ('memory = "HBM3"\ndevices = 5', 'memory = "SRAM"', "memory"),
        ('memory = "HBM3"\n', "", "devices"),
        ("devices = 5\n", "", ""),
        ('clock = "1.83 GHz"', 'clock = "5 GHz"', "clock"),
        ('area = "814 mm2"', 'area = "4500 mm2"\ndies = 6', "package area"),
        ("multipliers = 270336\n", "", ""),
    ],
)
def test_one_fault(tmp_path, old, new, what):
    assert old in H100
    found = findings(tmp_path, H100.replace(old, new, 1))
    assert bool(found) == bool(what)
    assert all(what in finding.what or "fp8" in finding.what for finding in found)


@pytest.mark.parametrize(("dies", "said"), [(63, False), (200, True)])
def test_so_many_dies_that_most_packages_fail(tmp_path, dies, said):
    """0.99^68 is a half: 63 dies and five stacks are at the edge, 200 leave one package in seven."""
    found = findings(tmp_path, H100.replace('area = "814 mm2"', f'area = "814 mm2"\ndies = {dies}', 1))
    assert any(each.what.startswith("dies and stacks") for each in found) == said


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
    bus, peak = findings(tmp_path, text)
    assert bus.severity == peak.severity == "doubtful"
    assert bus.what.startswith("memory bus")
    assert "512" in bus.fix
    assert "groq-lpu-v1" in peak.limit  # 0.26 TFLOP/s on each mm2 is the most that any 14 nm chip does


def test_faults_of_spelling_and_of_physics_come_together(tmp_path):
    text = BAD + '\n[[chip]]\nid = "worse"\nmemory = "x"\n[chip.silicon]\nprocess = "6 ft"\ncolour = "blue"\n'
    chips, faults = read_chips(write(tmp_path, text))
    assert [each.id for each in chips] == ["bad", "worse"]
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
    assert not [each for each in chips if each.peak or each.memory]
    assert words in "\n".join(faults)


def test_a_file_that_is_not_toml(tmp_path):
    with pytest.raises(CatalogueError, match="not TOML"):
        read_chips(write(tmp_path, "[[chip"))


def test_the_studies_run_on_the_same_file(tmp_path):
    """A chip's file with a silicon table is a catalogue too."""
    cluster = catalogue.with_file(write(tmp_path, H100)).cluster("8xlike-h100")
    assert cluster.chip.peak["bf16"] == 989e12


def test_a_field_that_cannot_be_read_hides_no_other_fault(tmp_path):
    """The bandwidth is unreadable; area beyond the reticle and power beyond any package are found all the same."""
    text = H100.replace("3.35 TB/s", "fast").replace("814 mm2", "900 mm2").replace("700 W", "9 kW")
    (chip,), faults = read_chips(write(tmp_path, text))
    assert any("memory_bandwidth" in fault for fault in faults)
    grave = {finding.what.split(" ")[0] for finding in check(chip) if finding.severity == "impossible"}
    assert {"area", "power"} <= grave


def test_peaks_need_area_even_where_multipliers_are_not_stated(tmp_path):
    """989 TFLOP/s at the fastest clock of any chip take more than 60 mm2 of bare multipliers at 14 nm."""
    text = H100.replace("multipliers = 270336\n", "").replace("4N", "14 nm").replace("814 mm2", "60 mm2")
    assert any(finding.what.startswith("area 60.0 mm2") for finding in findings(tmp_path, text))


def test_reading_the_memory_alone_takes_power(tmp_path):
    """3.35 TB/s at AttAcc's 3.59 pJ a bit are 96 W."""
    found = [f for f in findings(tmp_path, H100.replace("700 W", "90 W")) if f.severity == "impossible"]
    assert [finding.what for finding in found] == ["power 90.0 W"]
    assert "96.2 W" in found[0].limit


def test_what_is_not_stated_is_said(tmp_path):
    bare = H100[: H100.index("[chip.silicon]")]
    (chip,), faults = read_chips(write(tmp_path, bare))
    assert not faults
    said = "\n".join(unchecked(chip))
    assert all(name in said for name in ("area", "process", "memory", "multipliers and clock"))
    assert not unchecked(read_chips(write(tmp_path, H100))[0][0])


MADE_OF = {
    "h100-sxm": ("HBM3", 5, 1), "a100-sxm-80gb": ("HBM2e", 5, 1), "mi300x": ("HBM3", 8, 3), "b200": ("HBM3e", 8, 2),
    "v100-sxm-32gb": ("HBM2", 4, 1), "groq-lpu-v1": ("SRAM", 0, 1),
}  # fmt: skip
"""Kind of memory, devices and dies, as their makers state them."""


@pytest.mark.parametrize("name", MADE_OF)
def test_no_real_chip_is_impossible(tmp_path, name):
    figures, (memory, devices, dies) = chip_facts()[name].figures, MADE_OF[name]
    peak = next(figures[f"{each}_flop_per_s"] for each in ("bf16", "fp16") if f"{each}_flop_per_s" in figures)
    lines = [
        "[[chip]]", 'id = "it"', f"memory = {figures['memory_byte']}", f"peak = {{ fp16 = {peak} }}",
        f"memory_bandwidth = {figures['memory_bandwidth_byte_per_s']}", f"tdp = {figures['tdp_w']}",
        f"sram = {figures.get('sram_byte', 1e7)}", "[chip.silicon]", f"area = {figures['die_area_m2']}",
        f'process = "{chip_facts()[name].texts["process_node"]}"', f"dies = {dies}", f'memory = "{memory}"',
        *([f"devices = {devices}"] if devices else []),
    ]  # fmt: skip
    assert not [each for each in findings(tmp_path, "\n".join(lines)) if each.severity == "impossible"]


def test_contradictory_fields_come_all_at_once(tmp_path):
    found = findings(tmp_path, H100.replace("devices = 5", "devices = 5\nclamshell = true"))
    assert {"clamshell", "devices: 5"} <= {finding.what for finding in found}
    assert all(finding.source == "the file itself" for finding in found if finding.what in {"clamshell", "devices: 5"})
