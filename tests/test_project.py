"""Promises that concern the project as a whole rather than one module."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from dataclasses import asdict, fields
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.config import SECTIONS
from lorap_bench.models import ARCHS
from lorap_bench.prompts import PROMPTS
from lorap_bench.quant import SCHEMES
from lorap_bench.testing import Contract, ConvContract, PromptContract, SchemeContract

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = sorted((ROOT / "lorap_bench").rglob("*.py"))
STUDIES = sorted((ROOT / "studies").glob("*.toml"))
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
TEST_COMMAND = "python -m pip install nox && nox -s tests"

# Things of one machine or one sitting; a bracket in each keeps this file from matching itself.
FORBIDDEN = re.compile(r"/wor[k]/|/opt/whee[l]s|/opt/pyp[i]|/roo[t]/|INTERFAC[E]\.md|\bissu[e]s? #?\d|\bTOD[O]\b")
# The one script of a report page that is not ours: its bundle of plotly.js.
BUNDLE = re.compile(r"<script>/\*\*\s*\* plotly\.js v.*?</script>", re.DOTALL)
# Who may ask for the test split.
OPENERS = ("lorap_bench/search/confirm.py", "lorap_bench/suite/", "lorap_bench/cli/train.py")


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _project_files() -> list[Path]:
    """Return the files that are committed or would be: git knows what it ignores."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_speaks_of_one_machine() -> None:
    found = []
    for path in _project_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture
        found += [f"{_name(path)}: {match[0]}" for match in FORBIDDEN.finditer(BUNDLE.sub("", text))]
    assert found == []


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_every_study_loads_and_is_named_as_its_file(path: Path) -> None:
    from lorap_bench.cli.wiring import catalog
    from lorap_bench.study.file import load_study

    spec = load_study(path, catalog=catalog())
    assert spec.name == path.stem
    assert spec.space
    assert spec.description


def test_there_is_a_quickstart() -> None:
    assert ROOT / "studies" / "quickstart.toml" in STUDIES


def _split_arguments(path: Path) -> list[str]:
    """Return what a module passes as ``split``, but for ``"val"`` and a ``split`` handed on."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "split":
            handed_on = isinstance(node.value, ast.Name) and node.value.id == "split"
            if not handed_on and ast.unparse(node.value) != "'val'":
                found.append(f"{_name(path)}:{node.value.lineno}: split={ast.unparse(node.value)}")
    return found


def test_only_confirmation_suite_and_train_ask_for_the_test_split() -> None:
    guarded = [path for path in PACKAGE if not _name(path).startswith(OPENERS)]
    assert [line for path in guarded for line in _split_arguments(path)] == []


def test_the_watch_over_the_test_split_sees_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "a.py").write_text('f(split="val")\nf(split=split)\nf(split="test")\nf(split=other)\n')
    assert _split_arguments(tmp_path / "a.py") == ["a.py:3: split='test'", "a.py:4: split=other"]


@pytest.mark.parametrize("path", PACKAGE, ids=_name)
def test_sizes_stay_within_the_hard_limits(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [f.name for f in functions if (f.end_lineno or 0) - f.lineno >= 60] == []


@pytest.mark.parametrize("path", [path for path in PACKAGE if path.name == "__init__.py"], ids=_name)
def test_facades_only_import_and_are_imported_from_outside(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    if path.parent == ROOT / "lorap_bench":
        return  # the root exports lazily
    # Names and tables of names: a facade decides nothing.
    plain = ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign
    assert [ast.unparse(node) for node in tree.body[1:] if not isinstance(node, plain)] == []
    facade = _name(path.parent).replace("/", ".")
    inside = [
        f"{_name(module)}:{node.lineno}"
        for module in path.parent.rglob("*.py")
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == facade and not _names_modules(node, path.parent)
    ]
    assert inside == []


def _names_modules(node: ast.ImportFrom, folder: Path) -> bool:
    """Whether every name imported is a module of the package rather than something its facade exports."""
    return all((folder / f"{alias.name}.py").is_file() or (folder / alias.name).is_dir() for alias in node.names)


def test_every_exception_to_a_rule_has_its_reason() -> None:
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    codes = [line for line in lines if re.match(r'\s+"[A-Z]+[0-9]*",', line)]
    assert codes
    assert [line for line in codes if "#" not in line] == []


def _requirement(text: str) -> str:
    """Return the normalised name of a requirement."""
    match = re.match(r"[A-Za-z0-9._-]+", text)
    assert match is not None
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def _pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {_requirement(name): version for name, version in pairs}


def test_every_dependency_is_pinned() -> None:
    groups = [
        PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"].values(),
        *([item for item in group if isinstance(item, str)] for group in PROJECT["dependency-groups"].values()),
    ]
    unpinned = {"triton"}  # each CUDA build of torch asks for its own
    assert {_requirement(item) for group in groups for item in group} - unpinned <= set(_pins())


def test_pins_are_those_of_any_registry() -> None:
    pins = _pins()
    assert [name for name, version in pins.items() if "+" in version or "@" in version] == []
    assert [name for name in pins if name.startswith(("nvidia", "triton", "lorap"))] == []


def test_ci_runs_the_command_of_the_readme() -> None:
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").rstrip().endswith(TEST_COMMAND)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert TEST_COMMAND in readme
    assert TEST_COMMAND.replace("tests", "quickstart") in readme


def test_the_study_file_of_the_readme_loads(tmp_path: Path) -> None:
    from lorap_bench.cli.wiring import catalog
    from lorap_bench.study.file import load_study

    [text] = re.findall(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "study.toml").write_text(text)
    assert load_study(tmp_path / "study.toml", catalog=catalog()).name == "cora-bits"


def test_every_key_of_a_study_file_is_documented() -> None:
    from lorap_bench.study.spec import COSTS, StudySpec

    text = (ROOT / "docs" / "study-files.md").read_text(encoding="utf-8")
    costs = (ROOT / "docs" / "costs.md").read_text(encoding="utf-8")
    keys = [field.name for section in SECTIONS.values() for field in fields(section)]
    assert [key for key in keys if f"`{key}`" not in text] == []
    assert [key for key in StudySpec.model_fields if f"`{key}`" not in text and f"`[{key}]`" not in text] == []
    assert [cost for cost in COSTS if f"`{cost}`" not in costs] == []


def test_documented_defaults_are_the_real_ones() -> None:
    text = (ROOT / "docs" / "study-files.md").read_text(encoding="utf-8")
    for name, section in SECTIONS.items():
        part = text[text.index(f"## `[{name}]`") :].split("\n## ", 1)[0]
        for key, value in asdict(section()).items():
            (stated,) = re.findall(rf"^\| `{key}` \|.*\| ([^|]+) \|$", part, flags=re.MULTILINE)
            assert stated == "empty" if value == {} else tomllib.loads(f"v = {stated.strip('`')}")["v"] == value, key


def test_every_verb_is_documented() -> None:
    from lorap_bench.cli.main import app

    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    verbs = [command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands]
    assert "run" in verbs
    assert [verb for verb in verbs if f"`{verb}" not in text] == []


def test_every_data_set_is_documented() -> None:
    from lorap_bench.data.load import DATASETS

    text = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    assert [name for name in DATASETS if f"| `{name}` |" not in text] == []


def _without_contract(contract: type[Contract], known: Iterable[str]) -> list[str]:
    """Return the names for which pytest collects no class of this contract."""
    kept, kinds = set(), [contract]
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        if kind.__name__.startswith("Test"):
            kept.add(getattr(kind, contract.subject, None))
    return [name for name in known if name not in kept]


@pytest.mark.parametrize(
    ("module", "contract", "known"),
    [
        ("test_schemes", SchemeContract, SCHEMES),
        ("test_prompts", PromptContract, PROMPTS),
        ("test_archs", ConvContract, ARCHS),
    ],
)
def test_every_public_class_keeps_its_contract(module: str, contract: type[Contract], known: dict[str, Any]) -> None:
    import_module(f"tests.contracts.{module}")
    assert known
    assert _without_contract(contract, known) == []
    # ... and the watch sees what is missing, or would not be collected.
    type("Forgotten", (contract,), {contract.subject: "Uncollected"})
    assert _without_contract(contract, [*known, "Uncollected", "Absent"]) == ["Uncollected", "Absent"]


@pytest.mark.slow
def test_the_example_of_extending_keeps_the_contracts(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    blocks = re.findall(r'```python title="(\w+\.py)"\n(.*?)```', text, re.DOTALL)
    assert [name for name, _ in blocks] == ["mine.py", "test_mine.py"]
    for name, block in blocks:
        (tmp_path / name).write_text(block, encoding="utf-8")
    pick = "GCN-node or FP32 or costs or sites or rank or equals"
    options = ["-q", "-p", "no:cacheprovider", f"--rootdir={tmp_path}", "-k", pick, "test_mine.py"]
    command = [sys.executable, "-m", "pytest", *options]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    assert "failed" not in done.stdout
