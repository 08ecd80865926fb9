"""Make this folder's table: train each cell with `lorap-bench train`, keep its JSON in raw/, write README.md.

A cell that is there already is not trained again: remove its file to repeat it.
Run it from the root of a checkout: `python -m reports.cora-baselines.make`.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from reports.cells import percent, stamp

FOLDER = Path(__file__).parent
STUDY = "studies/cora-gcn-qat-lorap.toml"
SEEDS = 10
MODELS: dict[str, list[str]] = {
    "FP32": ["quant.scheme=FP32", "prompt.kind=None"],
    **{
        f"QAT {bits} bit{suffix}": [f"quant.bits={bits}", f"prompt.kind={kind}"]
        for bits in (8, 4, 3)
        for suffix, kind in (("", "None"), (" + LoRAP", "LoRAP"))
    },
}
CELLS: dict[str, list[str]] = {
    f"{name}, {label}": [f"task.features={features}", *settings]
    for features, label in (("row_normalized", "row-normalised features"), ("raw", "raw features"))
    for name, settings in MODELS.items()
}


def command(settings: list[str]) -> list[str]:
    """Return the command of one cell."""
    overrides = [word for setting in settings for word in ("--set", setting)]
    return ["lorap-bench", "train", STUDY, *overrides, "--seeds", str(SEEDS), "--split", "test", "--json"]


def cell(name: str, settings: list[str]) -> dict[str, Any]:
    """Return a cell's result, trained now if it is not there."""
    path = FOLDER / "raw" / f"{re.sub('[^a-z0-9]+', '-', name.lower())}.json"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        done = subprocess.run(command(settings), check=True, stdout=subprocess.PIPE, text=True)
        path.write_text(done.stdout, encoding="utf-8")
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return result


def main() -> None:
    """Train what is missing and write the table."""
    results = {name: cell(name, settings) for name, settings in CELLS.items()}
    lines = [
        "# Baselines on Cora",
        "",
        f"Two-layer GCN, hidden 16, public split, 200 epochs, LoRAP with k = 8 and r = 4; n = {SEEDS} seeds (0 to {SEEDS - 1}).",
        "The epoch is chosen on the validation split; the test split is looked at once, after training, at that epoch.",
        "Mean ± sample standard deviation over the seeds.",
        "",
        "| cell | test accuracy % | validation accuracy % | average bits | overhead % | command |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, result in results.items():
        test, val = ([member[split] for member in result["members"]] for split in ("test", "val"))
        costs = result["costs"]
        text = " ".join(command(CELLS[name]))
        lines.append(
            f"| {name} | {percent(test)} | {percent(val)} | {costs['average_bits']:.3f} "
            f"| {costs['overhead']:.2f} | `{text}` |"
        )
    lines += ["", stamp(results.values()), ""]
    (FOLDER / "README.md").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
