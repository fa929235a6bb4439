"""The ensemble stage: which members, folds and transfer rows enter, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from pipeline import paths
from pipeline.data import folds, row_tables, rows
from pipeline.errors import DataError, ParamsError, SoftLabelError
from pipeline.runtime import artifacts
from pipeline.soft_labels import logits, store
from pipeline.tasks import GLUE
from stages import ensemble

pytestmark = pytest.mark.medium

ROOT = Path(__file__).resolve().parents[2]
RTE = GLUE["rte"]
PREPARED = ("train", "dev", "test")


def prepared(split: str, count: int) -> rows.Rows:
    records = [
        {
            "row_id": rows.row_id("rte", split, at),
            "index": at,
            "sentence1": f"{split} {at}",
            "sentence2": "b",
            "label": None if split in ("test", "transfer") else at % 2,
            "text_hash": rows.text_hash(f"{split} {at}", "b"),
        }
        for at in range(count)
    ]
    about = {**row_tables.describe(RTE), "schema_version": rows.SCHEMA_VERSION, "split": split}
    table = pa.Table.from_pylist(records, schema=rows.schema(RTE))
    return rows.Rows(table, {**about, "official_rows": None})


def add_teacher(
    name: str,
    splits: dict[str, rows.Rows],
    shift: float,
    score: float,
    fold: str = "all",
    names: tuple[str, ...] = ("all",),
) -> None:
    """One teacher's logits (shift, 0) for every row, those of transfer rows in their own file."""
    blind = folds.held_out(splits["train"], len(names))
    fingerprint = folds.fingerprint(folds.outside(splits["train"], fold, blind))
    model = {"name": name, "dev": {"dev": {"accuracy": score}}, "weights_sha256": name + fold}
    model |= {"fold": fold, "folds": list(names), "seen": fingerprint}
    for path, of in (
        (
            paths.prepared_logits("rte", name, fold),
            {k: v for k, v in splits.items() if k in PREPARED},
        ),
        (
            paths.transfer_logits("rte", name, fold),
            {k: v for k, v in splits.items() if k not in PREPARED},
        ),
    ):
        values = {k: np.tile([shift, 0.0], (len(part), 1)) for k, part in of.items()}
        if of:
            logits.write(path, of, values, model)


@pytest.fixture
def splits() -> dict[str, rows.Rows]:
    return {"train": prepared("train", 4), "dev": prepared("dev", 2), "test": prepared("test", 1)}


@pytest.fixture
def project(tmp_path, monkeypatch, splits) -> Path:
    """A project with prepared RTE rows and logits of two members: softmax 3/4 and 1/2."""
    monkeypatch.chdir(tmp_path)
    set_params()
    for split, part in splits.items():
        rows.write(paths.prepared("rte") / f"{split}.parquet", part.table, part.metadata)
    add_teacher("m1", splits, np.log(3.0), 0.2)
    add_teacher("m2", splits, 0.0, 0.6)
    return tmp_path


def set_params(*members: str, rule: str = "mean_probability", **changes: object) -> None:
    """Params with these members, and changes as `ensemble__members=["m1"]`."""
    yaml = YAML()
    params = yaml.load((ROOT / "profiles" / "sample.yaml").read_text(encoding="utf-8"))
    names = members or ("m1", "m2")
    params["teachers"]["members"] = {name: {"seed": at} for at, name in enumerate(names)}
    params["ensemble"]["rule"] = rule
    for path, value in changes.items():
        *sections, key = path.split("__")
        inner = params
        for section in sections:
            inner = inner[section]
        inner[key] = value
    with Path("params.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(params, file)


def run(task: str = "rte", **further: rows.Rows) -> store.SoftLabels:
    CliRunner().invoke(ensemble.app, ["--task", task], catch_exceptions=False)
    folder = paths.prepared(task)
    splits = {} if rows.absent(folder) else rows.read_splits(folder)
    return store.read(paths.soft_labels(task), {**splits, **further})


@pytest.mark.parametrize(
    ("rule", "first"),
    [("mean_probability", 0.625), ("mean_logit", 0.633975), ("dev_weighted", 0.5625)],
)
def test_writes_soft_labels_of_every_split(project, rule, first):
    set_params(rule=rule)
    soft_labels = run()
    assert soft_labels.rule == rule
    assert soft_labels.task.rows == {"train": 4, "dev": 2, "test": 1}
    assert soft_labels.probabilities[:, 0] == pytest.approx(np.full(7, first), abs=1e-6)


def test_a_member_taken_out_leaves_no_ghost(project, splits):
    add_teacher("m3", splits, 5.0, 0.9)
    set_params("m1", "m2", "m3")
    assert run().members == ("m1", "m2", "m3")
    set_params("m2")
    assert paths.prepared_logits("rte", "m3", "all").exists()
    soft_labels = run()
    assert soft_labels.members == ("m2",)
    assert soft_labels.probabilities[:, 0].tolist() == [0.5] * 7


def test_columns_follow_the_order_in_params(project):
    set_params("m2", "m1")
    assert run().members == ("m2", "m1")


def test_members_may_be_chosen(project):
    set_params("m1", "m2", ensemble__members=["m2"])
    soft_labels = run()
    assert soft_labels.members == ("m2",)
    assert soft_labels.probabilities[:, 0].tolist() == [0.5] * 7
    set_params("m1", "m2", ensemble__members=["m2", "m1"])
    assert run().members == ("m2", "m1")


def test_folds_transfer_rows_and_calibration_are_joined(project, splits):
    """Both folds' models of m1 say (2 log 3, 0); half of the train rows are of class 0."""
    further = prepared("transfer", 3)
    rows.write(paths.transfer_rows("rte"), further.table, further.metadata)
    own = {"source": "test", "rows": None}
    settings = {"teachers__folds": [1, 2], "ensemble__calibration": "held_out"}
    set_params("m1", "m2", transfer={"rte": own}, **settings)
    for fold, shift in (("1", 2.0), ("2", 4.0)):
        for name in ("m1", "m2"):
            add_teacher(name, splits | {"transfer": further}, shift, 0.5, fold, ("1", "2"))
    soft_labels = run(transfer=further)
    assert soft_labels.folds == ("1", "2")
    assert soft_labels.task.rows == {"train": 4, "dev": 2, "test": 1, "transfer": 3}
    blind = folds.held_out(splits["train"], 2)
    first = soft_labels.member_logits[0, :, 0]
    # A train row held out by fold 1 has the logit of fold 1's model, 2; all others the mean.
    assert first[:4].tolist() == [2.0 * fold for fold in blind]
    assert first[4:].tolist() == [3.0] * 6
    # Half of the train rows are right however sure: the highest temperature, 20.
    assert soft_labels.temperatures == [20.0, 20.0]
    share = 1 / (1 + np.exp(-3.0 / 20))
    assert soft_labels.probabilities[4:, 0] == pytest.approx(np.full(6, share), abs=1e-6)
    assert soft_labels.metadata["members"]["m1"]["dev"] == {"dev": {"accuracy": 0.5}}


def test_a_task_without_transfer_rows_at_the_source_has_none(project):
    set_params("m1", "m2", transfer={"rte": {"source": "test", "rows": None}})
    artifacts.write_json(paths.transfer("rte") / rows.MISSING, {"task": "rte", "note": "none"})
    assert run().task.rows == {"train": 4, "dev": 2, "test": 1}


def test_a_model_of_another_fold_is_refused(project, splits):
    """A member's folders of two folds hold the same model."""
    set_params("m1", "m2", teachers__folds=[1, 2])
    for name in ("m1", "m2"):
        add_teacher(name, splits, 0.0, 0.5, "1", ("1", "2"))
        add_teacher(name, splits, 0.0, 0.5, "2", ("1", "2"))
    one, two = (paths.prepared_logits("rte", "m2", fold) for fold in ("1", "2"))
    two.write_bytes(one.read_bytes())
    with pytest.raises(SoftLabelError, match=r"fold 2: the model is not that of fold 2\n  seen: 1"):
        run()


def test_two_runs_give_the_same_bytes(project):
    run()
    first = paths.soft_labels("rte").read_bytes()
    run()
    assert paths.soft_labels("rte").read_bytes() == first


def test_a_task_the_source_lacks_leaves_an_empty_file(project, splits):
    paths.prepared("rte").joinpath("train.parquet").unlink()
    soft_labels = run()
    assert (soft_labels.missing, len(soft_labels)) == (True, 0)
    assert soft_labels.task.labels == RTE.labels


def remove(path: Path) -> None:
    (path / "logits.parquet").unlink()
    (path / rows.MISSING).write_text("{}", encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "task", "error", "message"),
    [
        (
            lambda _: set_params("m1", "m9"),
            "rte",
            SoftLabelError,
            r"no logits file\n.*m9.all.prepared.logits\.parquet\n  fix: dvc repro teach@rte-m9-all",
        ),
        (
            lambda _: remove(paths.prepared_logits("rte", "m2", "all").parent),
            "rte",
            SoftLabelError,
            r"no logits file\n.*\n  fix: dvc repro teach@rte-m2-all",
        ),
        (
            lambda s: add_teacher("m1", {**s, "dev": prepared("dev", 3)}, 0.0, 0.5),
            "rte",
            SoftLabelError,
            r"no such prepared row\n  seen: rte/dev/2\n  fix: dvc repro teach@rte-m1-all",
        ),
        (lambda _: None, "cola", ParamsError, "no such name under teachers.tasks"),
        (lambda _: None, "qnli", DataError, r"no prepared rows\n.*qnli\n  fix: dvc repro prepare"),
    ],
    ids=["never trained", "trained without data", "other data", "no teachers", "not prepared"],
)
def test_refuses_and_leaves_the_earlier_file(project, splits, spoil, task, error, message):
    run()
    before = paths.soft_labels("rte").read_bytes()
    spoil(splits)
    with pytest.raises(error, match=message):
        run(task)
    assert paths.soft_labels("rte").read_bytes() == before
    assert [file.name for file in Path("data/soft_labels").iterdir()] == ["rte.parquet"]


def test_command_line_exits_with_2_and_no_traceback(project):
    set_params("m9")
    command = [sys.executable, "-m", "stages.ensemble", "--task", "rte"]
    process = subprocess.run(
        command, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT), "PATH": ""}
    )
    assert process.returncode == 2
    assert process.stderr.startswith("error: no logits file")
    assert "Traceback" not in process.stderr
