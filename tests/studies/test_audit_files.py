"""Audit files of users: what they can say, every fault at once, and that hostile ones do no harm."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costline.errors import CatalogueError, CostlineError, InputError, UnknownNameError
from costline.report.audit import reason
from costline.studies.audit.document import LARGEST_AUDIT, Audit, find, load
from costline.studies.audit.judge import VERDICTS, audit, judge
from costline.studies.audit.kinds import read_quantity
from costline.studies.audit.operations import operations

GOOD = """
title = "An estimate of mine"
source = "https://example.org/post"

[inputs.rate]
value = "312 TFLOP/s"
source = "datasheet"

[[claim]]
id = "C1"
claim = "training takes 178 days"
stated = "178 days"
holds = "it takes {time}"
steps.work = { call = "training_flops", with = { params = "400B", tokens = "20T" } }
steps.time.call = "time_at_utilisation"
steps.time.with = { flops = "work", chips = 25000, peak = "rate", utilisation = "40%" }

[[claim.check]]
kind = "arithmetic"
computed = "time"
stated = "178 days"
tolerance = "1%"

[[claim]]
id = "C2"
claim = "which costs $210M at $2 an hour"
steps.cost = { call = "rental_cost", with = { chips = 25000, seconds = "C1.time", price = "$2/h" } }

[[claim.check]]
kind = "arithmetic"
computed = "cost"
stated = "$210M"
factor = 1.1

[[claim]]
id = "C3"
claim = "and is worth it"
not_checkable = "no figure"
"""


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "mine.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def faults(file, text):
    with pytest.raises(CatalogueError) as caught:
        audit(file(text))
    assert caught.value.faults
    return caught.value.faults


def test_a_file_of_ones_own(file):
    """4.8e25 / (25000 x 312e12 x 0.4) s = 178.06 days; x 25000 x $2/h = $213.7M."""
    result = audit(file(GOOD))
    assert [judged.verdict for judged in result.claims] == ["holds", "holds", "not checkable"]
    assert result.claims[0].right[0].number == pytest.approx(178.06 * 86400, rel=1e-4)
    assert result.claims[1].right[0].number == pytest.approx(213.7e6, rel=1e-3)


def test_a_slip_is_told_before_a_premise(file):
    both = GOOD.replace('stated = "178 days"\ntolerance = "1%"', 'stated = "100 days"\ntolerance = "1%"')
    both += '[[claim.check]]\nkind = "premise"\ncomputed = "C1.time"\nleast = "1 year"\n'
    both = both.replace('not_checkable = "no figure"\n', "")
    result = audit(file(both))
    assert [judged.verdict for judged in result.claims] == ["arithmetic slip", "holds", "wrong premise"]


def test_every_fault_of_the_layout_at_once(file):
    text = GOOD.replace('source = "datasheet"', 'sauce = "datasheet"').replace('tolerance = "1%"', 'tolerance = "140%"')
    text = text.replace('id = "C2"', 'id = "C 2"').replace("factor = 1.1", 'factor = 1.1\ntolerance = "5%"')
    text = text.replace('not_checkable = "no figure"', 'not_checkabel = "no figure"')
    found = faults(file, text)
    expected = ("rate", "sauce", "140%", "C 2", "either a tolerance or a factor", "did you mean 'not_checkable'")
    assert all(any(words in fault for fault in found) for words in expected), found
    assert len(found) >= 6


def test_faults_of_layout_and_contents_are_told_together(file):
    text = GOOD.replace('source = "datasheet"', 'sauce = "datasheet"').replace(
        'kind = "arithmetic"', 'kind = "vibes"', 1
    )
    text = text.replace('"rental_cost"', '"rent_cost"').replace('id = "C3"', 'id = "C 3"').replace("{time}", "{tyme}")
    text = text.replace('title = "An estimate of mine"', 'titel = "An estimate of mine"')
    text = text.replace('params = "400B"', 'params = "many"').replace('computed = "time"', 'computed = "tme"')
    text += '[[claim]]\nid = "C4"\nclaim = "x"\nsteps.four = { call = "product", with = { a = 2, b = 2 } }\n'
    text += '[[claim.check]]\nkind = "premise"\ncomputed = "four"\nleast = 5\nmost = 3\n'
    found = faults(file, text)
    expected = ("did you mean 'title'", "title: is missing", "sauce", "rate, source: is missing", "vibes",
                "rental_cost", "C 3", "tyme", "'tme'", "'many'", "least 5 is above most 3")  # fmt: skip
    assert [words for words in expected if not any(words in fault for fault in found)] == []
    assert len(found) == len(expected)  # nothing is blamed for what it depends on


def test_a_check_with_a_bad_field_is_looked_through_for_more(file):
    bad = GOOD.replace('kind = "arithmetic"', 'kind = "arithmetik"', 1)
    text = bad.replace('computed = "time"', 'computed = "tim"', 1).replace('"1%"', '"1%"\nfactor = 2', 1)
    found = faults(file, text.replace('title = "An', "title = 5 #"))
    expected = (
        "title: is a text",
        "check 1, kind: ",
        "either a tolerance or a factor",
        "is called 'tim'; did you mean",
    )
    assert [words for words in expected if not any(words in fault for fault in found)] == []
    assert len(found) == len(expected)
    assert len(faults(file, bad.replace('"1%"', '"x"', 1))) == 2  # none of a tolerance that is there but unreadable


@pytest.mark.parametrize(
    ("stated", "says"),
    [
        ('"$6e24"', "is in USD, but what is computed is in FLOP; write e.g."),
        ('"6e24 s"', "is in s, but what is computed is in FLOP"),
        ('"6e24"', "is a number without a unit, but what is computed is in FLOP"),
        ("6e24", "is a number without a unit, but what is computed is in FLOP"),
        ('"5 days"', "is in s, but what is computed is in FLOP"),
    ],
)
def test_only_what_is_measured_alike_is_compared(file, stated, says):
    text = GOOD.replace('computed = "time"\nstated = "178 days"', f'computed = "work"\nstated = {stated}')
    (fault,) = faults(file, text)
    assert fault.startswith("claim C1, check 1, stated: ")
    assert says in fault
    with pytest.raises(CatalogueError, match=r"flops: C2\.cost is in USD, and what is wanted is an amount of work"):
        audit(
            file(
                GOOD
                + """
[[claim]]
id = "C4"
claim = "c"
not_checkable = "n"
steps.rate = { call = "time_at_utilisation", with = { flops = "C2.cost", chips = 1, peak = "rate", utilisation = 1 } }
""".replace("steps.rate", "steps.slow")
            )
        )


def test_counts_take_a_number_without_a_unit(file):
    text = GOOD.replace(
        'computed = "time"\nstated = "178 days"\ntolerance = "1%"', 'computed = "share"\nstated = 0.5\ntolerance = "0%"'
    )
    text = text.replace(
        "steps.work =", 'steps.share = { call = "ratio", with = { a = 1, b = 2 }, unit = "1" }\nsteps.work ='
    )
    assert audit(file(text)).claims[0].verdict == "holds"


def test_every_fault_of_the_contents_at_once(file):
    text = GOOD.replace('"training_flops"', '"trainig_flops"').replace('peak = "rate"', 'peak = "400 GB"')
    text = text.replace('seconds = "C1.time"', 'secs = "C1.tme", seconds = "C9.time"').replace("{time}", "{tyme}")
    text = text.replace("chips = 25000, peak", 'chips = "many", peak')
    found = faults(file, text)
    expected = ("did you mean training_flops", "400 GB", "takes no 'secs'", "'C9.time'", "tyme", "'many'")
    assert all(any(words in fault for fault in found) for words in expected), found


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('tokens = "20T" }', 'tokens = "20T", layers = 3 }', "takes no 'layers'"),
        (', tokens = "20T"', "", "needs tokens"),
        ('utilisation = "40%"', "utilisation = 0", "impossible"),
        ('utilisation = "40%"', 'utilisation = "-40%"', "-40%"),
        ('params = "400B"', "params = nan", "params"),
        ('params = "400B"', "params = inf", "params"),
        ('params = "400B"', 'params = "1e400"', "1e400"),
        ('params = "400B", tokens = "20T"', "params = 1e300, tokens = 1e300", "no finite number"),
        ('params = "400B"', "params = true", "params"),
        ('params = "400B"', "params = [1, 2]", "params"),
        ('flops = "work"', 'flops = "time"', "no input or earlier step"),
        ('computed = "cost"', 'computed = "C1.work.real"', "C1.work.real"),
        ('id = "C2"', 'id = "C1"', "there twice"),
        ("steps.work", "steps.rate", "name of an input already"),
        ("steps.work = {", 'steps."__class__" = {', "__class__"),
        ('call = "training_flops"', 'call = "__import__"', "no computation is called"),
        ('call = "training_flops"', 'call = "os.system"', "no computation is called"),
        ('kind = "arithmetic"', 'kind = "vibes"', "arithmetic"),
        ('title = "An estimate of mine"', "", "title"),
        ('title = "An estimate of mine"', 'title = "An estimate of mine"\nverdict = "holds"', "verdict"),
        ('claim = "and is worth it"', 'claim = { zh = "值得" }', "en"),
        ('not_checkable = "no figure"', "", "not_checkable"),
        ('not_checkable = "no figure"', 'not_checkable = "no figure"\nverdict = "holds"', "verdict"),
    ],
)
def test_a_fault_names_its_place(file, old, new, says):
    assert old in GOOD
    found = faults(file, GOOD.replace(old, new, 1))
    assert any(says in fault for fault in found), found


@pytest.mark.parametrize(
    ("call", "arguments", "says"),
    [
        ("chip_rate", 'chip = "h100-smx"', "h100-sxm"),
        ("chip_rate", 'chip = "h100-sxm", format = "bf61"', "bf61"),
        ("serve", 'model = "llama-2-70b", on = "8xh100-sxm", figure = "decode_mfo"', "decode_mfu"),
        ("serve", 'model = "wan2.1-t2v-14b", on = "8xh100-sxm", figure = "tpot"', "not a decoder"),
        ("serve", 'model = "llama-2-70b", on = "1xh100-sxm", figure = "tpot"', "does not fit"),
        ("serve", 'model = "llama-2-70b", on = "8xh100-sxm", figure = "tpot", batch = 1.5', "whole"),
        ("clip_tokens", 'model = "llama-2-70b", height = 8, width = 8', "diffusion transformer"),
        ("rent", 'chip = "a100-sxm-80gb", until = "1999"', "1999"),
        ("token_price", 'model = "gpt-4", side = "left"', "left"),
        ("pim_speedup", 'device = "no such", config = "x"', "no such"),
    ],
)
def test_what_cannot_be_looked_up_is_a_fault_with_a_hint(file, call, arguments, says):
    text = GOOD + '[[claim]]\nid = "C4"\nclaim = "x"\nnot_checkable = "x"\n'
    text += f'steps.it = {{ call = "{call}", with = {{ {arguments} }} }}\n'
    assert any(says in fault for fault in faults(file, text))


@pytest.mark.parametrize(
    "text",
    [
        b"\x00" * 100,
        b"\xff\xfe title",
        b"title = ",
        b"[" * 50_000,
        b"a = " + b"[" * 20_000,
        b"a." * 5_000 + b"b = 1",
        b"title = 'x'\nsource = 'x'\nclaim = 3",
        b"title = 'x'\nsource = 'x'\nclaim = []",
        b"title = 'x'\nsource = 'x'\n[[claim]]\n[[claim]]",
        b"x = " + b"9" * 6_000,
        b"#" * (LARGEST_AUDIT + 1),
    ],
    ids=range(11),
)
def test_hostile_files_are_refused(file, text):
    faults(file, text)


def test_placeholders_reach_nothing_but_values(file):
    """``str.format`` would follow attributes and fill; here braces stand for values by name, and for nothing else."""
    found = faults(file, GOOD.replace("it takes {time}", "{time.__class__} {0}"))
    assert any("time.__class__" in fault for fault in found)
    odd = "{time!r} {{}} {time:>99999999} {time[0]} %s {time}"
    result = audit(file(GOOD.replace("it takes {time}", odd)))
    assert reason(result.claims[0], "en") == odd.removesuffix("{time}") + "178 days"


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(CatalogueError, match="cannot be read"):
        audit(tmp_path / "no.toml")
    with pytest.raises(CatalogueError, match="cannot be read"):
        load(tmp_path)
    with pytest.raises(UnknownNameError, match="sora-2024"):
        find("sora-2025")
    with pytest.raises(InputError, match="sora-2024"):
        find("zzz")


def test_quantities_of_any_kind():
    assert read_quantity("400B", None) == (400e9, "")
    assert read_quantity("312 TFLOP/s", None) == (312e12, "FLOP/s")
    assert read_quantity("$2/h", None) == (pytest.approx(2 / 3600), "USD/s")
    assert read_quantity("2.5 h", None) == (9000, "s")
    assert read_quantity(7, None) == (7, "")
    with pytest.raises(CostlineError, match="no quantity"):
        read_quantity("plenty", None)


WORDS = (
    "", "0", "1e9", "400B", "5 s", "40%", "$2/h", "a100-sxm-80gb", "8xa100-sxm-80gb", "llama-2-70b", "wan2.1-t2v-14b",
    "sora-20b", "tpot", "time", "mfu", "bf16", "tensor=8", "weights=int4", "\x1b[31m",
)  # fmt: skip
ARGUMENT = st.one_of(st.integers(-10, 10**6), st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(WORDS))
HEAD = tomllib.loads("title = 'x'\nsource = 'x'\nmodel = [{id = 'sora-20b', kind = 'dit', params = '20B'}]")


def faults_of(document, path):
    try:
        result = judge(document, path)
    except CatalogueError as error:
        return error.faults
    assert result.claims[0].verdict in VERDICTS
    return ()


@pytest.mark.parametrize("name", sorted(operations()))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_arguments_give_a_number_or_a_fault(name, data, tmp_path):
    arguments = {each: data.draw(ARGUMENT, each) for each in operations()[name].parameters}
    step = {"call": name, "with": arguments}
    claim = {"id": "C", "claim": "x", "not_checkable": "x", "steps": {"it": step}}
    found = faults_of(Audit.model_validate(HEAD | {"claim": [claim]}), tmp_path)
    assert all("C, step it" in fault for fault in found)
