"""One row a stage: what it says is what dvc.yaml, the files in stages/ and params.yaml say.

Run with: python -m pytest tests/pipeline/test_stage_registry.py
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipeline import stage_registry
from pipeline.errors import ParamsError
from pipeline.params import file
from pipeline.stage_registry import STAGES, remake

ROOT = Path(__file__).resolve().parents[2]
FILE = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text("utf-8"))
DVC = FILE["stages"]
KEY = re.compile(r"\$\{item\.(\w+)\}")
SCORED = {"machine.precision", "machine.engine", "machine.labelling_tokens"}
MACHINE = {
    "trains": {*SCORED, "machine.shards"},
    "scores": SCORED,
    "light": set(),
}
"""Parameters of the machine that decide the bytes of a stage, by its work."""


def test_rows_blocks_and_files_are_the_same_in_the_same_order() -> None:
    assert list(DVC) == list(STAGES)
    files = {path.stem for path in (ROOT / "stages").glob("[!_]*.py")}
    assert files >= set(STAGES)


@pytest.mark.parametrize("name", STAGES)
def test_a_row_says_what_dvc_yaml_says(name: str) -> None:
    row, block = STAGES[name], DVC[name]
    matrix = {key: f"${{{where}}}" for key, where in row.keys.items()}
    assert list(block.get("matrix", {}).items()) == list(matrix.items())
    assert [KEY.sub(r"{\1}", out) for out in block["outs"]] == list(row.outputs)
    assert block["desc"] == row.does
    assert block["cmd"] == f"python -m stages.{name}" + (" ${item}" if row.keys else "")
    machine = {key for key in block.get("params", []) if key.startswith("machine.")}
    assert machine == MACHINE[row.work]
    assert name == stage_registry.CODE or f"data/code/{name}" in block["deps"]


@pytest.mark.parametrize("name", STAGES)
def test_file_and_help_of_a_stage_begin_with_its_purpose(name: str) -> None:
    module = importlib.import_module(f"stages.{name}")
    (command,) = module.app.registered_commands
    begins = [str(text).partition("\n")[0] for text in (module.__doc__, command.callback.__doc__)]
    assert begins == [STAGES[name].does] * 2


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_no_file_of_parameters_or_code(name: str) -> None:
    """Both would rerun it for what does not concern it."""
    deps = DVC[name]["deps"]
    assert "params.yaml" not in deps
    assert name == stage_registry.CODE or not {"pipeline", "stages"} & set(deps)


@pytest.mark.parametrize("name", STAGES)
def test_a_command_takes_the_keys_of_its_row(name: str) -> None:
    app = importlib.import_module(f"stages.{name}").app
    (command,) = app.registered_commands
    assert list(inspect.signature(command.callback).parameters) == list(STAGES[name].keys)


@pytest.mark.parametrize("name", [name for name, row in STAGES.items() if row.keys])
def test_a_command_checks_its_names_by_the_registry(name: str, monkeypatch: Any) -> None:
    monkeypatch.chdir(ROOT)
    (command,) = importlib.import_module(f"stages.{name}").app.registered_commands
    with pytest.raises(ParamsError, match="no such name under"):
        command.callback(**dict.fromkeys(STAGES[name].keys, "nobody"))


@pytest.mark.parametrize("name", STAGES)
def test_what_trains_or_scores_runs_side_by_side_and_has_a_batch_size(name: str) -> None:
    row = STAGES[name]
    assert (row.work != "light") == bool(row.side_by_side) == bool(row.batch)
    params = file.check(file.read_yaml(ROOT / "params.yaml"))
    for section in row.batch[-1:]:
        assert getattr(params, section).batch_size


def test_student_and_soft_labels_are_artifacts() -> None:
    named = {about["path"]: about for about in FILE["artifacts"].values()}
    soft_labels = stage_registry.output("ensemble", task="rte").parent
    assert set(named) == {str(stage_registry.output("distil")), str(soft_labels)}
    assert all(about["type"] and about["labels"] for about in named.values())


def test_dvc_yaml_is_short() -> None:
    assert len((ROOT / "dvc.yaml").read_text("utf-8").splitlines()) <= 300


def needs(stage: str, other: str) -> bool:
    """Whether a dependency in dvc.yaml is an output of the other stage, above or below one."""
    paths = (
        (KEY.sub("*", dep), KEY.sub("*", out))
        for dep in DVC[stage]["deps"]
        for out in DVC[other]["outs"]
    )
    return any(
        f"{dep}/".startswith(f"{out}/") or f"{out}/".startswith(f"{dep}/") for dep, out in paths
    )


def test_stages_come_after_those_they_need_and_side_by_side_need_none_of_each_other() -> None:
    assert needs("teach", "prepare")
    assert needs("ensemble", "label")
    names = list(STAGES)
    assert [pair for pair in combinations(names, 2) if needs(*pair)] == []
    groups = stage_registry.SIDE_BY_SIDE
    assert [name for group in groups for name in group] == [
        n for n in names if STAGES[n].side_by_side
    ]
    assert [group for group in groups if any(needs(*pair) for pair in product(group, group))] == []


def test_instances_and_outputs(tiny_params: Any) -> None:
    assert stage_registry.instances("teach", tiny_params) == [
        "teach@rte-m1-all",
        "teach@stsb-m1-all",
    ]
    assert stage_registry.instances("distil", tiny_params) == ["distil"]
    assert stage_registry.instances("tune", tiny_params) == []
    names = {"task": "rte", "member": "m1", "fold": "all"}
    assert stage_registry.instance("teach", tiny_params, **names) == "teach@rte-m1-all"
    assert stage_registry.output("teach", **names) == Path("data/teachers/rte/m1/all")
    assert stage_registry.output("prepare", 1, task="rte") == Path("data/transfer/rte")
    assert "data/teachers/TASK/MEMBER/FOLD" in dict(stage_registry.outputs())


def test_what_lies_where_fits_80_columns() -> None:
    places = [*stage_registry.outputs()]
    width = max(len(place) for place, _ in places)
    assert max(2 + width + 2 + len(holds) for _, holds in places) <= 80


def test_an_unknown_name_is_refused_with_those_there_are(tiny_params: Any) -> None:
    with pytest.raises(ParamsError, match=r"teachers\.folds; there are: all") as error:
        stage_registry.instance("teach", tiny_params, task="rte", member="m1", fold="2")
    assert "seen: 2\n  where: params.yaml" in str(error.value)


@pytest.mark.parametrize(
    ("path", "instance"),
    [
        ("data/teachers/rte/m1/all", "teach@rte-m1-all"),
        ("data/teachers/rte/m1/all/encoder/model.safetensors", "teach@rte-m1-all"),
        ("data/soft_labels/rte.parquet", "ensemble@rte"),
        ("data/transfer/rte/transfer.parquet", "prepare@rte"),
        ("data/student", "distil"),
        ("data/students", None),
        ("data/teachers/rte/m1", None),
        ("data", None),
        ("/data/student", None),
    ],
)
def test_the_stage_that_makes_a_path(path: str, instance: str | None) -> None:
    assert stage_registry.maker(Path(path)) == instance


MAKERS = {
    "data/teachers/rte/m1/all": "teach@rte-m1-all",
    "data/feature_teachers/rte": "feature_teachers",
    "data/student": "distil",
    "data/baseline/steps": "baseline@steps",
    "data/budgets/steps.json": "budget@steps",
    "data/refined/c1": "refine@c1",
    "data/tuned/rte": "tune@rte",
    "data/selected/1": "select",
    "data/initial_encoders/m1": "initialize@m1",
    "data/logits/rte/m1/1/transfer": "label@rte-m1-1",
}


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize(("folder", "stage"), MAKERS.items())
def test_the_remedy_names_the_stage_that_makes_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, stage: str, absolute: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in (Path(folder), Path(folder) / "file"):
        path = path.absolute() if absolute else path
        assert remake(path) == f"dvc repro {stage}"
        assert remake(path, force=True) == f"dvc repro --single-item --force {stage}"


@pytest.mark.parametrize(
    "folder", [".", "data", "data/teachers", "data/teachers/rte/m1", "data/other", "student", "/x"]
)
def test_a_path_of_no_stage_has_no_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for force in (False, True):
        assert remake(Path(folder), force=force).startswith("name another folder")


def test_no_text_spells_a_remedy_by_hand() -> None:
    """`remake` alone knows the command that makes a stage's output again."""
    spelled = [
        (path.name, node.lineno, node.value)
        for folder in ("pipeline", "stages", "experiments", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for words in re.findall(r"dvc repro((?: --?[\w-]+| \w+(?=[@,\s]|$))+)", node.value)
        if {*words.split()} & set(STAGES)
    ]
    assert spelled == []
