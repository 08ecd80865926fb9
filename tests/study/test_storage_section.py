from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from lorap_bench.errors import ConfigError
from lorap_bench.study.file import load_study
from lorap_bench.study.sections import StorageSpec
from tests.search.synthetic import make_spec

if TYPE_CHECKING:
    from pathlib import Path

    from lorap_bench.study.catalog import Catalog

GOOD = [
    "postgresql+psycopg://user@host/base",
    "postgresql://user:${PW}@host:5433/base?sslmode=require",
    "postgresql+psycopg://${USER}:${A}${B}@${HOST}/base",
    "postgresql://host/base",
    "${DATABASE_URL}",
]
GIVEN_AWAY = [
    "postgresql+psycopg://user:hunter2@host/base",
    "postgresql+psycopg://user:${PW}hunter2@host/base",
    "postgresql+psycopg://user:hun@ter2@host/base",
    "postgresql+psycopg://host/base?user=me&password=hunter2",
]


@pytest.mark.parametrize("url", GOOD)
def test_an_address_without_a_password_is_taken(url: str) -> None:
    assert StorageSpec(kind="postgresql", url=url).url == url


@pytest.mark.parametrize("url", GIVEN_AWAY)
def test_a_password_is_refused_and_not_shown(tmp_path: Path, catalog: Catalog, url: str) -> None:
    with pytest.raises(ValidationError, match="a password does not belong in a study file"):
        StorageSpec(kind="postgresql", url=url)
    path = tmp_path / "study.toml"
    path.write_text(STUDY.format(url=url), encoding="utf-8")
    with pytest.raises(ConfigError, match="a password does not belong") as told:
        load_study(path, catalog=catalog)
    assert "hun" not in str(told.value)
    assert "ter2" not in str(told.value)


@pytest.mark.parametrize(
    ("kind", "url"),
    [("postgresql", ""), ("journal", GOOD[0]), ("postgresql", "mysql://host/base"), ("sqlite", GOOD[0])],
)
def test_kind_and_address_go_together(kind: str, url: str) -> None:
    with pytest.raises(ValidationError, match="url"):
        StorageSpec.model_validate({"kind": kind, "url": url})


def test_where_a_study_is_remembered_makes_it_no_other() -> None:
    plain = make_spec()
    assert make_spec(storage={"kind": "sqlite"}).identity == plain.identity
    assert make_spec(storage={"kind": "postgresql", "url": GOOD[0], "lease_seconds": 5.0}).identity == plain.identity


STUDY = """
version = 1
name = "remembered"
objectives = ["accuracy"]
[space]
"quant.bits" = {{ choices = [2, 4] }}
[budget]
trials = 2
[storage]
kind = "postgresql"
url = "{url}"
"""
