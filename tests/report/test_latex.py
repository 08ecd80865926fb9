"""The tables as LaTeX: balanced, escaped, a cell for every column; compiled where there is a compiler."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
import pytest

from lorap_bench.report.assemble import assemble
from lorap_bench.report.document import Column, Document, Figure, Section, Table
from lorap_bench.report.latex import MOST_ROWS, latex
from lorap_bench.report.material import Material
from lorap_bench.stats.intervals import Interval
from tests.report.hostile import HOSTILE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lorap_bench.record import TrialRecord
    from lorap_bench.report.document import Block
    from lorap_bench.study.spec import StudySpec

# The whole of what the file may say to TeX.
COMMANDS = {
    "begin", "end", "caption", "label", "centering", "linewidth", "textheight", "toprule", "midrule", "bottomrule",
    "texttt", "textbackslash", "textasciicircum", "textasciitilde", "textless", "textgreater", "dots", "pm", "le", "ge",
    "to", "cdot", "times", "uparrow", "downarrow",
}  # fmt: skip


def document(*blocks: Block, title: str = "made-up") -> Document:
    return Document(title=title, lead="", facts=(), sections=(Section(id="one", title="One", nav="", blocks=blocks),))


def table(rows: list[tuple[Any, ...]], *columns: Column, **changes: Any) -> Table:
    return Table(id="some-rows", caption="Some_rows", columns=columns, rows=rows, **changes)


def body(text: str) -> str:
    """Return the file without its comments."""
    return re.sub(r"(?<!\\)%.*", "", text)


def check_structure(text: str) -> None:
    """Environments nest, braces pair, rows have a cell for every column, and nothing unknown is said to TeX."""
    code = body(text)
    open_ones: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", code):
        if kind == "begin":
            open_ones.append(name)
        else:
            assert open_ones.pop() == name
    assert open_ones == []
    assert set(re.findall(r"\\([A-Za-z]+)", code)) <= COMMANDS
    bare = re.sub(r"\\[^A-Za-z]", "", code)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    assert not re.search(r"[#~]", bare)
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", text)
    for columns, rows in re.findall(
        r"\\begin\{tabular\}\{((?:[lr]|p\{45mm\})+)\}\n(.*?)\\end\{tabular\}", code, re.DOTALL
    ):
        lines = [line for line in rows.splitlines() if not line.startswith("\\") or " & " in line]
        assert lines
        for line in lines:
            assert line.endswith(r" \\")
            assert len(re.findall(r"(?<!\\)&", line)) == len(columns.replace("{45mm}", "")) - 1


def test_a_table_in_the_manner_of_booktabs() -> None:
    gain = Interval(mean=-0.02, std=0.01, low=-0.045, high=0.005, n=3)
    columns = (Column("Trial", "trial"), Column("Gain, points", "gain"), Column("Path", "code"), Column("What", "text"))
    text = latex(document(table([(7, gain, "prompt.lr", "50 %"), (8, None, None, None)], *columns, of=9)))
    assert r"\usepackage{booktabs}" in text.splitlines()[3]
    assert r"\begin{tabular}{rrll}" in text
    assert r"\label{tab:some-rows}" in text
    assert r"\caption{Some\_rows. 2 of 9 rows. In brackets the 95\,\% interval of the mean" in text
    assert r"7 & $-$2.0 [$-$4.5, +0.5] (n = 3) & \texttt{prompt.lr} & 50 \% \\" in text
    assert r"8 & -- & -- & -- \\" in text
    check_structure(text)


def test_figures_stand_right_and_long_words_in_lines() -> None:
    columns = (Column("Bits"), Column("Short", "text"), Column("Long", "text"), Column("p", "p"))
    assert r"\begin{tabular}{rlp{45mm}r}" in latex(document(table([(2.0, "a", "a word " * 9, 0.5)], *columns)))


def test_a_table_that_two_figures_share_comes_once() -> None:
    shared = table([(1,)], Column("A", "whole"))
    two = [Figure(id=name, label=name, plot=go.Figure(), table=shared) for name in ("one", "two")]
    assert latex(document(*two)).count(r"\label{") == 1


def test_commands_have_no_column_and_figures_give_their_table() -> None:
    columns = (Column("Bits"), Column("Run again", "command"))
    figure = Figure(id="line", label="A line", plot=go.Figure(), table=table([(2.5, "lorap-bench train x")], *columns))
    text = latex(document(figure))
    assert "Run again" not in text
    assert "2.5 \\\\" in text
    check_structure(text)


def test_tables_too_long_or_empty_are_left_out_and_say_so() -> None:
    rows = [(place,) for place in range(MOST_ROWS + 1)]
    text = latex(document(table(rows, Column("A")), Table(id="none", caption="None", columns=(Column("A"),), rows=[])))
    assert body(text).strip() == ""
    assert f"% Left out: Some_rows ({MOST_ROWS + 1} rows, which --format csv writes to tables/some-rows.csv)." in text
    assert "% Left out: None (it has no rows)." in text


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_strings_stay_text(hostile: str) -> None:
    columns = (Column(hostile, "text"), Column("Code", "code"), Column("A"))
    rows = [(hostile, hostile, 1.0), (None, hostile, None)]
    made = Table(id=hostile, caption=hostile, columns=columns, rows=rows)
    long = table([(hostile,)] * (MOST_ROWS + 1), Column("A", "text"))
    text = latex(document(made, Table(id="x", caption=hostile, columns=(columns[0],), rows=long.rows), title=hostile))
    check_structure(text)
    assert not re.search(r"\\\\\n[\[*]", text)
    assert len(re.findall(r"^(?!%)", text, re.MULTILINE)) < 25
    assert max(map(len, text.splitlines())) < 11_000
    assert ("LuaLaTeX" in text) == ("数" in hostile)


def test_signs_that_tex_would_join_stay_apart() -> None:
    text = latex(document(table([("--set", ",,", "<<")], *(Column("A", "code") for _ in range(3)))))
    assert r"\texttt{-{}-set} & \texttt{,{},} & \texttt{\textless{}{}\textless{}}" in text


def test_a_whole_study(make_spec: Callable[..., StudySpec], make_study: Callable[..., list[TrialRecord]]) -> None:
    text = latex(assemble(Material(make_spec(), make_study(40))))
    check_structure(text)
    labels = re.findall(r"\\label\{(.*?)\}", text)
    assert len(labels) == len(set(labels))
    assert {"tab:recommendations", "tab:front", "tab:all-trials"} <= set(labels)
    assert latex(assemble(Material(make_spec(), make_study(40)))) == text


def test_it_compiles(
    make_spec: Callable[..., StudySpec], make_study: Callable[..., list[TrialRecord]], tmp_path: Path
) -> None:
    compiler = shutil.which("pdflatex")
    if compiler is None:
        pytest.skip("no pdflatex on this machine")
    text = latex(assemble(Material(make_spec(description="50 % of a_b"), make_study(40))))
    packages = "\n".join(re.findall(r"\\usepackage.*", text))
    (tmp_path / "report.tex").write_text(text, encoding="utf-8")
    main = f"\\documentclass{{article}}\n{packages}\n\\begin{{document}}\n\\input{{report}}\n\\end{{document}}\n"
    (tmp_path / "main.tex").write_text(main, encoding="utf-8")
    command = [compiler, "-interaction=nonstopmode", "-halt-on-error", "main.tex"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-2000:]
