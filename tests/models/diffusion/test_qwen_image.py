"""Qwen-Image."""

from __future__ import annotations

import pytest

from costline.errors import ConfigError
from costline.models.importer import read_network


def test_a_second_timestep_of_the_image_is_refused():
    """The edit models modulate the picture to edit at timestep 0: twice the modulation, which is not modelled."""
    with pytest.raises(ConfigError, match="zero_cond_t"):
        read_network({"zero_cond_t": True}, "x", "QwenImageTransformer2DModel")
