"""The page that says how to add a data set, followed to the letter in a copy of the checkout."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

COPIED = ("lorap_bench", "tests/data", "tests/conftest.py", "docs/data.md", "pyproject.toml")
BLOCK = re.compile(r'```\w+ title="([\w/.-]+)"\n(.*?)```', re.DOTALL)


def _copy(root: Path, checkout: Path) -> None:
    for name in COPIED:
        source, target = root / name, checkout / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "test_add_a_dataset.py"))
        else:
            shutil.copyfile(source, target)


def _apply(blocks: dict[str, str], checkout: Path) -> None:
    """Write the new files, and put the entry and the row at the end of their tables."""
    ends = {"lorap_bench/data/families.py": "\n)\nBY_NAME", "docs/data.md": "\n\nEdges count both directions"}
    for name, block in blocks.items():
        path = checkout / name
        if name not in ends:
            path.write_text(block, encoding="utf-8")
            continue
        before, end, after = path.read_text(encoding="utf-8").partition(ends[name])
        assert end
        path.write_text(f"{before}\n{block.removesuffix(chr(10))}{end}{after}", encoding="utf-8")


@pytest.mark.slow
def test_four_files_bring_a_data_set(project_root: Path, tmp_path: Path) -> None:
    blocks = dict(BLOCK.findall((project_root / "docs" / "add-a-dataset.md").read_text(encoding="utf-8")))
    assert len(blocks) == 4
    _copy(project_root, tmp_path)
    _apply(blocks, tmp_path)
    documented = "test_published.py::test_every_named_set_has_its_counts_and_they_are_documented"
    tests = ["test_karate.py", "test_families.py", documented]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={tmp_path}"]
    command += [f"tests/data/{name}" for name in tests]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "Karate" in (tmp_path / "lorap_bench" / "data" / "families.py").read_text(encoding="utf-8")
