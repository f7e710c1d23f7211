"""Count parameters of the models named in `named_truth.csv` on the real transformers and diffusers modules.

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

import diffusers
import torch
import transformers

TABLE = Path(__file__).with_name("named_truth.csv")
COLUMNS = ("name", "class", "config_json", "params", "package")


def count(class_name: str, fields: dict[str, object]) -> int:
    """Parameters of one model."""
    with torch.device("meta"):
        if model_class := getattr(transformers, class_name, None):
            model = model_class._from_config(model_class.config_class(**fields), dtype=torch.bfloat16)
        else:
            model = getattr(diffusers, class_name)(**fields)
    return sum({id(parameter): parameter.numel() for parameter in model.parameters()}.values())


def main() -> None:
    """Fill the empty cells of the table."""
    rows = list(csv.DictReader(TABLE.read_text(encoding="utf-8").splitlines()))
    versions = {"transformers": transformers.__version__, "diffusers": diffusers.__version__}
    for row in rows:
        if not row["params"]:
            row["params"] = str(count(row["class"], json.loads(row["config_json"])))
            library = "transformers" if hasattr(transformers, row["class"]) else "diffusers"
            row["package"] = f"{library} {versions[library]} / torch {torch.__version__}"
            print(row["name"], row["params"], flush=True)
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
