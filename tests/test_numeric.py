"""Sums of numbers and arrays against NumPy's own."""

from __future__ import annotations

import platform
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costline.numeric import add_up

SHAPES = ((), (1,), (4,), (3, 1), (1, 4), (3, 4))
VALUES = st.lists(st.tuples(st.sampled_from(SHAPES), st.sampled_from([int, float]), st.integers(-1000, 1000)))


def made(shape, kind, value):
    return np.full(shape, value, dtype=kind) + np.arange(4, dtype=kind)[: shape[-1]] if shape else kind(value)


@given(VALUES)
def test_sums_equal_numpys(drawn):
    values = [made(*one) for one in drawn]
    kept = [np.copy(value) for value in values]
    expected = sum((np.asarray(value, dtype=float) for value in values), np.asarray(0.0))
    assert np.asarray(add_up(values)) == pytest.approx(np.broadcast_to(expected, np.shape(expected)))
    assert all(np.array_equal(value, was) for value, was in zip(values, kept, strict=True))  # nothing is changed


def test_numbers_stay_numbers():
    assert isinstance(add_up([1.0, 2.0]), float)


FAULTS = """
import resource
import numpy as np
import costline.numeric

def arrays():
    return len([np.ones(2**14) for _ in range(20)])

arrays()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    arrays()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
"""Pages mapped while arrays of a block's size are made and freed: 32 an array where freed memory is not kept."""


def test_memory_of_freed_arrays_is_used_again():
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 20 * 20 or platform.libc_ver()[0] != "glibc"  # other allocators do as they like
