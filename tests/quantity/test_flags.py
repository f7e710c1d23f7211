"""Yes or no: what is neither is refused."""

import pytest

from costline.errors import QuantityError
from costline.planning import read_plan_fields
from costline.quantity import read_flag


@pytest.mark.parametrize("yes", [True, 1, "yes", "True", " ON ", "1"])
def test_yes(yes):
    assert read_flag(yes, "failures") is True


@pytest.mark.parametrize("no", [False, 0, "no", "FALSE", "off", "0"])
def test_no(no):
    assert read_flag(no, "failures") is False


@pytest.mark.parametrize("neither", ["maybe", "", "2", 2, 1.0, None, [], pytest.param(10**5000, id="long")])
def test_what_is_neither_is_refused_by_name(neither):
    with pytest.raises(QuantityError, match=r"^failures .*: say yes or no$"):
        read_flag(neither, "failures")


def test_a_plan_reads_flags_alike():
    assert read_plan_fields("compiled=off") == {"compiled": False}
