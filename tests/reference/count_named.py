"""Count parameters of the language models named in `named_truth.csv` on the real transformers modules.

Run by hand, in an environment with the ``reference`` extra; the tests read only its result:

    python tests/reference/count_named.py

`config_json` is the configuration the catalogue's row was read from, with the fields that change no weight left out;
`class` is the module built from it on the meta device. A tied table counts once. Rows that have a count keep it: empty
the cell to count it again, add a row without one to count a new model.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import torch
import transformers

TABLE = Path(__file__).with_name("named_truth.csv")
COLUMNS = ("name", "class", "config_json", "params", "package")


def count(class_name: str, fields: dict[str, object]) -> int:
    """Parameters of one model."""
    model_class = getattr(transformers, class_name)
    with torch.device("meta"):
        model = model_class._from_config(model_class.config_class(**fields), dtype=torch.bfloat16)
    return sum({id(parameter): parameter.numel() for parameter in model.parameters()}.values())


def main() -> None:
    """Fill the empty cells of the table."""
    rows = list(csv.DictReader(TABLE.read_text(encoding="utf-8").splitlines()))
    package = f"transformers {transformers.__version__} / torch {torch.__version__}"
    for row in rows:
        if not row["params"]:
            row["params"] = str(count(row["class"], json.loads(row["config_json"])))
            row["package"] = package
            print(row["name"], row["params"], flush=True)
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
