"""The shapes of text in a study file, each with the words that explain it."""

from __future__ import annotations

__all__ = ["GIVEN_AWAY", "NAME", "RULE", "URL", "WORDS"]

NAME = r"^[a-z0-9][a-z0-9._-]*$"
RULE = r"^\s*(<=|>=)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*$"
URL = r"^(postgresql(\+psycopg)?://\S*|\$\{[A-Za-z_][A-Za-z0-9_]*\})$"
GIVEN_AWAY = r"://[^:/@]*:(?!(\$\{[A-Za-z_][A-Za-z0-9_]*\})*@)\S*@|[?&]password="
"""An address with a password that is not an environment variable's."""
WORDS = {
    NAME: "small letters, digits, dots, dashes and underscores, first a letter or digit",
    RULE: '"<= number" or ">= number"',
}
