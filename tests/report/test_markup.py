"""Words in each form: marks become marks there, and nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorap_bench.report.document import plain
from lorap_bench.report.markup import html_words, latex_text, latex_words, markdown_text, markdown_words, plain_words

WORDS = "At **3 bits** see `a_b <c>` in [the front](#front) & more"


def test_marks_in_each_form() -> None:
    link = '<a href="#front">the front</a>'
    code = "<code>a_b &lt;c&gt;</code>"
    assert html_words(WORDS) == f"At <strong>3 bits</strong> see {code} in {link} &amp; more"
    assert markdown_words(WORDS) == r"At **3 bits** see `a_b <c>` in [the front](#front) \& more"
    assert latex_words(WORDS) == r"At \textbf{3 bits} see \texttt{a\_b \textless{}c\textgreater{}} in the front \& more"
    assert plain_words(WORDS) == "At 3 bits see a_b <c> in the front & more"


@pytest.mark.parametrize("hostile", ["**x**", "`y`", "[z](#front)", "\\", "\\*", "<script>alert(1)</script>", "a`b*c"])
def test_what_a_user_wrote_stays_as_it_is(hostile: str) -> None:
    assert plain_words(f"name {plain(hostile)} end") == f"name {hostile} end"
    assert plain_words(f"run `{plain(hostile)}` now") == f"run {hostile} now"
    assert "<script>" not in html_words(plain(hostile))


@pytest.mark.property
@given(st.text(max_size=60))
def test_any_text_survives(text: str) -> None:
    assert plain_words(plain(text)) == text


def test_latex_and_markdown_escape_what_is_theirs() -> None:
    assert latex_text("50 % of a_b & {c} $d$ #1 ~^\\") == (
        r"50 \% of a\_b \& \{c\} \$d\$ \#1 \textasciitilde{}\textasciicircum{}\textbackslash{}"
    )
    assert latex_text("≤ ± →") == r"$\le$ $\pm$ $\to$"
    assert markdown_text("a|b*c\nd") == r"a\|b\*c d"
