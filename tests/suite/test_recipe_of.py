from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lorap_bench.config import TrialConfig
from lorap_bench.data.load import load_task
from lorap_bench.errors import ConfigError
from lorap_bench.models.blueprint import blueprint, shape_of
from lorap_bench.study.recipe import load_recipe
from lorap_bench.suite.recipe_of import recipe_of
from tests.suite.sittings import run
from tests.suite.test_tuning import TUNE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lorap_bench.suite.sitting import Sitting

    Sit = Callable[..., Sitting]


@pytest.mark.parametrize("scheme", ["QAT", "A2Q"])
def test_a_tuned_cell_is_a_recipe_that_trains_alike(sit: Sit, text: str, tmp_path: Path, scheme: str) -> None:
    sitting = sit(text + TUNE, f"scheme={scheme},prompt=LoRAP")
    assert run(sitting)
    (result,) = sitting.results.values()
    assert result.tuning is not None
    path = tmp_path / f"ours-{scheme.lower()}-lorap-gcn-digits.toml"
    path.write_text(recipe_of(sitting.folder, [f"scheme={scheme},prompt=LoRAP"]), encoding="utf-8")
    recipe = load_recipe(path)
    trained = TrialConfig.from_mapping(result.records[0].config)
    shape = shape_of(load_task(trained.task))
    assert blueprint(recipe.base, shape).digest == blueprint(trained, shape).digest
    assert recipe.settings["optim.lr"] == result.tuning.params["optim.lr"]
    assert recipe.settings["prompt.rank"] == result.tuning.params["prompt.rank"]
    assert recipe.spec.evidence == "confirmed here"
    tests = [member.test for _, member in result.members]
    assert f"2 fresh seeds: test accuracy {sum(map(float, map(str, tests))) / 2:.4f}" in recipe.spec.protocol


def test_only_one_finished_tuned_cell_becomes_a_recipe(sit: Sit, text: str) -> None:
    plain = sit(text, "scheme=QAT,prompt=None")
    assert run(plain)
    with pytest.raises(ConfigError, match="must choose one cell; got 'QAT None, QAT LoRAP, A2Q None, A2Q LoRAP'"):
        recipe_of(plain.folder, [])
    with pytest.raises(ConfigError, match="the cell was not tuned; got 'QAT None'"):
        recipe_of(plain.folder, ["scheme=QAT,prompt=None"])
    with pytest.raises(ConfigError, match="the cell is not finished; got 'A2Q None'"):
        recipe_of(plain.folder, ["scheme=A2Q,prompt=None"])
