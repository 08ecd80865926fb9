"""Strings that a form may take for its own marks."""

from __future__ import annotations

HOSTILE = (
    "</script><script>alert('x')</script>",
    "\"quotes\" 'and' `ticks` ``` more ````",
    "a|b\\|c | d",
    "50 % of a_b^c~d #1 & $x$ {y} \\end{table} \\input{/etc/passwd}",
    "[link](http://example.org) ![image](x) **bold** *it* <!-- no -->",
    "first\nsecond\r\nthird\x1b[31m\x00\u2028# heading\n- list\n| a | b |\n| - | - |",
    "Größe 数量 🚀 − ‰ α",
    "--set x=1 --- ,, << >> '' ?`",
    "x" * 10_000,
    "[0] first",
    "*",
    "=1+1",
)
