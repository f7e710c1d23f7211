"""Named networks and pipelines: every published name is found, and what is found is what the name says."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from costline.catalogue import model_table
from costline.catalogue.model_table import pipeline_like, shipped_model, shipped_networks, shipped_pipelines, spellings
from costline.catalogue.names import plain
from costline.errors import ConfigError, UnknownNameError
from costline.models.importer import READERS
from costline.models.pipeline import Pipeline

REFERENCE = Path(__file__).parents[1] / "reference"
PUBLISHED = {row["model"]: row for row in csv.DictReader((REFERENCE / "models_dit.csv").read_text().splitlines())}
UNKNOWN = {
    "LongCat-Video": "no dimension in its source",
    "Movie Gen Video": "size and tokens alone are published",
    "Sora / Veo": "nothing is published",
}
SEVERAL_NETWORKS = {"Wan2.2-T2V-A14B", "Wan2.2-I2V-A14B"}
"""Models whose published size counts both experts."""


@pytest.mark.parametrize("name", shipped_networks())
def test_every_network_can_be_built(name):
    row = shipped_networks()[name]
    network = model_table.named_network(name)
    assert network.params > 0
    assert network.source == row.source
    assert row.architecture in READERS


@pytest.mark.parametrize("name", shipped_pipelines())
def test_every_pipeline_can_be_built(name):
    pipeline = model_table.named_pipeline(name)
    assert sum(share for _, share in pipeline.transformers) == pytest.approx(1)
    for network, _ in pipeline.transformers:
        streams = network.streams(frames=17, height=1024, width=1024)
        assert network.flops(streams) > 0
        if pipeline.autoencoder is not None:
            assert network.grid.space == pipeline.autoencoder.space
            assert network.grid.time == pipeline.autoencoder.time


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_name_is_found_or_known_to_be_unknown(name):
    if name in UNKNOWN:
        with pytest.raises(UnknownNameError):
            shipped_model(name)
        return
    found = shipped_model(name)
    assert isinstance(found, Pipeline)
    assert shipped_model(name.upper().replace("-", " ")).name == found.name
    row = PUBLISHED[name]
    defaults = {"steps": "def_steps", "frames": "def_frames", "height": "def_height", "width": "def_width"}
    for field, column in defaults.items():
        if row[column]:
            assert getattr(found, field) == int(row[column]), field
    if row["params_B"]:
        networks = found.transformers if name in SEVERAL_NETWORKS else found.transformers[:1]
        billions = sum(network.params for network, _ in networks) / 1e9
        # names and READMEs round; the farthest are those that test_shape_rows.py and test_video_published.py explain
        assert billions == pytest.approx(float(row["params_B"]), rel=0.18)


@pytest.mark.parametrize(
    "name",
    ["Wan2.1-I2V-14B", "FLUX.1-schnell", "Open-Sora-2.0-11B", "LTX-Video-13B", "PixArt-alpha/Sigma-0.6B",
     "Cosmos-Predict2-2B", "Pyramid-Flow", "Latte-1"],
)  # fmt: skip
def test_names_of_measurements_are_found(name):
    assert isinstance(shipped_model(name), Pipeline)


def test_no_spelling_means_two_things():
    taken: dict[str, str] = {}
    for rows in (shipped_pipelines(), shipped_networks()):
        for row in rows.values():
            for spelling in (row.name, *row.aliases):
                assert taken.setdefault(plain(spelling), row.name) == row.name, spelling
    assert len(taken) == len(spellings())


def test_networks_are_found_too():
    assert shipped_model("UMT5-XXL").architecture == "UMT5EncoderModel"
    assert shipped_model("wan2.2 vae").space == 16


def test_a_transformer_finds_the_pipeline_it_belongs_to():
    flux = shipped_model("flux.1-dev")
    network = replace(flux.transformers[0][0], name="my-finetune")
    assert pipeline_like(network) is flux
    assert pipeline_like(replace(network, parts=network.parts[1:])) is None
    assert pipeline_like(replace(network, architecture="Other")) is None


def test_experts_share_the_steps_as_the_sampler_does():
    # 40 steps of the sampler, shifted by 12, change over at 0.875: wan/configs/wan_t2v_A14B.py
    clean = np.linspace(1, 0, 40, endpoint=False)
    noise = 12 * clean / (1 + 11 * clean)
    share = shipped_model("Wan2.2-T2V-A14B").transformers[0][1]
    assert share * 40 == pytest.approx(np.sum(noise >= 0.875), abs=1)


def test_classes_hold_defaults_and_no_networks():
    row = model_table.pipeline_defaults("WanPipeline")
    assert row is not None
    assert (row.steps, row.tokens["text_encoder"]) == (50, 512)
    assert model_table.pipeline_defaults("wan2.1-t2v-14b") is None
    assert model_table.pipeline_defaults("NoSuchPipeline") is None
    assert "WanPipeline" not in shipped_pipelines()


def test_a_network_of_another_role_is_refused():
    wrong = replace(shipped_pipelines()["flux.1-dev"], autoencoder="clip-l")
    with pytest.raises(ConfigError, match="clip-l is not of kind Autoencoder"):
        wrong.build()
