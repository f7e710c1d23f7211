"""What the accuracy page says in words."""

from __future__ import annotations

from costline.studies.likeness import REACH, WIDENING

NAMES = {"mfu": "constant MFU", "seed": "article's rule", "roofline": "fixed roofline"}
"""Baseline -> how it is called in the table."""
BASELINES = (
    "Baselines: one utilisation for each chip, the median of the other configurations on it; the rule of the article "
    "that costline grew from (6ND at 40 % of the peak, 2ND at 5 %, 2NDT at 50 %); the same kernels at 0.7 of the "
    "bandwidth or 0.5 of the peak, with no overheads. The first sees the measurements of other configurations, the "
    "other two see none."
)
REGIME_WORDS = {
    "chips": "number of chips", "batch": "batch", "sequence": "longest sequence", "precision": "format of the products",
    "software": "software", "chip": "chip", "family": "family of chips",
}  # fmt: skip

MISSED = (
    "An effect that the model lacks makes errors that repeat: rows alike in chip, software, format, model and sizes "
    "are wrong in the same direction. The fourth column is what would be left if each prediction were corrected by the "
    "typical error of the rows most like it, none of its own group among them. Where it is no smaller than the third, "
    "the columns of the rows tell of no further effect that another model, chip or software would share."
)

LEFT_OUT = (
    "Errors of predictions whose coefficients were fitted without any row of the same chip, whatever its model and "
    "software: what to expect of a chip that nobody has measured. Other chips of its family stay."
)

CANNOT = (
    "**Queues.** A time to first token under load is that of a full batch in steady state, with the mean wait for a "
    "place where not all requests fit. Bursts, the order of a scheduler, and requests that leave early are not "
    "modelled, and near the edge of memory the wait jumps: most of the worst rows are there.",
    "**Saturated engines on the edge of memory.** Where weights fill nearly all memory, a gigabyte of workspace more "
    "or less decides how many requests run at once, and the throughput with it.",
    "**What the source does not say.** Prompts that were cached, the skew of experts, power limits, clocks, the "
    "release of a library. Repeats of one job by different people differ by 2 to 12 %: no error below about 5 % means "
    "anything.",
    "**Software of tomorrow.** Coefficients are those of the software that was measured; a release can move a time by "
    "a third and more in half a year.",
    "**A chip nobody has measured** inherits its family. The column for unseen chips says what that costs where it "
    "could be tried; a new design can be further away than any chip in the table.",
    "**Prefix caches, speculative decoding, contention** between jobs on one network, storage, data loading, failures.",
    "**Few cases.** Where a target has a handful of rows, its scores and its interval's coverage are anecdotes.",
)

METHODS = (
    "Times: a roofline for each kernel and message ([Williams et al. 2009](https://doi.org/10.1145/1498765.1498785)) "
    "with shares of peak and bandwidth that depend on shape, and costs of launches, latencies and steps.",
    "Fit: every coefficient gets factors for all chips, for a family and for a chip, with priors around no change, so "
    "that what has few measurements stays near its family (partial pooling, [Gelman and Hill 2006]"
    "(https://doi.org/10.1017/CBO9780511790942)); logarithms of predicted over measured are fitted by Gauss-Newton "
    "steps, damped where they would make the sum of errors larger ([Levenberg 1944]"
    "(https://doi.org/10.1090/qam/10666)), large errors counting only linearly ([Huber 1964]"
    "(https://doi.org/10.1214/aoms/1177703732)).",
    "Held out: five folds of groups (model, chip, software); a group is never divided between fitting and testing "
    "([Roberts et al. 2017](https://doi.org/10.1111/ecog.02881)). Each fold is fitted again, at most six steps from "
    "the solution of all rows, of which what only the fold told was taken away. For unseen chips every chip is left "
    "out so, with one step by the slopes at that solution, and for unseen software every software. The form of the "
    "model, the widths of the priors and the constants of the intervals were chosen with all rows in view: results "
    "that nobody has looked at can be worse. Coefficients that were not fitted but derived from pairs of published "
    "runs, what caches reuse and sparse kernels leave out, are from all pairs, rows that are scored here among them.",
    "Intervals: weighted conformal prediction ([Tibshirani et al. 2019](https://arxiv.org/abs/1904.06019)) on held-out "
    "errors; cases count by likeness of chip, software, model, format and sizes. A question whose chip or software has "
    "no case in its study takes the errors that cases had with all rows of their own chip, or software, left out. "
    f"Reach ({REACH:g}) and widening with distance ({WIDENING:g} times its square) are round numbers common to all "
    "targets, chosen so that intervals made without a row's own group have a good interval score "
    "([Gneiting and Raftery 2007](https://doi.org/10.1198/016214506000001437)) and hold between 75 and 85 % of the "
    "rows. Coverage here is counted on those same rows.",
    "Every test run predicts all shipped rows and fails if a target's in-sample median or 90th percentile is worse "
    "than at the last fit by more than 2 percentage points or 15 % of itself, whichever is more.",
)

KEYS = (
    "Keys: no adjustment is keyed to a row, a model or a publication, but to a coefficient, a software or a format, "
    "and a chip, its family or all chips. What only one publication has measured cannot be told from the habits of "
    "that publication; priors hold it near its family."
)
