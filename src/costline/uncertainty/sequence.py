"""Scrambled Sobol sequences, bit for bit those of `scipy.stats.qmc.Sobol`, without the second that its import takes.

The direction numbers of Joe and Kuo come from SciPy's own file, which is no part of its public interface: where it is
not found or reads otherwise, `costline.uncertainty.sobol.points` asks `scipy.stats.qmc.Sobol` itself.
"""

from __future__ import annotations

import functools
import zipfile
from pathlib import Path

import numpy as np

from costline.numeric import Array

BITS = 30
"""Binary places of a point."""


def scrambled_points(folder: Path, power: int, columns: int, seed: int) -> Array:
    """The first 2^power points of a sequence, scrambled by a random matrix and a random shift of its binary places. [1]

    Parameters
    ----------
    folder : Path
        Where SciPy is installed.
    power, columns, seed : int
        Points as a power of two, dimensions, which scrambling.

    References
    ----------
    Joe and Kuo 2008, SIAM Journal on Scientific Computing 30(5); Matoušek 1998, Journal of Complexity 14(4).
    """
    generator = np.random.default_rng(np.random.SeedSequence(seed).spawn(1)[0])
    shift = generator.integers(2, size=(columns, BITS), dtype=np.uint32) @ (1 << np.arange(BITS, dtype=np.uint32))
    lower = np.tril(generator.integers(2, size=(columns, BITS, BITS), dtype=np.uint32))
    directions = _scrambled(_directions(folder, columns), lower)
    drawn = np.empty((2**power, columns), dtype=np.uint32)
    drawn[0] = shift
    for bit in range(power):  # in Gray order the second half of a block is its first half turned round, one bit flipped
        half = 2**bit
        drawn[half : 2 * half] = drawn[half - 1 :: -1] ^ directions[:, bit]
    return drawn * 2.0**-BITS


def _scrambled(directions: Array, lower: Array) -> Array:
    """Direction numbers times a lower triangular matrix over the field of two elements, highest place first."""
    places = np.arange(BITS - 1, -1, -1, dtype=np.uint32)
    digits = (directions[:, :, np.newaxis] >> places & 1).astype(np.float32)
    np.einsum("dpp->dp", lower)[...] = 1
    made = (digits @ lower.astype(np.float32).transpose(0, 2, 1)).astype(np.uint32) & 1
    found: Array = (made << places).sum(axis=-1, dtype=np.uint32)
    return found


def _table(folder: Path, columns: int) -> tuple[list[int], list[list[int]]]:
    """Primitive polynomials and first numbers of the first dimensions, unpacked as far as their degrees go."""
    with zipfile.ZipFile(folder / "stats" / "_sobol_direction_numbers.npz") as archive:
        with archive.open("poly.npy") as file:
            polynomials = np.lib.format.read_array(file)[:columns].tolist()
        with archive.open("vinit.npy") as file:
            np.lib.format.read_magic(file)
            (rows, most), by_columns, form = np.lib.format.read_array_header_1_0(file)
            degree = min(max(each.bit_length() for each in polynomials), most) if by_columns else most
            numbers = np.frombuffer(file.read(rows * degree * form.itemsize), form)
    table = numbers.reshape(degree, rows).T if by_columns else numbers.reshape(rows, degree)
    return polynomials, table[:columns].tolist()


@functools.lru_cache(maxsize=8)
def _directions(folder: Path, columns: int) -> Array:
    """Direction numbers of the first dimensions, as binary places of a point. (dimension, place)"""
    numbers = [_recurrence(*each) for each in zip(*_table(folder, columns), strict=True)]
    return np.array(numbers, dtype=np.uint32) << np.arange(BITS - 1, -1, -1, dtype=np.uint32)


def _recurrence(polynomial: int, start: list[int]) -> list[int]:
    """Odd numbers of a dimension, each from those before it by the terms of a primitive polynomial."""
    degree = polynomial.bit_length() - 1
    if not degree:
        return [1] * BITS
    terms = [back for back in range(1, degree + 1) if polynomial >> (degree - back) & 1]
    made = start[:degree]
    for place in range(degree, BITS):
        number = made[place - degree]
        for back in terms:
            number ^= made[place - back] << back
        made.append(number)
    return made
