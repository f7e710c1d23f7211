"""Models by name: published sizes, every spelling, names that are wrong."""

import json

import pytest

from costline import catalogue
from costline.catalogue.check import check_file
from costline.catalogue.decoder_table import decoder_names, decoder_rows, read_rows, shipped_decoder
from costline.errors import CatalogueError, ConfigError, UnknownNameError
from costline.models.decoder import Decoder
from costline.models.pipeline import Pipeline


@pytest.mark.parametrize(
    ("name", "params"),
    [  # as the model cards print them
        ("llama-3.1-405b", 405e9),
        ("llama-3.1-8b", 8.03e9),
        ("deepseek-v3", 671e9),
        ("bloom-176b", 176e9),
    ],
)
def test_published_sizes(name, params):
    assert catalogue.model(name).params == pytest.approx(params, rel=5e-3)


def test_experts_a_token_does_not_visit_are_not_active():
    assert catalogue.model("deepseek-v3").active_params == pytest.approx(37e9, rel=0.03)  # the model card


def test_other_spellings_find_the_same_model():
    assert catalogue.model("Llama3.1-405B") is catalogue.model("llama-3.1-405b")
    assert catalogue.model("bloom") is catalogue.model("bloom-176b")


def test_what_kind_of_thing_a_name_is():
    kinds = catalogue.models()
    assert isinstance(catalogue.model("llama-3.1-70b"), Decoder)
    assert isinstance(catalogue.model("wan2.1-t2v-14b"), Pipeline)
    assert (kinds["llama-3.1-70b"], kinds["wan2.1-t2v-14b"]) == ("decoder", "pipeline")


def test_no_name_means_two_things():
    names = [*decoder_names(), *catalogue.chip_facts(), *catalogue.systems()]
    assert len(names) == len(set(names))


def test_a_row_of_unknown_dimensions_is_there_and_says_so():
    assert "palm-540b" in catalogue.models()
    with pytest.raises(ConfigError, match="palm-540b: not known: layers"):
        catalogue.model("palm-540b")


def test_every_complete_row_is_within_a_tenth_of_the_size_its_source_states():
    off = {}
    for name, row in decoder_rows().items():
        if row["layers"] and row["params_stated"]:
            stated = float(row["params_stated"])
            built = shipped_decoder(name).params
            if not 0.9 < built / stated < 1.1:
                off[name] = built / stated
    assert not off


@pytest.mark.parametrize(
    ("typed", "near"), [("llama-3.1-450b", "llama-3.1-405b"), ("wan2.1-t2v-41b", "wan2.1-t2v-14b")]
)
def test_unknown_models_suggest_the_nearest(typed, near):
    with pytest.raises(UnknownNameError, match=near):
        catalogue.model(typed)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name,aliases\n,x\n", "name is empty"),
        ("name,aliases\na,b\nb,\n", "'b' already names row 2"),
        ("name,aliases\na\n", "fewer cells"),
        ("name,aliases\na,b,c\n", "more cells"),
        ('name,aliases\n"a,b\n', "end of data"),
    ],
)
def test_faulty_tables(tmp_path, text, says):
    path = tmp_path / "models.csv"
    path.write_text(text)
    with pytest.raises(CatalogueError, match=says):
        read_rows(path)


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('[[model]]\nid = "mymodel"\nconfig = "config.json"\n')
    return path


def _config(own, **fields):
    body = {"architectures": ["LlamaForCausalLM"], "hidden_size": 64, "intermediate_size": 128, "vocab_size": 256}
    body |= {"num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}
    own.with_name("config.json").write_text(json.dumps(body | fields))


def test_a_name_for_a_configuration_of_ones_own(own):
    _config(own)
    model = catalogue.with_file(own).model("mymodel")
    # embedding and head 2 x 256 x 64; a layer: q, o 64 x 64, k, v 64 x 32, three of 64 x 128, two norms; a last norm
    assert model.params == 2 * 256 * 64 + 2 * (2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 128 + 2 * 64) + 64
    assert check_file(own).endswith("no faults; 1 model")
    assert catalogue.with_file(own).models()["mymodel"] == "user"


def test_a_configuration_that_cannot_be_read_is_a_fault(own):
    _config(own, hidden_size="wide")
    with pytest.raises(CatalogueError, match=r"model 'mymodel'.*hidden_size"):
        check_file(own)
