"""Pipeline folders: what is read, what is ignored, what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import costline
from costline.catalogue.folder import read_pipeline
from costline.errors import ConfigError
from costline.formulas.experts import high_noise_share

EXAMPLE = Path(__file__).parents[2] / "examples" / "wan2.2-t2v-a14b-pipeline"


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(EXAMPLE, tmp_path / "clip-maker"))


def change_index(folder, **entries):
    path = folder / "model_index.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **entries}))


def test_the_example_has_two_experts_an_autoencoder_and_a_text_encoder():
    pipeline = read_pipeline(EXAMPLE)
    # parameters counted on the real modules: two WanTransformer3DModel, AutoencoderKLWan, UMT5EncoderModel
    assert pipeline.params == 2 * 14288491584 + 126892531 + 5680910336
    # Wan-Video/Wan2.2 wan_t2v_A14B.py: boundary 0.875, shift 12, 40 steps, 1280x720
    high = high_noise_share(0.875, 12.0)
    assert [share for _, share in pipeline.transformers] == pytest.approx([high, 1 - high])
    assert [(encoder.architecture, tokens) for encoder, tokens in pipeline.encoders] == [("UMT5EncoderModel", 512)]
    assert (pipeline.steps, pipeline.branches, pipeline.frames, pipeline.width, pipeline.fps) == (40, 2, 81, 1280, 16)
    assert pipeline.notes == (
        "defaults of wan2.2-t2v-a14b, whose transformers have the same shape: steps 40 for 50, height 720 for 480, "
        "width 1280 for 832, shift 12",
    )


def test_a_folder_a_configuration_and_a_name_are_the_same_question():
    asked = {"on": "8xh100-sxm", "plan": "tensor=1, ulysses=8, ring=1, guidance=1"}
    one = EXAMPLE.parent / "wan2.2-t2v-a14b"
    named, folder, alone = (costline.generate(model, **asked) for model in ("wan2.2-t2v-a14b", EXAMPLE, one))
    for other in (folder, alone):
        for name in ("frames", "height", "width", "fps", "steps", "branches"):
            assert other.inputs[name] == named.inputs[name], name
        for name in ("time", "memory", "flops"):
            assert other[name] == pytest.approx(named[name], rel=1e-9), name


def test_a_folder_like_no_pipeline_of_the_catalogue_has_the_defaults_of_its_class(folder):
    for part in ("transformer", "transformer_2"):
        path = folder / part / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "num_layers": 7}))
    pipeline = read_pipeline(folder)
    assert (pipeline.steps, pipeline.frames, pipeline.width) == (50, 81, 832)
    assert pipeline.notes == (
        "timestep shift unknown: the steps are shared between the two transformers as without one",
    )


def test_shares_follow_the_schedule_itself():
    steps = np.linspace(1, 0, 1000, endpoint=False)
    for boundary, shift in ((0.875, 12.0), (0.9, 5.0), (0.875, 1.0)):
        noise = shift * steps / (1 + (shift - 1) * steps)
        assert high_noise_share(boundary, shift) == pytest.approx(np.mean(noise >= boundary), abs=2e-3)


def test_a_single_transformer_runs_every_step(folder):
    change_index(folder, transformer_2=[None, None])
    shares = read_pipeline(folder).transformers
    assert [share for _, share in shares] == [1.0]


def test_two_transformers_without_a_boundary_share_evenly_and_say_so(folder):
    change_index(folder, boundary_ratio=None)
    pipeline = read_pipeline(folder)
    assert [share for _, share in pipeline.transformers] == [0.5, 0.5]
    assert any("no boundary_ratio" in note for note in pipeline.notes)


def test_the_autoencoder_decides_the_grid(folder):
    path = folder / "vae" / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "patch_size": 2, "in_channels": 12, "out_channels": 12}))
    network = read_pipeline(folder).transformers[0][0]
    assert (network.grid.time, network.grid.space) == (4, 16)


def test_components_without_weights_are_ignored_and_small_networks_are_named(folder):
    change_index(
        folder,
        image_processor=["transformers", "CLIPImageProcessor"],
        feature_extractor=["transformers", "CLIPImageProcessor"],
        safety_checker=[None, None],
        image_encoder=["transformers", "CLIPVisionModel"],
    )
    assert "not counted: image_encoder (CLIPVisionModel)" in read_pipeline(folder).notes


def test_an_unlisted_pipeline_class_says_what_it_assumes(folder):
    change_index(folder, _class_name="MyOwnPipeline")
    pipeline = read_pipeline(folder)
    assert "MyOwnPipeline is not in the table" in pipeline.notes[0]
    assert (pipeline.encoders[0][1], pipeline.branches) == (512, 2)
    assert any(note.startswith("defaults of wan2.2-t2v-a14b") for note in pipeline.notes)


def test_a_language_model_is_counted_without_its_head(folder):
    change_index(folder, text_encoder=["transformers", "LlamaForCausalLM"])
    (folder / "text_encoder" / "config.json").write_text(json.dumps({"architectures": ["LlamaForCausalLM"]}))
    encoder = read_pipeline(folder).encoders[0][0]
    assert encoder.params == 6738415616 - 32000 * 4096  # Llama-2-7B as counted on the real module, less its head


@pytest.mark.parametrize("name", ["model_index.json", "transformer/config.json", "vae/config.json"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(ConfigError, match=name):
        read_pipeline(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "not JSON"),
        (b"[]", "not an object"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100, "nested deeper"),
        (b" " * 5_000_001, "at most"),
        (b'{"a": NaN}', "NaN"),
    ],
)
def test_a_malformed_file_is_named(folder, content, message):
    (folder / "vae" / "config.json").write_bytes(content)
    with pytest.raises(ConfigError, match=rf"vae.config\.json: .*{message}"):
        read_pipeline(folder)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"transformer": ["diffusers", "Banana3DModel"]}, "class 'Banana3DModel' of component 'transformer'"),
        ({"controlnet": ["diffusers", "WanControlNet"]}, r"component 'controlnet' \(WanControlNet\) is not known"),
        ({"../../secret": ["diffusers", "AutoencoderKLWan"]}, "is not known"),
        ({"vae": ["diffusers"]}, "component 'vae' is not a pair"),
        ({"vae": ["diffusers", 7]}, "component 'vae' is not a pair"),
        ({"boundary_ratio": 3}, "boundary_ratio must lie between 0 and 1, got 3"),
        ({"boundary_ratio": "half"}, "boundary_ratio"),
        ({"_class_name": None}, "names no pipeline"),
        ({"transformer": [None, None], "transformer_2": [None, None]}, "has neither transformer"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(folder, entries, message):
    change_index(folder, **entries)
    with pytest.raises(ConfigError, match=message):
        read_pipeline(folder)


def test_a_component_of_the_wrong_kind_is_refused(folder):
    change_index(folder, vae=["transformers", "UMT5EncoderModel"], text_encoder=["diffusers", "AutoencoderKLWan"])
    shutil.move(folder / "vae", folder / "other")
    shutil.move(folder / "text_encoder", folder / "vae")
    shutil.move(folder / "other", folder / "text_encoder")
    with pytest.raises(ConfigError, match="UMT5EncoderModel is not an autoencoder"):
        read_pipeline(folder)
    change_index(folder, vae=[None, None])
    with pytest.raises(ConfigError, match="AutoencoderKLWan is not a text encoder"):
        read_pipeline(folder)
