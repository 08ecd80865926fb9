"""Make this folder's tables: what prompts win back at 4 bits on Cora, scheme by scheme.

Every arm (scheme, architecture, prompt) is a study of its own with the same budget; the best trial on
validation is trained with ten fresh seeds, the same for all arms, and looked at on the test split once.
Gains are paired over these seeds. What is done is not done again: the same command continues. From the
root of a checkout:

    python -m reports.lorap-gain.make --workers 2
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

from lorap_bench.stats.paired import paired_interval

from reports.cells import TOOL, command, percent, split_values, stamp, together, trained

FOLDER = Path(__file__).parent
STUDY = "studies/lorap-gain.toml"
FRESH = range(100, 110)
ARCHS = ("GCN", "GIN")
SCHEMES = ("QAT", "DegreeQuant", "A2Q", "MixQ")
PROMPTS = ("None", "GPFPlus", "LoRAP", "GPFLoRAP")


def arm_settings(scheme: str, arch: str, prompt: str) -> list[str]:
    """Return what makes an arm of the study."""
    name = f"lorap-gain-{arch}-{scheme}-{prompt}".lower()
    # GIN sums 1433 raw features, which is slow: it trains for fewer epochs and is judged at every fourth.
    slow = ["optim.epochs=80", "optim.eval_every=4"] if arch == "GIN" else []
    if slow and scheme == "MixQ":
        slow += ["quant.search_epochs=20", "quant.pretrain_epochs=20", "quant.lr_choice=0.03"]
        # Its tensors are smaller, so a kilobyte must cost more: up to 0.003 no trial came below 4.6 bits.
        slow += ["space.quant.bit_penalty={choices=[0.003, 0.01, 0.03]}"]
    return [f"name={name}", f"quant.scheme={scheme}", f"model.arch={arch}", f"prompt.kind={prompt}", *slow]


def searched(scheme: str, arch: str, prompt: str) -> dict[str, Any]:
    """Return the export of an arm's study, run now if it is not there."""
    path = FOLDER / "raw" / f"search-{arch}-{scheme}-{prompt}.json".lower()
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        overrides = [word for setting in arm_settings(scheme, arch, prompt) for word in ("--set", setting)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run([*TOOL, "run", STUDY, *overrides, "--no-report", "--quiet"], env=environment)
        if done.returncode not in {0, 3}:
            raise SystemExit(f"exit code {done.returncode} of the study {overrides}")
        name = arm_settings(scheme, arch, prompt)[0].removeprefix("name=")
        words = [*TOOL, "export", name, "--format", "json"]
        exported = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, env=environment)
        path.write_text(exported.stdout, encoding="utf-8")
        print(path.stem, flush=True)
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return result


def best(export: dict[str, Any]) -> dict[str, Any]:
    """Return the feasible trial of highest validation accuracy; the first of equals."""
    able = [t for t in export["trials"] if t["status"] == "complete" and all(v <= 0 for v in t["violations"].values())]
    return max(able, key=lambda trial: (trial["values"]["accuracy"], -trial["number"]))


def run_arm(scheme: str, arch: str, prompt: str) -> dict[str, Any]:
    """Search an arm, then confirm its best trial."""
    trial = best(searched(scheme, arch, prompt))
    points = [f"{path}={json.dumps(value)}" for path, value in trial["params"].items()]
    settings = [*arm_settings(scheme, arch, prompt)[1:], *points]
    return trained(FOLDER, f"test {arch} {scheme} {prompt}", command(STUDY, settings, FRESH, "test"))


def by_seed(result: dict[str, Any]) -> dict[int, float]:
    return {member["seed"]: member["test"] for member in result["members"] if member["test"] is not None}


def error(result: dict[str, Any]) -> str:
    """Return the mean aggregation error of each layer, without and with the prompt."""
    layers = zip(*(member["aggregation_error"] for member in result["members"]), strict=True)
    pairs = [[statistics.mean(values) for values in zip(*layer, strict=True)] for layer in layers]
    return ", ".join(f"{plain:.3f} → {prompted:.3f}" for plain, prompted in pairs)


def rows(scheme: str, arch: str, results: dict[tuple[str, str, str], dict[str, Any]]) -> list[str]:
    """Return the lines of one scheme: its four arms."""
    lines = []
    base = by_seed(results[scheme, arch, "None"])
    for prompt in PROMPTS:
        result = results[scheme, arch, prompt]
        gain = "–"
        if prompt != "None":
            interval = paired_interval(by_seed(result), base)
            gain = "–" if interval is None else (
                f"{100 * interval.mean:+.2f} ({100 * interval.low:+.2f} to {100 * interval.high:+.2f}), n = {interval.n}"
            )
        costs = result["costs"]
        config = result["config"]
        picked = [f"lr {config['optim']['lr']:g}"]
        if "LoRAP" in prompt:
            picked += [f"k {config['prompt']['count']}", f"r {config['prompt']['rank']}", config["prompt"]["gate"], config["prompt"]["inject"]]
        if "GPF" in prompt:
            picked.append(f"node prompts {config['prompt']['node_count']}")
        lines.append(
            f"| {scheme} | {prompt} | {percent(split_values(result, 'test'))} | {gain} | {percent(split_values(result, 'val'))} "
            f"| {costs['average_bits']:.2f} | {costs['bits_mixq']:.2f} | {costs['overhead']:.0f} | {error(result)} | {', '.join(picked)} |"
        )
    return lines


def main() -> None:
    """Run what is missing and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=1, help="studies at a time")
    parser.add_argument("--archs", default=",".join(ARCHS), help="architectures, separated by commas")
    parser.add_argument("--schemes", default=",".join(SCHEMES), help="schemes of the last architecture, likewise")
    options = parser.parse_args()
    archs = options.archs.split(",")
    schemes = {arch: SCHEMES for arch in archs} | {archs[-1]: tuple(options.schemes.split(","))}
    arms = [(scheme, arch, prompt) for arch in archs for scheme in schemes[arch] for prompt in PROMPTS]
    results = dict(zip(arms, together([partial(run_arm, *arm) for arm in arms], options.workers), strict=True))
    lines = [(FOLDER / "notes.md").read_text(encoding="utf-8").rstrip(), ""]
    for arch in archs:
        lines += [
            f"## {arch}",
            "",
            "| scheme | prompt | test accuracy % | gain over no prompt, 95 % interval | validation % | average bits | MixQ's bits "
            "| overhead % | aggregation error by layer, without → with prompt | chosen |",
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        ]
        for scheme in schemes[arch]:
            lines += rows(scheme, arch, results)
        left = [scheme for scheme in SCHEMES if scheme not in schemes[arch]]
        lines += ["", f"Not finished yet: {', '.join(left)}."] if left else []
        lines += ["", stamp(result for arm, result in results.items() if arm[1] == arch), ""]
    (FOLDER / "README.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
