"""Chips of files: real ones pass, impossible ones get every fault at once."""

from __future__ import annotations

import math

import pytest

from costline import catalogue
from costline.catalogue import chip_facts
from costline.catalogue.chip_table import RATES
from costline.errors import CatalogueError
from costline.silicon.check import check, unchecked
from costline.silicon.chipfile import read_chips
from costline.silicon.inputs import by_technology, memory_types, node_of
from costline.silicon.power import STATED_OTHERWISE

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
    assert all(what in finding.what or "fp8" in finding.what + finding.limit for finding in found)


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
    assert bus.what == "memory bus, in bits: 1,152"
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
WRITTEN = {
    "memory_byte": "memory", "memory_bandwidth_byte_per_s": "memory_bandwidth", "tdp_w": "tdp",
    "link_bandwidth_byte_per_s": "link_bandwidth", "sram_byte": "sram", "sram_bandwidth_byte_per_s": "sram_bandwidth",
}  # fmt: skip
"""Figures of the catalogue -> fields of a chip file."""


def peaks_of(facts):
    """Rates of a chip, without those that nobody has stated as dense."""
    rates = {name: f"{name}_flop_per_s" for name in RATES}
    return {name: facts.figures[each] for name, each in rates.items()
            if each in facts.figures and facts.kind_of(each) != "doubtful"}  # fmt: skip


def file_of(facts, *, silicon):
    """A chip file with all that the catalogue states of a chip; `silicon` says whether what it is made of is in it."""
    figures, words = facts.figures, facts.texts
    peak = ", ".join(f"{name} = {rate}" for name, rate in peaks_of(facts).items())
    lines = ["[[chip]]", 'id = "it"', f"peak = {{ {peak} }}"]
    lines += [f"{field} = {figures[name]}" for name, field in WRITTEN.items() if name in figures]
    if not silicon:
        return "\n".join(lines)
    lines += ["[chip.silicon]", f"wafer = {str(facts.id.startswith('wse')).lower()}"]
    devices, dies = 0, 1
    if facts.id in MADE_OF:
        memory, devices, dies = MADE_OF[facts.id]
        lines += [f'memory = "{memory}"'] + ([f"devices = {devices}"] if devices else [])
    elif "SRAM" in words["memory_type"]:
        lines += ['memory = "SRAM"']
    elif words["memory_type"].split(" ")[0] in memory_types():
        lines += [f'memory = "{words["memory_type"].split(" ")[0]}"']
    if "die_area_m2" in figures and not facts.id.startswith("wse"):
        dies = max(dies, math.ceil(figures["die_area_m2"] / 858e-6))
    lines += [f"dies = {dies}"]
    lines += [f"{field} = {figures[name]}" for name, field in (("die_area_m2", "area"), ("clock_hz", "clock"))
              if name in figures]  # fmt: skip
    lines += multipliers_of(facts)
    if node_of(words["process_node"]):
        lines += [f'process = "{node_of(words["process_node"])} nm"']
    return "\n".join(lines)


def multipliers_of(facts):
    """Multiply-adds of its cores, where they are published and the stated peak is at the stated clock."""
    known = {facts.family} & set(by_technology("multiply_adds")) and "clock_hz" in facts.figures
    if not known or facts.id in STATED_OTHERWISE or "cores" not in facts.figures:
        return []
    return [f"multipliers = {round(facts.figures['cores'] * by_technology('multiply_adds')[facts.family].value)}"]


REAL = [facts for facts in chip_facts().values() if not facts.missing and peaks_of(facts)]
"""Chips of the catalogue whose figures make a file."""


@pytest.mark.parametrize("silicon", [True, False], ids=["made of", "figures alone"])
def test_real_chips_pass_their_own_check(tmp_path, silicon):
    """Shipped chips break no limit and are not doubted either, wafers included where the file says what they are."""
    assert len(REAL) > 95
    wafers = 0 if silicon else 1
    for facts in REAL:
        found = findings(tmp_path, file_of(facts, silicon=silicon))
        if facts.kind == "datasheet" and not (wafers and facts.id.startswith("wse")):
            assert found == [], facts.id
        elif facts.kind in {"announced", "assumed"}:  # further than any chip that is shipped, and made for the article
            assert all(each.severity == "doubtful" for each in found), facts.id


def test_a_wafer_is_no_package(tmp_path):
    """A WSE-2 draws 23 kW on 46,225 mm2, more than any package; a disc of 300 mm has 67,900 mm2 within its rim."""
    text = file_of(chip_facts()["wse-2"], silicon=True)
    assert findings(tmp_path, text) == []
    packaged = findings(tmp_path, text.replace("wafer = true", "wafer = false"))
    assert {"power 23.0 kW", "area of a die 46,200 mm2"} <= {each.what for each in packaged}
    (large,) = findings(tmp_path, text.replace("area = 0.046225", 'area = "70000 mm2"'))
    assert "67,900 mm2" in large.limit
    (cut,) = findings(tmp_path, text.replace("dies = 1", "dies = 2"))
    assert "not cut" in cut.limit


def test_contradictory_fields_come_all_at_once(tmp_path):
    found = findings(tmp_path, H100.replace("devices = 5", "devices = 5\nclamshell = true"))
    assert {"clamshell", "devices: 5"} <= {finding.what for finding in found}
    assert all(finding.source == "the file itself" for finding in found if finding.what in {"clamshell", "devices: 5"})


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('area = "814 mm2"', "area = 814", "did you mean 814 mm2?"),
        ('clock = "1.83 GHz"', "clock = 1.83", "did you mean 1.83 GHz?"),
        ('clock = "1.83 GHz"', "clock = 1830", "did you mean 1830 MHz?"),
        ('clock = "1.83 GHz"', 'clock = "1e-300 Hz"', "field 'clock'"),
        ("devices = 5", 'devices = 5\nclamshell = "yes"', "field 'clamshell'"),
        ("devices = 5", "devices = 5\nwafer = 1", "field 'wafer'"),
    ],
)
def test_slips_of_the_pen(tmp_path, old, new, words):
    chips, faults = read_chips(write(tmp_path, H100.replace(old, new)))
    assert [words in fault for fault in faults] == [True]
    assert check(chips[0]) == []  # what can be read is fine


@pytest.mark.parametrize(("rate", "said"), [("62.6 PFLOP/s", False), ("64.6 PFLOP/s", True)])
def test_a_multiplier_is_cut_into_as_many_as_its_square_holds(tmp_path, rate, said):
    """Sixteen 4-bit multiplications in the cells of a 16-bit one: 1,070,000 x 2 x 16 x 1.83 GHz are 62.7 PFLOP/s."""
    text = H100.replace("270336", "1070000").replace('fp8 = "1979 TFLOP/s"', f'fp4 = "{rate}"')
    found = [each.what for each in findings(tmp_path, text) if each.severity == "impossible"]
    assert any(what.startswith("fp4 peak") for what in found) == said
