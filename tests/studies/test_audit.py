"""The article of February 2024: closed forms by hand, verdicts derived again by other code, inputs that change them."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

import costline
from costline.studies.audit.document import AUDITS, Text, find, load
from costline.studies.audit.judge import PLACEHOLDER, audit
from costline.studies.audit.operations import PROBES, documented_units, operations
from tests.expressions import Evaluator

SOURCE = (AUDITS / "sora-2024.toml").read_text("utf-8")
DAY, HOUR = 86400, 3600


@pytest.fixture(scope="module")
def result():
    return audit("sora-2024")


@pytest.fixture(scope="module")
def claims(result):
    return {judged.claim.id: judged for judged in result.claims}


@pytest.fixture
def changed(tmp_path):
    """Verdict of a claim after words of the file were replaced."""

    def judge(claim, *replacements):
        text = SOURCE
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "changed.toml"
        path.write_text(text, "utf-8")
        return next(judged for judged in audit(path).claims if judged.claim.id == claim)

    return judge


def number(claims, claim, step):
    (found,) = [done for done in claims[claim].steps if done.name == step]
    return float(found.value.number)


def test_all_39_claims_are_there_in_order(result):
    assert [judged.claim.id for judged in result.claims] == [f"S{n:02d}" for n in range(1, 40)]
    assert (
        sum(result.count(verdict) for verdict in ("holds", "arithmetic slip", "wrong premise", "not checkable")) == 39
    )


# Worked out by hand from the article's own inputs.
@pytest.mark.parametrize(
    ("claim", "step", "by_hand"),
    [
        ("S03", "flops", 6 * 4e11 * 2e13),
        ("S05", "time", 4.8e25 / (312e12 * 25000 * 0.4)),
        ("S05", "mtnlg", 6 * 530e9 * 1920 * 2048 / (60.1 * 2240 * 312e12)),
        ("S06", "nominal", 989.4 / 312),
        ("S07", "time", 4.8e25 / (10000 * 2.5 * 312e12 * 0.4)),
        ("S10", "minutes", 500 * 60 * 60 * 24 * 365.25 * 5),
        ("S11", "patches", 64 * 32),
        ("S12", "tokens", (256 / 8 / 2) ** 2),
        ("S13", "tokens", 64 * 32 * 60 * 9),
        ("S13", "wan_tokens", 21 * (720 // 16) * (1280 // 16)),
        ("S13", "hunyuan_tokens", 33 * (720 // 16) * (1280 // 16)),
        ("S13", "wan_whole", (960 // 4 + 1) * (720 // 16) * (1280 // 16)),
        ("S13", "hunyuan_whole", (1440 // 4 + 1) * (720 // 16) * (1280 // 16)),
        ("S14", "tokens", 1e14),
        ("S15", "share", 0.25),
        ("S16", "causal", 1 + 1e6 / (12 * 6144)),
        ("S16", "full", 1 + 1e6 / (6 * 6144)),
        ("S20", "flops", 8e14),
        ("S21", "rule", 1.2e19),
        ("S22", "ratio", 15000),
        ("S25", "ratio", 1500),
        ("S26", "time", 1.2e19 / (8 * 312e12 * 0.5)),
        ("S27", "bill", 90),
        ("S28", "number", math.ceil(59.5 / 4.5)),
        ("S29", "chips", 0.25 * 25000),
        ("S30", "share", 1e8 / (500 * 60 * 60 * 24 * 365.25 * 5)),
        ("S33", "rate", 188e12),
        ("S34", "tpu", 197e12),
        ("S34", "ascend", 376e12),
        ("S39", "minutes", 1.2e25 / 1.2e19),
    ],
)
def test_values_are_those_worked_out_by_hand(claims, claim, step, by_hand):
    assert number(claims, claim, step) == pytest.approx(by_hand, rel=1e-3)


def test_it_finds_what_is_known_to_be_wrong(claims):
    """S26: 9,615 s is 2.67 h. S12: DiT-XL/2 has 256 tokens (Peebles and Xie 2023, table 1). The rest is the mask."""
    wrong = {name for name, judged in claims.items() if judged.verdict in {"arithmetic slip", "wrong premise"}}
    assert {"S12", "S16", "S21", "S22", "S26"} <= wrong
    assert claims["S26"].verdict == "arithmetic slip"
    assert claims["S26"].right[0].number / HOUR == pytest.approx(2.67, abs=0.005)
    assert claims["S16"].right[0].number == pytest.approx(28.1, abs=0.05)


def test_a_count_of_a_dit_is_that_of_its_products_and_scores(claims, result):
    """Canonical 20B: 43 layers of width 5,120; scores 4 L T^2 d, everything else at most 2 N T."""
    tokens = 1e6
    scores = 4 * 43 * tokens**2 * 5120
    counted = number(claims, "S21", "evaluation")
    assert scores < counted < scores + 2 * 20.1e9 * tokens


def test_decoding_obeys_its_bounds(claims):
    """At batch b a dense decoder does at most b FLOPs a byte (2 FLOP for 2 bytes of weight), so MFU stays below that
    over the ridge; more sequences use more."""
    ridge = 312e12 / 2039e9
    shares = [(batch, number(claims, "S23", f"at_{batch}")) for batch in (1, 8, 64, 256)]
    assert all(0 < share < batch / ridge * 1.05 for batch, share in shares)
    assert [share for _, share in shares] == sorted(share for _, share in shares)
    assert number(claims, "S38", "at_1") == pytest.approx(1, abs=0.05)


def test_a_ratio_of_costs_is_that_of_work_and_utilisation_on_the_same_chips(claims):
    """S25 and S39 by hand; a mixture reads experts for every sequence, so it uses less than a dense model."""
    sora = number(claims, "S21", "counted") / number(claims, "S24", "derived")
    for claim, step, used in (("S25", "mixture", number(claims, "S23", "experts")),
                              ("S39", "at_8", number(claims, "S39", "used_8")),
                              ("S39", "at_256", number(claims, "S39", "used_256"))):  # fmt: skip
        assert number(claims, claim, step) == pytest.approx(sora / (2 * 400e9 * 1000 / used))
    assert number(claims, "S23", "experts") < number(claims, "S23", "at_64")
    assert number(claims, "S39", "at_8") < number(claims, "S25", "mixture") < number(claims, "S39", "at_256")


def test_decoding_of_a_clip_is_little_work_and_much_time(claims):
    """One chip decodes: with eight, denoising is up to eight times as fast, and the share grows accordingly."""
    one, eight = (number(claims, "S17", f"time_on_{chips}") for chips in (1, 8))
    assert number(claims, "S17", "at_20") < 0.05 < one < eight < 8 * one / (1 + 7 * one) * 1.01


def test_what_binds_is_what_helps_more_when_doubled(claims):
    """On either side of the ridge of an A100, 312 TFLOP/s over 2.039 TB/s; nothing is more than twice as fast."""
    ridge = 312e12 / 2039e9
    assert number(claims, "S38", "at_64") < ridge < number(claims, "S38", "dit")
    gains = {name: number(claims, "S38", name) for name in ("sora_flops", "sora_bytes", "gpt_flops", "gpt_bytes")}
    assert 1 <= gains["sora_bytes"] < gains["sora_flops"] <= 2
    assert 1 <= gains["gpt_flops"] < gains["gpt_bytes"] <= 2
    assert number(claims, "S38", "dit_traffic") * number(claims, "S38", "dit") == pytest.approx(1e15)


def test_attention_over_a_cache_does_a_flop_a_byte_for_each_query_head_of_a_key_head(claims):
    """2 x 2 FLOP for 2 x 2 byte of key and value a pair: heads / key heads, 1 for OPT, 64 / 8 for Llama-2-70B."""
    assert number(claims, "S37", "multi") == pytest.approx(1)
    assert number(claims, "S37", "grouped") == pytest.approx(8)


def test_formulas_equal_what_they_print(result):
    """Every recorded formula, evaluated a second time from its printed expression and arguments."""
    nodes = [done.node for judged in result.claims for done in judged.steps if done.node is not None]
    assert len(nodes) > 60
    for node in nodes:
        again = float(
            Evaluator().run(node.expression, {name: Fraction(value) for name, value in node.arguments.items()})
        )
        assert node.value == pytest.approx(again, rel=1e-12), node.name


def verdict_again(judged):
    """The verdict by the rules of the format, written a second time."""
    failed = set()
    for made in judged.checks:
        value, rule = float(made.computed.number), made.check
        if made.stated is not None:
            wanted = float(made.stated.number)
            low, high = (
                (wanted - rule.tolerance * abs(wanted), wanted + rule.tolerance * abs(wanted))
                if rule.tolerance is not None
                else (wanted / rule.factor, wanted * rule.factor)
            )
        else:
            low = -math.inf if made.least is None else float(made.least.number)
            high = math.inf if made.most is None else float(made.most.number)
        if not low <= value <= high:
            failed.add(rule.kind)
    if not judged.checks:
        return "not checkable"
    return "arithmetic slip" if "arithmetic" in failed else "wrong premise" if failed else "holds"


def test_every_verdict_can_be_derived_again(result):
    assert [judged.verdict for judged in result.claims] == [verdict_again(judged) for judged in result.claims]


def test_every_claim_is_computed_or_says_why_not(result):
    for judged in result.claims:
        assert bool(judged.checks) != (judged.claim.not_checkable is not None)
        assert judged.claim.not_checkable or judged.claim.steps or judged.checks
        assert judged.reasons


def texts(document):
    yield from (document.title, *document.sections.values())
    for claim in document.claim:
        yield claim.claim
        yield from filter(None, (claim.holds, claim.not_checkable, *(check.fails for check in claim.check)))


def test_every_text_is_in_both_languages_with_the_same_numbers():
    for text in texts(load(find("sora-2024"))):
        assert isinstance(text, Text)
        assert text.zh, text.en
        assert any("\u4e00" <= letter <= "\u9fff" or letter == "。" for letter in text.zh), text.zh
        assert not any("\u4e00" <= letter <= "\u9fff" for letter in text.en), text.en
        assert sorted(PLACEHOLDER.findall(text.en)) == sorted(PLACEHOLDER.findall(text.zh)), text.en


def test_every_input_says_where_it_is_from_and_is_used():
    document = load(find("sora-2024"))
    assert all(given.source for given in document.inputs.values())
    used = {
        str(given) for claim in document.claim for step in claim.steps.values() for given in step.arguments.values()
    }
    used |= {str(getattr(check, side)) for claim in document.claim for check in claim.check
             for side in ("computed", "stated", "least", "most")}  # fmt: skip
    assert set(document.inputs) <= used


@pytest.mark.parametrize(
    ("claim", "replacements", "verdict"),
    [
        ("S26", [('stated = "3.2 h"', 'stated = "2.67 h"')], "holds"),
        ("S26", [('value = "50%"', 'value = "41.7%"')], "arithmetic slip"),
        ("S03", [('value = "20T"', 'value = "13T"')], "arithmetic slip"),
        ("S05", [('stated = "178 days"\ntol', 'stated = "102 days"\ntol'), ('value = "40%"', 'value = "70%"')],
         "wrong premise"),
        ("S06", [('value = 2.5', 'value = 3.17')], "wrong premise"),
        ("S12", [('steps.latents = { call = "product", with = { a = 32, b = 32 } }',
                  'steps.latents = { call = "product", with = { a = 16, b = 16 } }')], "holds"),
        ("S16", [('hidden = "width", causal = 0', 'hidden = "width", causal = 1'),
                 ('tokens = 32768, hidden', 'tokens = 8192, hidden')], "holds"),
        ("S17", [('[inputs.sora_steps]\nvalue = 20', '[inputs.sora_steps]\nvalue = 4')], "wrong premise"),
        ("S23", [('value = "5%"', 'value = "30%"')], "wrong premise"),
        ("S24", [('value = "50%"', 'value = "20%"')], "wrong premise"),
        ("S27", [('chip = "a100-sxm-80gb", until = "2024-03"', 'chip = "v100-sxm-16gb", until = "2024-03"')],
         "wrong premise"),
        ("S33", [('chip = "groq-lpu-v1", format = "fp16"', 'chip = "h100-sxm", format = "fp16"')], "wrong premise"),
        ("S38", [('batch = 64, figure = "decode_intensity"', 'batch = 300, figure = "decode_intensity"'),
                 ('most = "ridge"', 'most = 10')], "wrong premise"),
        ("S38", [('input = 1, output = 2998', 'input = 8000, output = 100')], "wrong premise"),  # mostly reads prompts
    ],
)  # fmt: skip
def test_another_input_gives_another_verdict(changed, claim, replacements, verdict):
    assert changed(claim, *replacements).verdict == verdict


def test_only_named_functions_are_in_reach():
    known = operations()
    assert {"training_flops", "time_at_utilisation", "long_context_factor", "serve", "generate", "rent"} <= set(known)
    assert {probe.__name__ for probe in PROBES} <= set(known)
    assert not {name for name in known if name.startswith("_")}
    assert not {"eval", "open", "formula", "largest", "read_text"} & set(known)


def test_arguments_are_read_in_the_units_formulas_document():
    from costline.formulas.money import rental_cost

    assert documented_units(rental_cost) == {"chips": "chip", "seconds": "s", "price": "USD/s"}
    assert operations()["rental_cost"].parameters["price"].kind.unit == "$/s"


def test_an_audit_trains_on_the_batch_that_a_question_takes():
    """25,000 chips: the usual step is larger than the 4M tokens that small clusters take."""
    judged = {each.claim.id: each for each in audit("gpt4-training").claims}
    tokens = number(judged, "G5", "flops") / (6 * 400e9)
    asked = costline.train(
        params="1.8T", active="400B", shape={"layers": 120}, tokens=tokens, on="25000xa100-sxm-80gb", sequence=4096
    )
    assert number(judged, "G5", "used") == pytest.approx(asked["mfu"])
