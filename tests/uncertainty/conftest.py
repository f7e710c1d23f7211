"""Small studies of plain functions, so that closed forms can be compared with."""

from __future__ import annotations

import numpy as np
import pytest

from costline import sampling, together
from costline.quantity import RATIO
from costline.uncertainty.draws import sample


def plain_study(function, samples=4096, seed=0, **inputs):
    """Sample a function of numbers."""

    def read(**named):
        values = {name: sample(given, RATIO, name, least=-np.inf) for name, given in named.items()}
        found = function(**values)
        return found if isinstance(found, dict) else {"result": found}

    with sampling(samples, seed=seed):
        return together(read, **inputs)


@pytest.fixture
def study():
    return plain_study
