"""How likely is it that one minute of Sora cost more than 1,000 GPT-4 answers of 1,000 tokens?

The argument of the article of February 2024 with its rumours as ranges, and with the ones it left out: what a minute
and an answer cost, what training took, how many A100 that is, and the bill of $90. Both sides run on A100 at the same
price, which is one input: the ratio cannot depend on it. Nobody knows whether Sora is guided, which makes every step
two evaluations, so both are answered.
"""
# ruff: noqa: ANN001, ANN201

import costline
from costline.uncertainty.drivers import drivers

ANSWER = 1000  # tokens
QUERY = 0.06  # dollars that the article takes for an answer
GPT4_CHIPS = 25_000  # A100 that are said to have trained GPT-4

RANGES = {
    "sora": "3B to 60B",  # rumoured
    "minute": "250k to 1M",  # latent tokens of a minute: the article's 1M, a quarter with a stronger autoencoder
    "steps": "{20, 30, 50}",  # the article's 20, and what published pipelines take
    "active": "400B to 600B",  # rumoured
    "batch": "32 to 512",  # answers in flight on 64 chips: the article's 5 % utilisation is one of them
    "price": "$1.30/h to $3/h",
    "minutes": "30M to 300M",  # of training video: the article guesses 100M
    "length": "32k to 256k",  # tokens of a training sequence: the article starts at 32k and ends at a minute
    "tokens": "13T to 20T",  # GPT-4's, rumoured
}


def costs(sora, minute, steps, active, batch, price, minutes, length, tokens):
    """Costs, ratios and training at every sample."""
    a100 = {"on": "8xa100-sxm-80gb", "price": price}
    plain = costline.generate(params=sora, tokens=minute, steps=steps, branches=1, **a100)["cost"]
    guided = costline.generate(params=sora, tokens=minute, steps=steps, branches=2, **a100)["cost"]
    reply = costline.serve(
        params="1.8T", active=active, batch=batch, input=100, output=ANSWER, on="64xa100-sxm-80gb", price=price
    )
    answer = reply["cost_output"] * ANSWER
    step = 3 * costline.generate(params=sora, tokens=length, steps=1, branches=1, **a100)["flops"]
    share = step * minutes * minute / length / (6 * active * tokens)
    return {
        "minute": (plain, "USD"), "minute, guided": (guided, "USD"), "answer": (answer, "USD"),
        "ratio": plain / answer, "ratio, guided": guided / answer,
        "bill": (QUERY * plain / answer, "USD"), "bill, guided": (QUERY * guided / answer, "USD"),
        "training": share, "chips": share * GPT4_CHIPS,
    }  # fmt: skip


def main():
    """Sample the study and print it."""
    study = costline.together(costs, **RANGES)
    for name, unit in study.units.items():
        span, sign = study.span(name), "$" if unit == "USD" else ""
        print(f"{name:15} {sign}{span.median:<9,.3g} 80 %: {sign}{span.low:,.3g} to {sign}{span.high:,.3g}")
    for what, condition in (
        ("a minute without guidance costs more than 1,000 answers", "ratio > 1000"),
        ("a minute with guidance does", "ratio, guided > 1000"),
        ("a minute without guidance costs more than 1,500, as the article says", "ratio > 1500"),
        ("a minute with guidance does", "ratio, guided > 1500"),
        ("Sora's training took more than a quarter of GPT-4's", "training > 0.25"),
        ("6,000 A100 were enough in the same time", "chips < 6000"),
        ("at GPT-4's price a minute is below $90", "bill < $90"),
    ):
        print(f"chance that {what}: {study.chance(condition):.0%}")
    for name in ("ratio", "training"):
        ranked = [row for row in drivers(study, [name])[name].ranked if row.seen]
        print(f"what drives the {name}: " + ", ".join(f"{row.name} {row.total:.0%}" for row in ranked))
    found = study.given("ratio > 1000")
    print(f"in the {found.agreeing:,} of {study.samples:,} samples in which a minute without guidance does:")
    for row in found.implied():
        if row.variable.name in {"sora", "minute", "batch"}:
            print(f"    {row.variable.name:8} {row.before.median:.3g} becomes {row.after.median:.3g}")


if __name__ == "__main__":
    try:
        main()
    except costline.CostlineError as error:  # SciPy is not installed, most likely
        raise SystemExit(f"costline: {error}") from None
