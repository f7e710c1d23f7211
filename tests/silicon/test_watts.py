"""What a chip's power pays for, whatever its file leaves out, against the table of chips and published circuits."""

from __future__ import annotations

import csv
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costline.catalogue.table import DATA
from costline.quantity import FLOP_RATE, WATTS, show
from costline.silicon.check import check
from costline.silicon.chipfile import Described, SiliconTable, read_chips

BARE = """
[[chip]]
id = "bare"
memory = "64 GB"
memory_bandwidth = "400 TB/s"
peak = { bf16 = "50 PFLOP/s" }
tdp = "20 W"
"""


def findings(tmp_path, text):
    path = tmp_path / "chip.toml"
    path.write_text(text)
    (chip,), faults = read_chips(path)
    assert not faults
    return check(chip)


@pytest.mark.parametrize("name", ["fp64", "fp32", "tf32", "bf16", "fp16", "fp16acc", "fp8", "int8", "fp4", "int4"])
def test_operations_for_a_watt_are_held_against_the_best_chip_whatever_else_is_left_out(tmp_path, name):
    """The most frugal chip is read from the table by hand; 50 PFLOP/s take its watts as often as they hold its peak."""
    found = findings(tmp_path, BARE.replace("bf16", name))
    wide = {"bf16", "fp16"}
    alike = {"fp8": {"fp8", "int8"}, "int8": {"fp8", "int8"}, "fp4": {"fp4", "int4"}, "int4": {"fp4", "int4"},
             "bf16": wide, "fp16": wide, "fp16acc": {*wide, "fp16acc"}}.get(name, {name})  # fmt: skip
    with (DATA / "chips.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "datasheet" and row["tdp_w"]]
    best, chip = max(
        (float(row[f"{each}_flop_per_s"]) / float(row["tdp_w"]), row["id"])
        for row in rows for each in alike if row[f"{each}_flop_per_s"]
    )  # fmt: skip
    (doubt,) = [each for each in found if each.severity == "doubtful" and f"in {name} at" in each.limit]
    assert (doubt.what, doubt.limit.endswith(f": {chip}")) == ("power 20.0 W", True)
    assert doubt.source.startswith(f"chips.csv, {chip}: ")
    assert f"at least {show(50e15 / best, WATTS)}" in doubt.limit
    assert show(20 * best, FLOP_RATE) in doubt.fix


def test_an_operation_takes_what_the_most_frugal_circuit_takes(tmp_path):
    """150 operations in 8 bits for a nanojoule at 22 nm; newer processes save at most nine tenths of it."""
    (found,) = [each for each in findings(tmp_path, BARE.replace("bf16", "fp8")) if "in fp8 at 0.00" in each.limit]
    assert found.severity == "impossible"
    assert "arxiv.org/html/2412.19750" in found.source
    watts = float(found.fix.split(" ")[0])
    assert 50e15 / 150e12 / 10 < watts < 50e15 / 150e12


def test_bytes_for_a_watt_without_a_kind_of_memory(tmp_path):
    """No stack takes less than AttAcc's 3.59 pJ a bit: 400 TB/s are 11.5 kW. A B100 reads 8 TB/s at 700 W."""
    limits = {each.limit.partition(":")[0]: each for each in findings(tmp_path, BARE)}
    assert limits["at least 11.5 kW"].severity == "impossible"
    doubt = limits["at least 35.0 kW"]
    assert (doubt.severity, doubt.source.partition(":")[0]) == ("doubtful", "chips.csv, b100")


def test_links_take_power_too(tmp_path):
    """5 TB/s at NVLink's 1.3 pJ a bit are 52 W."""
    text = BARE.replace("400 TB/s", "100 GB/s").replace("50 PFLOP/s", "1 TFLOP/s") + 'link_bandwidth = "5 TB/s"\n'
    (found,) = [each for each in findings(tmp_path, text) if each.severity == "impossible"]
    assert (found.what, found.fix) == ("power 20.0 W", "52.0 W or more, or 1.92 TB/s or less")


def test_what_fits_on_a_chip_may_be_read_there(tmp_path):
    """230 MB may be Groq's: 372 GB/s for a watt are no doubt then; 64 GB cannot be, and the same bandwidth is."""
    groq = BARE.replace("400 TB/s", "80 TB/s").replace("50 PFLOP/s", "188 TFLOP/s").replace("20 W", "215 W")
    assert findings(tmp_path, groq.replace("64 GB", "230 MB")) == []
    assert {each.severity for each in findings(tmp_path, groq)} == {"impossible", "doubtful"}


@pytest.mark.parametrize("stated", list(itertools.product([False, True], repeat=4)))
def test_too_much_for_its_power_is_found_whatever_is_stated(tmp_path, stated):
    """Two limits and two doubts on 20 W, with any of process, memory, area and dies."""
    lines = ['process = "3 nm"', 'memory = "HBM3e"', 'area = "800 mm2"', "dies = 1"]
    text = BARE + "[chip.silicon]\n" + "\n".join(line for line, there in zip(lines, stated, strict=True) if there)
    on_power = [each for each in findings(tmp_path, text) if each.what == "power 20.0 W"]
    assert [each.severity for each in on_power].count("impossible") == 2
    assert [each.severity for each in on_power].count("doubtful") >= 2


def test_power_that_is_not_stated_is_at_most_what_anybody_draws(tmp_path):
    found = [each for each in findings(tmp_path, BARE.replace('tdp = "20 W"', "")) if "gb300" in each.what]
    assert [(each.severity, each.fix.endswith("TB/s or less")) for each in found] == [("impossible", True)]


def test_arithmetic_needs_area_even_where_none_is_stated(tmp_path):
    """The largest package of the road map holds 4,719 / 1.1 mm2; a B200's 1.41 TFLOP/s a mm2 grow by 1.3 at 3 nm."""
    (peak,) = [each for each in findings(tmp_path, BARE) if each.what.startswith("bf16 peak")]
    most = 2250e12 / 1600 * 180 / 138.2 * 4719 / 1.1
    assert show(most, FLOP_RATE) in peak.limit
    assert "b200" in peak.source


def test_bit_cells_that_no_package_holds(tmp_path):
    """100 GB of the smallest bit cell, 0.0199 um2, are 15,900 mm2."""
    text = BARE.replace("64 GB", "100 GB") + '[chip.silicon]\nmemory = "SRAM"\n'
    grave = [each.what for each in findings(tmp_path, text) if each.severity == "impossible"]
    assert any(what.startswith("area of its blocks") for what in grave)


def test_memory_on_the_chip_has_one_bandwidth(tmp_path):
    groq = BARE.replace("64 GB", "230 MB").replace("400 TB/s", "80 TB/s").replace("50 PFLOP/s", "188 TFLOP/s")
    text = (
        groq.replace("20 W", "215 W") + 'sram = "230 MB"\nsram_bandwidth = "80 TB/s"\n[chip.silicon]\nmemory = "SRAM"\n'
    )
    assert findings(tmp_path, text) == []
    (found,) = findings(tmp_path, text.replace('sram_bandwidth = "80', 'sram_bandwidth = "40'))
    assert (found.severity, found.fix) == ("impossible", "40.0 TB/s or less")


POSITIVE = st.floats(1e-200, 1e200)


@given(
    st.dictionaries(
        st.sampled_from(["memory", "memory_bandwidth", "tdp", "link_bandwidth", "sram", "sram_bandwidth"]), POSITIVE
    ),
    st.dictionaries(st.sampled_from(["fp64", "tf32", "bf16", "fp8", "int4", "q4_k_m"]), POSITIVE),
    st.sampled_from([None, "SRAM", "HBM3", "GDDR6"]),
    st.one_of(st.none(), st.floats(1e-12, 10.0)),
    st.booleans(),
)
def test_every_chip_that_can_be_written_gets_an_answer(figures, peak, memory, area, wafer):
    """However far from any chip: each finding has its limit, its source and a way out."""
    written = None if area is None else f"{area} m2"
    table = SiliconTable(memory=memory, area=written, wafer=wafer, process="7 nm" if wafer else None)
    for finding in check(Described(id="any", silicon=table, peak=peak, **figures)):
        assert all((finding.what, finding.limit, finding.source, finding.fix))
