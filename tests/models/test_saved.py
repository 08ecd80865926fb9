"""Saved models: the same logits bit for bit, in another process too; everything else is refused clearly."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import safetensors.torch
import torch
from torch import Tensor

from lorap_bench.config import ModelConfig, OptimConfig, PromptConfig, QuantConfig, TaskConfig, TrialConfig
from lorap_bench.data.load import load_task
from lorap_bench.errors import ConfigError, StoreError
from lorap_bench.kernels.threads import one_thread
from lorap_bench.models.integer import integer_model
from lorap_bench.models.saved import Trained, load_model, read_integers, save_model
from lorap_bench.models.saved.files import checksum, identity
from lorap_bench.quant.affine import WeightQuantizer
from lorap_bench.testing import graph_task, node_task, sparse_task
from lorap_bench.train import Member, fit
from lorap_bench.train.feed import make_feed

if TYPE_CHECKING:
    from lorap_bench.data.task import GraphTask

TASKS = {"node": node_task(), "sparse": sparse_task(), "graph": graph_task()}
BASE = TrialConfig(
    task=TaskConfig(batch_size=8),
    model=ModelConfig(hidden=8, heads=2, dropout=0.2),
    quant=QuantConfig(bits=4, search_epochs=2, pretrain_epochs=1, groups=20, p_max=0.3),
    prompt=PromptConfig(count=4, rank=2, lr=0.1),
    optim=OptimConfig(epochs=3),
)
LORAP = {"kind": "LoRAP"}
CASES: dict[str, dict[str, Any]] = {
    "GCN QAT LoRAP": {"prompt": LORAP},
    "GCN QAT LoRAP late": {"prompt": LORAP | {"inject": "post_requant"}},
    "GIN DegreeQuant": {"model": {"arch": "GIN"}, "quant": {"scheme": "DegreeQuant"}},
    "GCN A2Q": {"quant": {"scheme": "A2Q"}},
    "GIN A2Q all": {"model": {"arch": "GIN"}, "quant": {"scheme": "A2Q", "sites": "all", "step_init": "calibrated"}},
    "GCN MixQ": {"quant": {"scheme": "MixQ", "protect": True}},
    "GCN FP32": {"quant": {"scheme": "FP32"}, "prompt": LORAP},
    "GIN batch norm": {"model": {"arch": "GIN", "batch_norm": True, "head": "mlp", "readout": "max"}},
    "GIN residual": {"model": {"arch": "GIN", "layers": 4, "residual": True}},
    "GAT QAT": {"model": {"arch": "GAT"}, "prompt": {"kind": "GPFPlus"}},
    "GAT A2Q": {"model": {"arch": "GAT"}, "quant": {"scheme": "A2Q"}},
    "SAGE stochastic": {"model": {"arch": "SAGE"}, "quant": {"rounding": "stochastic", "messages": True}},
    "GCN per channel": {
        "quant": {"weight_per_channel": True, "observer": "Percentile"},
        "prompt": {"kind": "GPFLoRAP"},
    },
}
COVERED = (
    "GCN QAT LoRAP",
    "GCN QAT LoRAP late",
    "GIN DegreeQuant",
    "GIN batch norm",
    "GIN residual",
    "GCN per channel",
)


def configure(**sections: dict[str, Any]) -> TrialConfig:
    return replace(BASE, **{name: replace(getattr(BASE, name), **fields) for name, fields in sections.items()})


@cache
def trained(case: str, level: str, members: int = 1) -> Trained:
    """Train a case; the member to save is the last."""
    config = configure(**CASES[case])
    with one_thread():
        cohort = fit(TASKS[level], [Member(config, seed) for seed in range(members)]).cohort
    return Trained(cohort.plan, cohort.network, seed=members - 1, member=members - 1)


@torch.no_grad()
def logits_of(found: Trained, task: GraphTask) -> Tensor:
    """Return the logits on everything, as evaluation in training computes them."""
    store = make_feed(task, found.plan).store
    batch = store.whole if task.level == "node" else store.batch(torch.arange(task.graph_ptr.numel() - 1))
    network = found.network.eval()
    with one_thread():
        logits: Tensor = network(network.prepare(batch))
    return logits[found.member]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a saved model."""
    save_model(tmp_path / "model", trained("GCN QAT LoRAP", "node"), {})
    return tmp_path / "model"


def edit(folder: Path, *, whole: bool = True, **changes: Any) -> None:
    """Change entries of ``config.json``; ``whole`` brings its hash up to date."""
    path = folder / "config.json"
    config = json.loads(path.read_text()) | changes
    path.write_text(json.dumps(config | ({"identity": identity(config)} if whole else {})))


@pytest.mark.parametrize("level", sorted(TASKS))
@pytest.mark.parametrize("case", sorted(CASES))
def test_a_loaded_model_gives_the_same_logits_bit_for_bit(case: str, level: str, tmp_path: Path) -> None:
    found, task = trained(case, level), TASKS[level]
    config = save_model(tmp_path / "model", found, {"study": "mine"})
    saved = load_model(tmp_path / "model")
    assert torch.equal(saved.predict(task), logits_of(found, task))
    assert torch.equal(saved.predict(task, task.splits["val"]), logits_of(found, task)[task.splits["val"]])
    assert (saved.seed, saved.plan.digest, saved.about["study"]) == (found.seed, found.plan.digest, "mine")
    assert not any(parameter.requires_grad for parameter in saved.network.parameters())
    assert (config["integer"]["file"] is not None) == (case in COVERED)


@pytest.mark.parametrize("case", ["GCN QAT LoRAP", "GCN MixQ", "GCN A2Q"])
def test_one_member_of_several_is_saved_as_it_would_be_alone(case: str, tmp_path: Path) -> None:
    several = trained(case, "node", members=3)
    save_model(tmp_path / "model", several, {})
    saved = load_model(tmp_path / "model")
    assert saved.seed == 2
    assert torch.equal(saved.predict(TASKS["node"]), logits_of(several, TASKS["node"]))
    assert not torch.equal(saved.predict(TASKS["node"]), logits_of(replace(several, member=0), TASKS["node"]))
    tensors = safetensors.torch.load_file(tmp_path / "model" / "model.safetensors")
    assert {name: value[2].shape for name, value in several.network.state_dict().items()} == {
        name: value.shape for name, value in tensors.items()
    }


def test_another_process_predicts_the_same_without_the_data_of_the_training(tmp_path: Path) -> None:
    found = trained("GIN DegreeQuant", "graph")
    save_model(tmp_path / "model", found, {})
    code = (
        "import sys, torch; from pathlib import Path; from lorap_bench.models.saved import load_model; "
        "from lorap_bench.testing.tasks import graph_task; folder = Path(sys.argv[1]); "
        "torch.save(load_model(folder / 'model').predict(graph_task()), folder / 'logits.pt'); "
        "print(sorted({'ray', 'optuna', 'plotly', 'pydantic', 'typer', 'rich', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert torch.equal(torch.load(tmp_path / "logits.pt"), logits_of(found, TASKS["graph"]))


@pytest.mark.parametrize("case", COVERED)
@pytest.mark.parametrize("level", ["node", "graph"])
def test_integers_are_those_of_the_integer_network(case: str, level: str, tmp_path: Path) -> None:
    found = trained(case, level)
    config = save_model(tmp_path / "model", found, {})
    tensors = read_integers(tmp_path / "model")
    model = integer_model(found.network, found.member)
    again = integer_model(load_model(tmp_path / "model").network)
    batch = make_feed(TASKS[level], found.plan).calibration()
    for site, coded in model.codes(batch).items():
        assert torch.equal(coded.codes, again.codes(batch)[site].codes), site
        assert torch.equal(tensors[f"{site}.scale"], coded.scale), site
        assert torch.equal(tensors[f"{site}.zero"], coded.zero), site
        assert coded.codes.min() >= tensors[f"{site}.low"]
        assert coded.codes.max() <= tensors[f"{site}.high"]
    for site, coded in model.weights.items():
        assert torch.equal(tensors[f"{site}.codes"], coded.codes), site
    assert set(config["integer"]["bits"]) == {name.rpartition(".")[0] for name in tensors}
    assert config["integer"]["bytes"]["full"] == 4 * sum(coded.codes.numel() for coded in model.weights.values())


def test_codes_and_scales_are_the_weights_that_the_network_computes_with(folder: Path) -> None:
    found, tensors = trained("GCN QAT LoRAP", "node"), read_integers(folder)
    conv: Any = found.network.convs[0]
    quantizer = conv.quantizer("weight")
    assert isinstance(quantizer, WeightQuantizer)
    site = "layers.0.weight"
    values = (tensors[f"{site}.codes"] - tensors[f"{site}.zero"].float()) * tensors[f"{site}.scale"]
    assert torch.equal(values, quantizer(conv.weight)[0])


def test_a_folder_may_be_named_by_text(tmp_path: Path) -> None:
    folder, found = str(tmp_path / "model"), trained("GCN QAT LoRAP", "node")
    save_model(folder, found, {})
    assert load_model(folder).plan.digest == found.plan.digest
    assert "layers.0.weight.codes" in read_integers(folder)


def test_a_model_without_an_integer_form_says_why(tmp_path: Path) -> None:
    config = save_model(tmp_path / "model", trained("GCN A2Q", "node"), {})
    assert config["integer"]["file"] is None
    assert config["integer"]["reasons"][0].startswith("quant.scheme: integers stand for values on a fixed affine grid")
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["config.json", "model.safetensors"]
    with pytest.raises(StoreError, match=r"no integer form: quant\.scheme: integers stand"):
        read_integers(tmp_path / "model")


def test_the_same_model_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    save_model(tmp_path / "again", trained("GCN QAT LoRAP", "node"), {})
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_a_real_task_and_its_raw_features(tmp_path: Path) -> None:
    task = load_task(TaskConfig())  # the embedded digits
    config = configure(model={"arch": "GIN", "batch_norm": True}, optim={"epochs": 1}, task={"batch_size": 64})
    with one_thread():
        fitted = fit(task.without_test(), [Member(config, 5)])
    save_model(tmp_path / "model", Trained(fitted.cohort.plan, fitted.cohort.network, 5), {})
    rows = task.splits["val"]
    chosen = load_model(tmp_path / "model").predict(task, rows).argmax(1)
    assert float((chosen == task.y[rows]).sum() / rows.numel()) == fitted.trainees[0].val


@pytest.mark.parametrize("name", ["model.safetensors", "integer.safetensors"])
def test_a_damaged_file_is_told(folder: Path, name: str) -> None:
    def read() -> object:
        return load_model(folder) if name == "model.safetensors" else read_integers(folder)

    path, whole = folder / name, (folder / name).read_bytes()
    for data in (b"", b"nothing", whole[:100], whole[:-1]):
        path.write_bytes(data)
        with pytest.raises(StoreError, match=rf"{name}: damaged: no safetensors file"):
            read()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(StoreError, match=rf"{name}: not the file that config.json was written with"):
        read()
    path.unlink()
    with pytest.raises(StoreError, match=rf"{name}: cannot read: No such file"):
        read()


def test_tensors_of_another_model_are_told(folder: Path) -> None:
    path = folder / "model.safetensors"
    own = safetensors.torch.load_file(path)
    name = "convs.0.weight"
    cases = {
        r"1 tensors of the model are missing, first 'convs.0.weight'; did you mean 'convs.0.weigth'": {
            **{key: value for key, value in own.items() if key != name},
            "convs.0.weigth": own[name],
        },
        r"1 tensors are not the model's, first 'more'": own | {"more": torch.zeros(1)},
        r"convs.0.weight: is float32 \[1\], the model has float32 \[12, 8\]": own | {name: torch.zeros(1)},
        r"convs.0.weight: is float64 \[12, 8\]": own | {name: own[name].double()},
    }
    for said, tensors in cases.items():
        data = safetensors.torch.save(tensors)
        path.write_bytes(data)
        edit(folder, sha256={"model.safetensors": checksum(data)})
        with pytest.raises(StoreError, match=said):
            load_model(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "another"}, "does not describe a model that `lorap-bench model` saved"),
        ({"schema_version": 2}, "model of schema 2, this version reads 1"),
        ({"digest": "0" * 16}, "this version trains that configuration otherwise"),
        ({"shape": {}}, r"does not fit this version \(.*missing 7 required"),
        ({"config": {"model": {"hiden": 3}}}, r"does not fit this version \(.*unexpected keyword argument 'hiden'"),
        ({"config": {"quant": {"scheme": "QTA"}}}, "unknown scheme; got 'QTA'"),
        ({"sha256": None}, "damaged: no SHA-256 of model.safetensors"),
    ],
)
def test_a_description_of_something_else_is_told(folder: Path, change: dict[str, Any], said: str) -> None:
    edit(folder, **change)
    with pytest.raises((StoreError, ConfigError), match=said):
        load_model(folder)


def test_a_damaged_description_is_told(folder: Path) -> None:
    edit(folder, whole=False, seed=9)
    with pytest.raises(StoreError, match="damaged: not all of config, shape, seed are as they were saved"):
        load_model(folder)
    edit(folder, whole=False, seed=float("nan"))
    with pytest.raises(StoreError, match="damaged: not all of"):
        load_model(folder)
    path = folder / "config.json"
    path.write_text("{")
    with pytest.raises(StoreError, match=r"config\.json: damaged"):
        load_model(folder)
    path.unlink()
    with pytest.raises(StoreError, match=r"no model here: there is no config\.json"):
        load_model(folder)
    with pytest.raises(StoreError, match="no model here"):
        load_model(folder / "nowhere")


def test_graphs_that_the_model_cannot_read_are_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"task\.level: the model was trained on communities; got 'graph'") as caught:
        load_model(folder).predict(TASKS["graph"])
    assert [fault.path for fault in caught.value.faults] == ["task.level", "task.features"]
    other = node_task(nodes=40)
    assert load_model(folder).predict(other).shape == (40, 3)
    save_model(tmp_path / "rows", trained("GCN A2Q", "node"), {})
    with pytest.raises(ConfigError, match=r"task\.nodes: the model was trained on communities; got 40; allowed: 60"):
        load_model(tmp_path / "rows").predict(other)


def test_the_current_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match="is the current folder; name another"):
        save_model(Path(), trained("GCN QAT LoRAP", "node"), {})


def test_a_folder_that_is_taken_is_refused(folder: Path, tmp_path: Path) -> None:
    other = trained("GIN DegreeQuant", "graph")
    with pytest.raises(StoreError, match="a model is saved here already; --force replaces it"):
        save_model(folder, other, {})
    assert load_model(folder).plan.shape.level == "node"
    save_model(folder, other, {}, replace=True)
    assert load_model(folder).plan.shape.level == "graph"
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match=r"the folder holds 'notes\.txt', which is not a saved model's"):
        save_model(folder, other, {}, replace=True)
    assert (folder / "notes.txt").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    save_model(tmp_path / "empty", other, {})
    alien = tmp_path / "alien"
    alien.mkdir()
    (alien / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(StoreError, match="does not describe a model that `lorap-bench model` saved"):
        save_model(alien, other, {}, replace=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot read: Not a directory"):
        save_model(tmp_path / "file", other, {})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alien", "empty", "file", "model"]
