"""The accuracy page: pictures that are right by geometry, tables that are right by arithmetic on the files."""

from __future__ import annotations

import csv
import math
import re
import runpy
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from costline.accuracy.evidence import own_evidence, shipped_evidence
from costline.accuracy.held_out import cases_of, predictions, ratios, worst
from costline.accuracy.page import Evidence, explanation_of, keys, page
from costline.accuracy.rows import read_measurements
from costline.accuracy.summary import TARGETS, report
from costline.catalogue.coefficient_table import shipped_adjustments
from costline.catalogue.explained_table import EXPLAINED, shipped_explanations
from costline.catalogue.standing_table import WAYS, Standing, allowed, shipped_standing, standing_csv
from costline.catalogue.validated_table import VALIDATED, validated_cases
from costline.cli import main
from costline.hardware.efficiency import Adjustment
from costline.report.chart import Axis, Box, Cloud, Panel, boxes_svg, scatter_svg
from costline.report.page import Bullets, Heading, Picture, Table, Text, html, markdown
from tests.accuracy.conftest import GENERATE, SERVE, TRAIN

SVG = "{http://www.w3.org/2000/svg}"
ROOT = Path(__file__).resolve().parents[2]
SMALLEST_TEXT = 11


@pytest.fixture(scope="module")
def shipped_page():
    evidence = shipped_evidence()
    return evidence, page(evidence)


def parsed(svg):
    return ET.fromstring(svg)  # noqa: S314 - our own


def rows_of_file():
    return list(csv.DictReader(VALIDATED.read_text(encoding="utf-8").splitlines()))


def table_below(blocks, words):
    place = next(n for n, block in enumerate(blocks) if isinstance(block, Heading) and block.words == words)
    return next(block for block in blocks[place:] if isinstance(block, Table))


def test_an_axis_is_logarithmic():
    axis = Axis(1, 100, 200)
    assert [axis.at(value) for value in (1, 10, 100, 1000)] == pytest.approx([0, 100, 200, 200])


def test_a_perfect_prediction_lies_on_the_diagonal():
    svg = scatter_svg(
        "x", [Panel(title="t", x="a [s]", y="b [s]", clouds=[Cloud(label="c", x=[1, 5, 30], y=[1, 5, 30])])]
    )
    root = parsed(svg)
    dots = next(path for path in root.iter(f"{SVG}path") if path.get("class") == "dots")
    points = [tuple(map(float, pair)) for pair in re.findall(r"M([\d.]+) ([\d.]+)h0", dots.get("d"))]
    sums = [x + y for x, y in points]
    assert max(sums) - min(sums) < 0.5  # up and right by the same number of pixels


def test_a_box_stands_at_its_quartiles():
    """Ratios 1/2 to 2 in equal logarithmic steps: the box reaches from the root of a half to the root of two."""
    values = [2.0 ** (step / 50 - 1) for step in range(101)]
    root = parsed(boxes_svg("x", "ratio [1]", [Box(label="all", values=values)], reach=4))
    box = next(rect for rect in root.iter(f"{SVG}rect") if rect.get("stroke"))
    ticks = [text for text in root.iter(f"{SVG}text") if text.text in {"1/2", "2"}]
    half, two = (float(tick.get("x")) for tick in ticks)
    left, width = float(box.get("x")), float(box.get("width"))
    assert left == pytest.approx(half + (two - half) / 4, abs=0.3)
    assert width == pytest.approx((two - half) / 2, abs=0.3)


def test_pictures_stand_alone_and_can_be_read(shipped_page):
    _, blocks = shipped_page
    pictures = [block for block in blocks if isinstance(block, Picture)]
    assert {"against-train", "against-serve", "against-generate", "residuals-chips"} <= {p.name for p in pictures}
    for picture in pictures:
        root = parsed(picture.svg)
        assert root.get("aria-label")
        assert "prefers-color-scheme:dark" in picture.svg
        assert "<script" not in picture.svg
        assert "href" not in picture.svg
        sizes = [float(size) for size in re.findall(r"font(?:-size)?:(\d+)px", picture.svg)]
        assert min(sizes) >= SMALLEST_TEXT
        assert any("[" in (text.text or "") for text in root.iter(f"{SVG}text"))  # a title with its unit


def test_every_validated_row_is_drawn(shipped_page):
    evidence, blocks = shipped_page
    drawn = sum(
        len(re.findall(r"h0", block.svg))
        for block in blocks
        if isinstance(block, Picture) and block.name.startswith("against")
    )
    assert drawn == len(evidence.cases) == len(rows_of_file())


def test_the_table_is_that_of_the_file(shipped_page):
    """Medians of serving and generation, where every row counts once, by NumPy from the file."""
    _, blocks = shipped_page
    table = table_below(blocks, "By target")
    column = table.header.index("held out by group")
    for target, *cells in table.rows:
        rows = [row for row in rows_of_file() if row["target"] == target]
        assert int(cells[0].replace(",", "")) == len(rows)
        if target.startswith("train"):
            continue
        slow = np.asarray([float(row["error"]) for row in rows])
        rate = np.asarray(["tokens" in row["metric"] and "_per_s" in row["metric"] for row in rows])
        error = 100 * np.abs(np.exp(np.where(rate, -slow, slow)) - 1)
        assert float(cells[column - 1].split(" / ")[0]) == pytest.approx(np.median(error), rel=0.06)
    assert {row[0] for row in table.rows} == set(TARGETS)


def test_intervals_hold_what_they_say(shipped_page):
    """80 % intervals made without a row's own group hold 75 to 85 % of all rows."""
    evidence, _ = shipped_page
    assert 0.75 <= np.mean(evidence.covered) <= 0.85
    for target in TARGETS:
        rows = evidence.cases.words["target"] == target
        if rows.sum() > 100:
            assert 0.70 <= np.mean(evidence.covered[rows]) <= 0.90, target


def test_the_worst_twenty_are_the_worst(shipped_page):
    _, blocks = shipped_page
    table = table_below(blocks, "The worst twenty rows")
    file = sorted(rows_of_file(), key=lambda row: -abs(float(row["error"])))
    assert [row[0] for row in table.rows] == [row["id"] for row in file[:20]]
    ratio = [float(row[6]) for row in table.rows]
    stated = [math.exp(float(row["error"])) for row in file[:20]]
    assert ratio == pytest.approx(stated, rel=0.06)


def test_explanations_are_of_rows_that_exist_and_say_how_they_were_checked():
    known = {row["id"] for row in rows_of_file()}
    for one in shipped_explanations():
        assert one.rows <= known
        assert one.rows or any(one.patterns.values())
        assert one.checked
    assert EXPLAINED.parent == VALIDATED.parent


def test_the_first_explanation_that_fits_counts():
    words = {"id": "x", "target": "serve, prefill", "model": "m", "chip": "c", "software": "vllm"}
    assert explanation_of(words, shipped_explanations()) is None
    first = shipped_explanations()[0]
    assert explanation_of({**words, "id": min(first.rows)}, shipped_explanations()) is first


def test_regimes_hold_every_row_at_most_once(shipped_page):
    evidence, _ = shipped_page
    for regime in ("chips", "batch", "sequence", "precision"):
        assert sum(map(len, ratios(evidence.cases, regime).values())) == len(evidence.cases)
    single = [row for row in rows_of_file() if float(row["chips"]) == 1]
    assert len(ratios(evidence.cases, "chips")["1 chip"]) == len(single)


def test_rows_without_a_held_out_error_have_a_reason(shipped_page):
    evidence, blocks = shipped_page
    counted = sum(int(row[1].replace(",", "")) for row in table_below(blocks, "Rows that are not predicted").rows)
    assert counted == len(evidence.refused) > 0


def test_own_rows_are_scored_as_they_are_predicted(efficiency, write):
    tables = [read_measurements(write(row, name=f"{row['id']}.csv")) for row in (TRAIN, SERVE, GENERATE)]
    made = report(tables, efficiency, ("target",))
    cases = cases_of(made.rows)
    stated = [row.outcome.value * (1e3 if row.measurement.metric.endswith("_ms") else 1) for row in made.rows]
    assert predictions(cases) == pytest.approx(stated)
    evidence = own_evidence(made)
    assert not evidence.held_out
    assert "unseen chip" not in table_below(page(evidence), "By target").header


def test_adjustments_that_rest_on_one_row_are_counted():
    """Factors of 1.1, 0.5 and 1.02 by one row each: the middle moves by 10 %, the farthest by a factor of 2."""
    made = [
        Adjustment(factor=factor, low=factor, high=factor, rows=rows, date="2026-01-01", source="a test")
        for factor, rows in ((1.1, 1), (0.5, 1), (1.02, 1), (3.0, 2))
    ]
    assert "3 of 4 adjustments" in keys(made)
    assert "by 10 %, the farthest by 100 %" in keys(made)
    assert "adjustments rest" not in keys(made[3:])


def test_no_adjustment_is_keyed_to_a_model_or_a_row():
    cases = validated_cases()
    known = {*cases.words["model"].tolist(), *cases.words["id"].tolist()}
    for name, qualifier, scope in shipped_adjustments():
        assert not known & {name, scope.partition(":")[2], *qualifier.split("/")}


def test_worst_is_by_factor_not_by_percentage():
    cases = validated_cases()
    places = worst(cases, 50)
    factors = np.abs(cases.numbers["error"][places])
    assert list(factors) == sorted(factors, reverse=True)


def test_the_report_is_written(write, tmp_path, capsys):
    path, out = write(SERVE, {**SERVE, "id": "x", "chip": "abacus"}), tmp_path / "out"
    assert main(["accuracy", "--measurements", str(path), "--report", str(out)]) == 0
    capsys.readouterr()
    text = (out / "index.md").read_text(encoding="utf-8")
    pictures = re.findall(r"\]\(([\w-]+\.svg)\)", text)
    assert pictures
    assert all((out / name).exists() for name in pictures)
    assert "no datasheet row for chip abacus" in text
    assert (out / "index.html").read_text(encoding="utf-8").count("<svg") == len(pictures)


def test_pages_keep_what_would_be_markup():
    blocks = [Heading("a", 1), Text("see `x<y`"), Bullets(["one"]), Table(["k"], [["a|b*"]])]
    assert markdown(blocks).splitlines()[-1] == r"| a\|b\* |"
    made = html(blocks, "t")
    assert "<code>x&lt;y</code>" in made
    assert "a|b*" in made


def test_standing_is_read_as_written(tmp_path):
    errors = {"in_sample": (0.07, 0.2), "mfu": (0.2, 0.4)}
    row = Standing(target="train, dense", rows=3, errors=errors, date="2026-01-02", source="s")
    path = tmp_path / "accuracy.csv"
    path.write_text(standing_csv([row]), encoding="utf-8")
    assert shipped_standing(path) == (row,)
    assert shipped_standing(tmp_path / "none.csv") == ()


def test_the_margin_is_two_points_or_fifteen_per_cent():
    assert allowed(0.05) == pytest.approx(0.07)
    assert allowed(0.60) == pytest.approx(0.69)


def test_the_standing_that_is_shipped_is_whole():
    for row in shipped_standing():
        assert row.target in TARGETS
        assert set(row.errors) == set(WAYS)


def test_the_figures_of_the_readme_are_those_of_the_last_fit():
    """If not: ``make readme``."""
    script = runpy.run_path(str(ROOT / "tools" / "readme.py"))
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert script["with_figures"](text) == text


def test_the_picture_of_the_readme_is_what_the_command_prints():
    """If not: ``make picture``."""
    script = runpy.run_path(str(ROOT / "tools" / "picture.py"))
    assert script["drawn"]() == script["PICTURE"].read_text(encoding="utf-8")


def test_a_page_without_a_fit_says_so():
    cases = validated_cases()
    one = cases.some(np.arange(1))
    evidence = Evidence(cases=one, weight=np.ones(1), configurations=["a"], covered=np.ones(1, dtype=bool), standing={})
    assert "No fit is in force." in markdown(page(evidence))
