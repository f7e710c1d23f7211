"""Z-Image."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costline.errors import ConfigError
from costline.models.importer import read_network


@given(height=st.integers(16, 2048), width=st.integers(16, 2048), text=st.integers(1, 600))
def test_image_and_text_are_padded_apart(height, width, text):
    network = read_network({}, "Z-Image", "ZImageTransformer2DModel")
    streams = network.streams(height=height, width=width, text=text)
    tokens = (height // 16) * (width // 16)
    for padded, plain in ((streams["image"], tokens), (streams["text"], text)):
        assert padded % 32 == 0
        assert plain <= padded < plain + 32
    assert streams["joint"] == streams["image"] + streams["text"]


@pytest.mark.parametrize(("field", "value"), [("all_patch_size", [2, 4]), ("siglip_feat_dim", 1152)])
def test_what_would_change_the_count_is_refused(field, value):
    with pytest.raises(ConfigError, match=field):
        read_network({field: value}, "x", "ZImageTransformer2DModel")
