"""Small files of measurements, and the coefficients that come with costline."""

from __future__ import annotations

import csv

import pytest

from costline.catalogue import shipped

TRAIN = {
    "id": "a", "chip": "a100-sxm-80gb", "model": "llama-2-7b", "metric": "step_time_s", "value": "10",
    "seq_len": "4096", "global_batch_seqs": "64", "micro_batch": "1", "num_chips": "8", "tp": "1", "pp": "1",
    "dp": "8", "dtype": "bf16", "framework": "Megatron-LM", "recompute": "none", "zero_stage": "1",
    "date": "2024-01", "task": "pretrain",
}  # fmt: skip
SERVE = {
    "id": "b", "chip": "h100-sxm", "model": "Llama-2-7b-hf", "metric": "tpot_ms", "value": "10", "num_chips": "1",
    "tp": "1", "pp": "1", "dp": "1", "weight_dtype": "fp16", "kv_dtype": "fp16", "compute_dtype": "fp16",
    "engine": "vLLM", "input_len": "128", "output_len": "128", "concurrency_or_batch": "4",
    "batch_kind": "fixed_batch", "spec_decode": "none", "date": "2024-06",
}  # fmt: skip
GENERATE = {
    "id": "c", "chip": "h100-sxm", "model": "Wan2.1-T2V-14B", "metric": "e2e_s", "value": "1800", "task": "t2v",
    "width": "1280", "height": "720", "frames": "81", "steps": "50", "cfg": "2", "batch": "1", "num_chips": "8",
    "parallelism": "ulysses8", "dtype": "bf16", "attention_backend": "fa3", "compile": "0", "cache_method": "none",
}  # fmt: skip
ROWS = {"train": TRAIN, "serve": SERVE, "generate": GENERATE}


@pytest.fixture(scope="session")
def efficiency():
    """Shipped coefficients."""
    return shipped.efficiency()


@pytest.fixture
def write(tmp_path):
    """Write rows as a CSV file and return its path."""

    def written(*rows, name="mine.csv", columns=None):
        path = tmp_path / name
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(
                file, columns or list(dict.fromkeys(key for row in rows for key in row)), restval=""
            )
            writer.writeheader()
            writer.writerows(rows)
        return path

    return written


@pytest.fixture
def row(write):
    """One measurement of a table with some cells changed."""
    from costline.accuracy.rows import read_measurements

    def made(table, **changes):
        return read_measurements(write({**ROWS[table], **changes})).rows[0]

    return made
