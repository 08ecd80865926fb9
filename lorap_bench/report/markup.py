"""Words into a form: the few marks of the document's paragraphs, and everything else escaped."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "html_words",
    "latex_text",
    "latex_words",
    "markdown_code",
    "markdown_text",
    "markdown_words",
    "one_line",
    "plain_words",
    "shortened",
]

# A mark, or a character that `plain` kept from being one, or anything else.
_TOKEN = re.compile(
    r"\\(?P<kept>[\\`*\[\]])|\*\*(?P<bold>.+?)\*\*|`(?P<code>(?:\\.|[^`])+)`|\[(?P<text>[^\]]+)\]\(#(?P<to>[\w-]+)\)"
)
_KEPT = re.compile(r"\\([\\`*\[\]])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "≤": r"$\le$", "≥": r"$\ge$", "±": r"$\pm$", "→": r"$\to$", "–": "--", "·": r"$\cdot$", "×": r"$\times$",
    "≈": r"$\approx$", "−": "$-$", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "₂": r"$_2$", "²": r"$^2$", "’": "'",
    "…": r"\dots{}", "“": "``", "”": "''", "\0": "{}",
}  # fmt: skip


def html_words(text: str) -> str:
    """Return a paragraph as HTML."""
    return _written(text, html.escape, "<strong>{}</strong>", "<code>{}</code>", '<a href="#{1}">{0}</a>')


def markdown_words(text: str) -> str:
    """Return a paragraph as Markdown."""
    return _written(text, markdown_text, "**{}**", "{}", "[{0}](#{1})", code_escape=markdown_code)


def latex_words(text: str) -> str:
    """Return a paragraph as LaTeX."""
    return _written(text, latex_text, r"\textbf{{{}}}", r"\texttt{{{}}}", "{0}")


def plain_words(text: str) -> str:
    """Return a paragraph without its marks."""
    return _written(text, str, "{}", "{}", "{0}")


def markdown_text(text: str) -> str:
    """Return a user's text so that Markdown shows it as it is, in a table too."""
    return re.sub(r"([\\`*_\[\]<>|#&~$])", r"\\\1", one_line(text))


def markdown_code(text: str) -> str:
    """Return a text as code inside a line of Markdown, whatever backticks it holds."""
    line = one_line(text)
    fence = "`" * (max((len(run) for run in re.findall(r"`+", line)), default=0) + 1)
    return f"{fence} {line} {fence}" if "`" in line else f"{fence}{line}{fence}"


def latex_text(text: str) -> str:
    """Return a text so that LaTeX shows it as it is."""
    apart = re.sub(r"([-,<>`'])(?=\1)", "\\1\0", one_line(text))  # else two of them become one sign
    return "".join(_LATEX.get(character, character) for character in apart)


def one_line(text: str) -> str:
    """Return a text without line breaks and other control characters."""
    return _CONTROL.sub(" ", text)


def shortened(text: str, most: int) -> str:
    """Return a text of at most ``most`` characters, the rest as an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _written(  # noqa: PLR0913, PLR0917 - one pattern a mark
    text: str,
    escape: Callable[[str], str],
    bold: str,
    code: str,
    link: str,
    code_escape: Callable[[str], str] | None = None,
) -> str:
    parts, end = [], 0
    for found in _TOKEN.finditer(text):
        parts.append(escape(text[end : found.start()]))
        end = found.end()
        if found["kept"]:
            parts.append(escape(found["kept"]))
        elif found["bold"]:
            parts.append(bold.format(escape(_KEPT.sub(r"\1", found["bold"]))))
        elif found["code"]:
            parts.append(code.format((code_escape or escape)(_KEPT.sub(r"\1", found["code"]))))
        else:
            parts.append(link.format(escape(found["text"]), found["to"]))
    parts.append(escape(text[end:]))
    return "".join(parts)
