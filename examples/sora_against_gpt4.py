"""How likely is it that one minute of Sora cost more than 1,000 GPT-4 answers of 1,000 tokens?

The argument of the article of February 2024 with its rumours as ranges, and with the ones it left out. Both sides run
on A100 at the same price, which is one input: the ratio cannot depend on it.
"""
# ruff: noqa: ANN001, ANN201

import costline
from costline.uncertainty.drivers import drivers

ANSWER = 1000  # tokens


def costs(sora, minute, steps, active, batch, price):
    """Cost of a minute, of an answer, and their ratio at every sample."""
    clip = costline.generate(params=sora, tokens=minute, steps=steps, branches=1, on="8xa100-sxm-80gb", price=price)
    reply = costline.serve(
        params="1.8T", active=active, batch=batch, input=100, output=ANSWER, on="64xa100-sxm-80gb", price=price
    )
    answer = reply["cost_output"] * ANSWER
    return {"minute": (clip["cost"], "USD"), "answer": (answer, "USD"), "ratio": clip["cost"] / answer}


def main():
    """Sample the study and print it."""
    study = costline.together(
        costs,
        sora="3B to 60B",  # rumoured
        minute="250k to 1M",  # latent tokens of a minute: the article's 1M, a quarter with a stronger autoencoder
        steps="{20, 30, 50}",  # the article's 20, and what published pipelines take
        active="400B to 600B",  # rumoured
        batch="32 to 512",  # answers in flight on 64 chips: the article's 5 % utilisation is one of them
        price="$1.30/h to $3/h",
    )
    for name, unit in (("minute", "$"), ("answer", "$"), ("ratio", "")):
        span = study.span(name)
        print(f"{name:8} {unit}{span.median:,.3g}   80 %: {unit}{span.low:,.3g} to {unit}{span.high:,.3g}")
    print(f"chance that a minute costs more than 1,000 answers: {study.chance('ratio > 1000'):.0%}")
    print("what drives the ratio:")
    for row in drivers(study, ["ratio"])["ratio"].ranked:
        print(f"    {row.name:20} {max(row.total, 0):.0%}")
    found = study.given("ratio > 1000")
    print(f"in the {found.agreeing:,} of {study.samples:,} samples in which it does:")
    for row in found.implied():
        if row.variable.name in {"sora", "minute", "batch"}:
            print(f"    {row.variable.name:8} {row.before.median:.3g} becomes {row.after.median:.3g}")


if __name__ == "__main__":
    try:
        main()
    except costline.CostlineError as error:  # SciPy is not installed, most likely
        raise SystemExit(f"costline: {error}") from None
