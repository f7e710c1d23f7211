"""A user's own file: read, laid over the catalogue, refused with every fault."""

import pytest

import costline
from costline import catalogue
from costline.catalogue.check import check_file
from costline.catalogue.table import LARGEST_FILE
from costline.catalogue.user import load_user_file
from costline.errors import CatalogueError, InputError

OWN = """
[[chip]]
id = "mychip"
vendor = "Me"
memory = "144 GB"
memory_bandwidth = "3.35 TB/s"
peak = { bf16 = "180 TFLOP/s", int8 = 3.6e14 }
tdp = "300 W"
link_bandwidth = "400 Gb/s"
source = "our datasheet"

[[cluster]]
id = "mybox"
chip = "mychip"
chips = 4
scale_up = "300 GB/s"
scale_out = "25 GB/s"
scale_up_latency = "2 us"
power = "2 kW"

[[price]]
chip = "mychip"
price = "$1.20/h"
low = "$1/h"
high = "$2/h"
date = 2026-01-31

[[price]]
chip = "h100-sxm"
price = "$1.99/h"
"""


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(OWN)
    return path


def test_own_chips_systems_and_prices(own):
    mine = catalogue.with_file(own)
    chip = mine.chip("MyChip")
    assert (chip.memory, chip.memory_bandwidth, chip.tdp, chip.link_bandwidth) == (144e9, 3.35e12, 300, 50e9)
    assert (chip.peak["bf16"], chip.peak["int8"], chip.kind) == (180e12, 360e12, "user")
    cluster = mine.cluster("8xmychip")
    assert (cluster.system, cluster.domain, cluster.scale_up, cluster.power) == ("mybox", 4, 300e9, 500)
    assert cluster.scale_up_latency == pytest.approx(2e-6)
    assert mine.cluster("2xmybox").chips == 8
    rent = mine.rental_price("mychip")
    assert [round(price * 3600, 6) for price in (rent.value, rent.low, rent.high)] == [1.2, 1.0, 2.0]
    assert mine.rental_price("h100-sxm").value * 3600 == pytest.approx(1.99)
    assert mine.rental_price("a100-sxm-80gb") == catalogue.rental_price("a100-sxm-80gb")
    assert mine.chip("h100-sxm") == catalogue.chip("h100-sxm")
    assert "mychip" not in catalogue.chips()


def test_own_chip_of_a_known_family_inherits_its_coefficients(own):
    own.write_text(OWN.replace('vendor = "Me"', 'vendor = "Me"\nfamily = "hopper"'))
    chip = catalogue.with_file(own).chip("mychip")
    assert catalogue.efficiency().row("gemm", chip, "bf16").scope == "family:hopper"


def test_own_chip_hides_the_shipped_one(own):
    own.write_text(OWN.replace('id = "mychip"', 'id = "h100-sxm"').replace('chip = "mychip"', 'chip = "h100-sxm"'))
    mine = catalogue.with_file(own)
    assert mine.chip("h100-sxm").tdp == 300
    assert mine.cluster("8xh100-sxm").system == "mybox"
    assert catalogue.chip("h100-sxm").tdp == 700


BAD = """
[[chip]]
id = "My Chip"
memory = "144 GiBB"
peak = { bf17 = "1 TFLOP/s" }
memory_bandwith = "3 TB/s"

[[chip]]
id = "b"
memory = 0
memory_bandwidth = -1
peak = { bf17 = "1 TFLOP/s" }

[[chip]]
id = "c"
memory = 1e9
memory_bandwidth = 1e9
peak = { bf17 = "1 TFLOP/s" }

[[chip]]
id = "c"
memory = 1e9
memory_bandwidth = 1e9
peak = {}

[[system]]
id = "s"
chip = "h100-smx"
chips = 0

[[system]]
id = "t"
chip = "h100-smx"
chips = 8

[[price]]
chip = "h100-sxm"
price = "$2.49"
date = "soon"

[[model]]
id = "m"
config = "nowhere/config.json"

[chips]
id = "d"
"""


def test_an_answer_says_that_an_own_chip_hides_the_shipped_one(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text(
        '[[chip]]\nid = "h100-sxm"\nmemory = "80 GB"\nmemory_bandwidth = "10 TB/s"\npeak = { bf16 = "1 PFLOP/s" }\n'
    )
    said = {
        each: [
            row.value
            for row in costline.serve("llama-3.1-8b", on=each, catalogue=file).assumptions
            if row.name == "chip"
        ]
        for each in ("h100-sxm", "h200-sxm")
    }
    assert said == {"h100-sxm": ["h100-sxm as your own file has it, in place of the catalogue's"], "h200-sxm": []}


def test_all_faults_of_a_users_file_are_reported_at_once(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(BAD)
    with pytest.raises(CatalogueError) as caught:
        catalogue.with_file(path)
    text = "\n".join(caught.value.faults)
    for says in (
        "chip 'My Chip': field 'id'",
        "field 'memory'",
        "field 'memory_bandwith' is not known; did you mean memory_bandwidth",
        "field 'memory_bandwidth' is missing",
        "is 0; leave it out",
        "is negative",
        "number format 'bf17' is not one of",
        "chip 'c' is there twice",
        "peak is empty",
        "system 's': field 'chips'",
        "no chip 'h100-smx'; did you mean h100-sxm",
        "price 'h100-sxm': field 'price'",
        "field 'date'",
        "model 'm': no file",
        "table 'chips' is not known; did you mean [[chip]]",
    ):
        assert says in text, says
    assert "pydantic" not in text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[[chip]", "not TOML"),
        ("", "holds no tables"),
        ("chip = 5", r"write \[\[chip\]\]"),
        ("[chip]\nid = 'a'", r"write \[\[chip\]\]"),
        ("x = " + "[" * 100_000, "nested too deeply|not TOML"),
        ("[[price]]\nchip = 'h100-sxm'\n" * 10_001, "the limit is 10,000"),
        ("x = '" + "y" * LARGEST_FILE + "'", "larger than"),
    ],
)
def test_files_that_are_no_catalogue(tmp_path, content, says):
    path = tmp_path / "own.toml"
    path.write_text(content)
    with pytest.raises(CatalogueError, match=says):
        catalogue.with_file(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(CatalogueError, match="cannot be read"):
        catalogue.with_file(tmp_path / "none.toml")


def test_check_says_what_a_file_holds(own):
    assert check_file(own).endswith("no faults; 1 chip, 1 system, 2 prices")


def test_check_reports_a_configuration_that_is_none_with_all_other_faults(tmp_path):
    (tmp_path / "notes.txt").write_text("root:x:0:0\n")
    path = tmp_path / "mine.toml"
    path.write_text('[[model]]\nid = "a"\nconfig = "notes.txt"\n[[price]]\nchip = "h100-smx"\nprice = "$2/h"\n')
    with pytest.raises(CatalogueError) as caught:
        check_file(path)
    assert len(caught.value.faults) == 2
    assert any("'a'" in fault and "not JSON" in fault for fault in caught.value.faults)


def test_check_of_a_csv_with_foreign_columns(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(CatalogueError, match="columns of no table"):
        check_file(path)


def test_a_chip_may_say_what_it_is_made_of(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('[[chip]]\nid = "c"\nmemory = "80 GB"\nmemory_bandwidth = "2 TB/s"\npeak = {bf16 = "100 TFLOP/s"}\n'
                    '[chip.silicon]\nmade_of = "anything"\n')  # fmt: skip
    assert catalogue.with_file(path).chip("c").memory == 80e9


def test_a_fault_of_a_field_hides_none_between_tables(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        """
        [[chip]]
        id = "a"
        memory = "no size"
        memory_bandwidth = "1 TB/s"
        peak = { bf99 = "1 TFLOP/s" }
        [[chip]]
        id = "a"
        [[system]]
        id = "box"
        chip = "b"
        chips = 0
        [[price]]
        chip = "nothing"
        price = "cheap"
        """
    )
    with pytest.raises(CatalogueError) as caught:
        load_user_file(path)
    for words in ("'memory'", "bf99", "'a' is there twice", "no chip 'b'", "'chips'", "no chip 'nothing'", "'price'"):
        assert any(words in fault for fault in caught.value.faults), words


CHIP = {"memory": '"80 GB"', "memory_bandwidth": '"3.35 TB/s"', "peak": '{ bf16 = "180 TFLOP/s" }'}


def own_chip(tmp_path, identifier="own", **changed):
    lines = "\n".join(f"{name} = {value}" for name, value in (CHIP | changed).items())
    path = tmp_path / "own.toml"
    path.write_text(f'[[chip]]\nid = "{identifier}"\n{lines}\n')
    return path


@pytest.mark.parametrize(
    ("field", "value", "fix"),
    [
        ("peak", "{ bf16 = 180 }", "180 TFLOP/s"), ("memory", "80", "80 GB"), ("memory_bandwidth", "3.35", "3.35 TB/s"),
        ("memory_bandwidth", "3350", "3350 GB/s"), ("link_bandwidth", "450", "450 GB/s"), ("tdp", "0.7", "0.7 kW"),
        ("peak", "{ bf16 = 1e30 }", "TFLOP/s"),
    ],
)  # fmt: skip
def test_a_number_that_lost_its_unit_is_refused_with_the_unit_that_was_meant(tmp_path, field, value, fix):
    with pytest.raises(CatalogueError, match=rf"without a unit is .*; did you mean .*{fix}\?"):
        load_user_file(own_chip(tmp_path, **{field: value}))


def test_si_numbers_and_small_quantities_with_their_unit_are_taken(tmp_path):
    found = load_user_file(
        own_chip(tmp_path, memory="80e9", memory_bandwidth="3.35e12", peak='{ bf16 = 180e12, fp32 = "180 FLOP/s" }')
    ).chips["own"]
    assert (found.memory, found.memory_bandwidth, found.peak) == (80e9, 3.35e12, {"bf16": 180e12, "fp32": 180.0})


def test_a_rent_a_second_that_is_a_rent_an_hour(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('[[price]]\nchip = "h100-sxm"\nprice = 2.5\n')
    with pytest.raises(CatalogueError, match=r"did you mean \$2.5/h\?"):
        load_user_file(path)


@pytest.mark.parametrize("identifier", ["4x", "8xbox", "2", "1.5", "4kxh100"])
def test_a_name_that_reads_as_a_number_of_chips_is_refused(tmp_path, identifier):
    with pytest.raises(CatalogueError, match="reads as a number of chips in --on; begin it with a letter"):
        check_file(own_chip(tmp_path, identifier))


@pytest.mark.parametrize("identifier", ["x4", "my-4x", "3090ti"])
def test_a_name_that_passes_the_check_can_be_asked_for(tmp_path, identifier):
    path = own_chip(tmp_path, identifier)
    check_file(path)
    found = catalogue.with_file(path).cluster(f"8x{identifier}")
    assert (found.chips, found.chip.id) == (8, identifier)
    assert catalogue.with_file(path).cluster(identifier).chips == 1


def test_a_number_behind_the_name_is_told_where_it_goes():
    for written, right in (("h100-sxm:8", "8xh100-sxm"), ("2xh100-sxm:8", "16xh100-sxm")):
        with pytest.raises(InputError, match=f"the number of chips goes first; write {right}"):
            catalogue.cluster(written)


def test_an_own_model_may_be_a_folder_as_on_the_command_line(tmp_path):
    """It was "a folder, not a file" to ``data check`` and no file at all to every question."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "config.json").write_text('{"architectures": ["LlamaForCausalLM"], "num_hidden_layers": 2}')
    file = tmp_path / "own.toml"
    file.write_text('[[model]]\nid = "tiny"\nconfig = "tiny"\n[[model]]\nid = "other"\nconfig = "tiny/config.json"\n')
    book = catalogue.shipped.with_file(file)
    assert book.model("tiny").params == book.model("other").params
    file.write_text('[[model]]\nid = "none"\nconfig = "."\n')
    with pytest.raises(CatalogueError, match="no file"):
        load_user_file(file)
