"""Configuration files that are none: refused at once, whatever they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from costline.errors import ConfigError
from costline.models.files import LARGEST_FILE, read_config_file


def test_a_device_without_an_end_is_not_read():
    with pytest.raises(ConfigError, match="is a device or a pipe, not a file"):
        read_config_file(Path("/dev/zero"))


def test_a_pipe_nobody_writes_to_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "config.json")
    with pytest.raises(ConfigError, match="is a device or a pipe, not a file"):
        read_config_file(tmp_path / "config.json")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[1]", "holds a list, not an object"),
        ("12", "holds a number, not an object"),
        ("null", "holds null, not an object"),
        ('{"layers": ' + "9" * 5000 + "}", "not JSON: Exceeds the limit .4300 digits. for integer string conversion"),
        (" " * (LARGEST_FILE + 1), "at most 5,000,000 bytes"),
    ],
)
def test_what_is_no_configuration_is_said_in_plain_words(tmp_path, content, says):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(ConfigError, match=says) as caught:
        read_config_file(tmp_path / "config.json")
    assert "sys." not in str(caught.value)
