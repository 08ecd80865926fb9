"""The shapes of text in a study file, each with the words that explain it."""

from __future__ import annotations

__all__ = ["NAME", "RULE", "WORDS"]

NAME = r"^[a-z0-9][a-z0-9._-]*$"
RULE = r"^\s*(<=|>=)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*$"
WORDS = {
    NAME: "small letters, digits, dots, dashes and underscores, first a letter or digit",
    RULE: '"<= number" or ">= number"',
}
