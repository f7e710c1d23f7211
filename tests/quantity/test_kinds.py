"""The closed set of kinds."""

from __future__ import annotations

import pytest

from costline.errors import QuantityError
from costline.quantity import KINDS, kinds, read
from costline.quantity.units import power


@pytest.mark.parametrize("name", KINDS)
def test_every_example_reads(name):
    for text in KINDS[name].example.split(" or "):
        assert read(text, KINDS[name]) > 0


@pytest.mark.parametrize("name", KINDS)
def test_every_scale_reads_as_its_factor(name):
    """What show prints after a number is worth what it was divided by."""
    kind = KINDS[name]
    for scale in (*kind.scales, kind.base):
        assert read(f"{scale.before}1{scale.after}", kind) == float(scale.factor)


@pytest.mark.parametrize("name", KINDS)
def test_scales_grow_and_labels_differ(name):
    factors = [scale.factor for scale in KINDS[name].scales]
    assert factors == sorted(set(factors))
    labels = [scale.label for scale in KINDS[name].scales]
    assert len(set(labels)) == len(labels)


def test_names_are_distinct():
    assert len({kind.name for kind in KINDS.values()}) == len(KINDS)
    assert {name for name in vars(kinds) if isinstance(vars(kinds)[name], kinds.Kind)} == set(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_bare_text_is_si_or_refused(name):
    kind = KINDS[name]
    if kind.bare:
        assert read("0.5", kind) == 0.5
    else:
        with pytest.raises(QuantityError, match="has no unit"):
            read("0.5", kind)


def test_article_and_repr():
    assert KINDS["JOULES"].one == "an energy"
    assert KINDS["SECONDS"].one == "a time"
    assert repr(KINDS["BYTES"]) == "<Kind: memory size [byte]>"


def test_powers_are_exact():
    assert power(-3) * power(3) == 1
