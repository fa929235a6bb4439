from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import paths
from pipeline.data import parquet_file
from pipeline.errors import DataError, SoftLabelError
from pipeline.evaluation import evaluate
from pipeline.evaluation.baselines import Choice
from pipeline.evaluation.evaluate import TaskResult
from pipeline.runtime import artifacts
from pipeline.soft_labels import logits

WriteTask = Callable[..., None]
STUDENT_FILE = paths.STUDENT / "logits" / "rte.parquet"


def test_scores_of_every_system(results: list[TaskResult]) -> None:
    rte, mrpc, mnli, stsb = results
    assert rte.scores == {
        "majority": {"dev": {"accuracy": 0.5}},
        "teacher_m1": {"dev": {"accuracy": 0.75}},
        "teacher_m2": {"dev": {"accuracy": 0.75}},
        "ensemble": {"dev": {"accuracy": 1.0}},
        "baseline_epochs": {"dev": {"accuracy": 0.5}},
        "baseline": {"dev": {"accuracy": 0.5}},
        "student": {"dev": {"accuracy": 0.75}},
    }
    assert mrpc.scores["student"]["dev"] == pytest.approx({"f1": 2 / 3, "accuracy": 0.75})
    assert mrpc.scores["majority"]["dev"] == pytest.approx({"f1": 2 / 3, "accuracy": 0.5})
    assert mnli.scores["student"] == {
        "dev_matched": {"accuracy": 0.75},
        "dev_mismatched": {"accuracy": 0.5},
    }
    assert mnli.scores["majority"]["dev_mismatched"] == {"accuracy": 0.0}
    assert stsb.scores["student"]["dev"] == pytest.approx({"pearson": 1.0, "spearman": 1.0})
    assert stsb.scores["majority"]["dev"] == {"pearson": 0.0, "spearman": 0.0}


def test_models_and_rule_are_those_of_the_files(results: list[TaskResult]) -> None:
    rte, mrpc = results[:2]
    assert rte.members == ["m1", "m2"]
    assert rte.rule == "mean_probability"
    assert rte.models["teacher_m2"]["parameters"] == 22_700_000
    assert mrpc.members == []
    assert mrpc.rule is None
    assert (rte.soft["folds"], rte.soft["transfer"]) == (["all"], {})
    assert mrpc.soft == {}
    assert mrpc.models["student"]["encoder"]["layers"] == "every_second"


def test_predictions_of_every_held_out_row(results: list[TaskResult]) -> None:
    table = results[0].table
    assert table.column_names == [
        "row_id",
        "split",
        "text_hash",
        "label",
        "prediction_majority",
        "prediction_teacher_m1",
        "prediction_teacher_m2",
        "prediction_ensemble",
        "prediction_baseline_epochs",
        "prediction_baseline",
        "prediction_student",
        "probabilities_ensemble",
        "probabilities_baseline_epochs",
        "probabilities_baseline",
        "probabilities_student",
    ]
    assert table["row_id"].to_pylist() == [f"rte/dev/{i}" for i in range(4)] + ["rte/test/0"]
    assert table["label"].to_pylist() == [0, 1, 1, 0, None]
    assert table["prediction_teacher_m2"].to_pylist() == [1, 1, 1, 0, 1]
    # Row 4: softmax gives m1 0.953, m2 0.269 for class 0, so their mean is class 0.
    assert table["prediction_ensemble"].to_pylist() == [0, 1, 1, 0, 0]
    # A margin of 2 between two logits is 1 / (1 + e^-2) = 0.8808.
    assert table["probabilities_student"][0].as_py() == pytest.approx([0.8808, 0.1192], abs=1e-4)


def test_grades_are_cut_and_have_no_probabilities(results: list[TaskResult]) -> None:
    table = results[3].table
    assert table["prediction_student"].to_pylist() == [0.0, 2.5, 5.0]
    assert table["prediction_majority"].to_pylist() == [1.5, 1.5, 1.5]
    assert not [name for name in table.column_names if name.startswith("probabilities")]


def test_student_is_compared_with_the_baseline(results: list[TaskResult]) -> None:
    values = [result.comparison.difference.value for result in results]
    assert values == pytest.approx([0.25, 0.125, -0.125, 1.0])
    # RTE: right are rows 0, 1, 2 against 0, 3: a binomial test of 2 in 3.
    assert results[0].comparison.p_value == 1.0
    # MNLI over both splits: rows 0, 1, 2 and one of the other against 1, 3 and both: 2 in 4.
    assert results[2].comparison.p_value == 1.0
    assert results[3].comparison.p_value is None


def test_calibration_errors_of_the_dev_rows(results: list[TaskResult]) -> None:
    rte, mrpc, mnli, stsb = (result.calibration_errors for result in results)
    # A margin of 2 of two classes is a confidence of 0.8808, whatever the accuracy.
    assert {name: rte[name] for name in ("baseline", "student")} == pytest.approx(
        {"baseline": 0.8808 - 0.5, "student": 0.8808 - 0.75}, abs=1e-4
    )
    # Means of softmax: (0.9526 + 0.2689) / 2 = 0.6108 where the members disagree, else 0.9526;
    # two rows each, in bins of their own, and all of them right.
    assert rte["ensemble"] == pytest.approx(1 - (0.6108 + 0.9526) / 2, abs=1e-4)
    assert list(mrpc) == ["baseline_epochs", "baseline", "student"]
    # Three classes: e^2 / (e^2 + 2) = 0.7870; 4 of the 6 rows of both dev splits are right.
    assert mnli["student"] == pytest.approx(0.7870 - 4 / 6, abs=1e-4)
    assert stsb == {}


def test_agreement_of_the_members_on_the_dev_rows(results: list[TaskResult]) -> None:
    # 0, 1, 0, 0 and 1, 1, 1, 0: half of the rows; 3/8 by chance.
    assert results[0].agreement == {
        ("m1", "m2"): pytest.approx({"agreement": 0.5, "kappa": 0.2}),
    }
    assert results[1].agreement == {}


def test_a_tuned_student_is_a_system_of_its_own(write_task: WriteTask, made: Any) -> None:
    write_task("rte", replace(made["rte"], tuned=[0, 1, 1, 0, 1]))
    result = evaluate.evaluate("rte", taught=True, tuned=True)
    assert list(result.scores)[-2:] == ["student", "tuned"]
    assert result.scores["tuned"] == {"dev": {"accuracy": 1.0}}
    assert result.models["tuned"]["name"] == "tuned"
    assert result.calibration_errors["tuned"] == pytest.approx(1 - 0.8808, abs=1e-4)
    assert "prediction_tuned" in result.table.column_names
    paths.tuned_logits("rte").unlink()
    assert "tuned" not in evaluate.evaluate("rte", taught=True).scores
    with pytest.raises(SoftLabelError, match="dvc repro tune@rte"):
        evaluate.evaluate("rte", taught=True, tuned=True)


def test_soft_labels_of_folds_with_temperatures_and_transfer_rows(
    write_task: WriteTask, made: Any, results: list[TaskResult]
) -> None:
    crossed = replace(
        made["rte"],
        folds=["1", "2"],
        temperatures={"m1": 2.0, "m2": 0.5},
        further=["rest", "rest", "rest"],
    )
    write_task("rte", crossed)
    result = evaluate.evaluate("rte", taught=True)
    assert result.soft["folds"] == ["1", "2"]
    assert result.soft["temperatures"] == {"m1": 2.0, "m2": 0.5}
    assert result.soft["transfer"] == {"rest": 3}
    assert list(result.models["teacher_m1"]["by_fold"]) == ["1", "2"]
    # Predictions are of held-out rows only. Row 0: m1 has 3 / 2, m2 has -1 / 0.5 for class 0.
    assert len(result.table) == 5
    first = result.table["probabilities_ensemble"][0].as_py()[0]
    assert first == pytest.approx((1 / (1 + np.exp(-1.5)) + 1 / (1 + np.exp(2.0))) / 2)
    members = ["prediction_teacher_m1", "prediction_teacher_m2"]
    assert result.table.select(members).equals(results[0].table.select(members))


def test_rows_join_by_id_whatever_their_order(results: list[TaskResult]) -> None:
    table = pq.read_table(STUDENT_FILE)
    pq.write_table(table.take(pa.array([4, 2, 0, 3, 1])), STUDENT_FILE)
    again = evaluate.evaluate("rte", taught=True)
    assert again.scores == results[0].scores
    assert again.table.equals(results[0].table)


def test_a_member_named_like_a_system_is_no_clash(write_task: WriteTask, made: Any) -> None:
    members = made["rte"].members
    write_task(
        "rte", replace(made["rte"], members={"student": members["m1"], "majority": members["m2"]})
    )
    result = evaluate.evaluate("rte", taught=True)
    assert result.members == ["student", "majority"]
    assert len(result.scores) == 7


def test_two_baselines_are_systems_of_their_own_and_one_of_them_counts(
    write_task: WriteTask, made: Any
) -> None:
    write_task("rte", replace(made["rte"], baseline_steps=[0, 1, 1, 0, 1]))
    for budget, accuracy in (("epochs", 0.5), ("steps", 1.0)):
        choice = Choice(budget, "dev", {"epochs": 0.5, "steps": 1.0})
        result = evaluate.evaluate("rte", taught=True, choice=choice)
        assert result.score("baseline_epochs") == 0.5
        assert result.score("baseline_steps") == 1.0
        assert result.score("baseline") == accuracy
        assert result.comparison.difference.value == 0.75 - accuracy
        assert result.models["baseline"]["name"] == f"baseline_{budget}"


def test_the_best_candidate_is_a_system_with_predictions_of_dev_rows_alone(
    write_task: WriteTask, made: Any
) -> None:
    write_task("rte", replace(made["rte"], multitask=[0, 1, 0, 0]))
    result = evaluate.evaluate("rte", taught=True, candidates={"c1": {}, "c2": {}})
    assert result.scores["multitask"] == {"dev": {"accuracy": 0.75}}
    assert result.table["prediction_multitask"].to_pylist() == [0, 1, 0, 0, None]
    assert "probabilities_multitask" not in result.table.column_names
    assert "multitask" not in result.calibration_errors


def test_candidates_are_in_the_order_of_their_ranks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="no order of the candidates") as caught:
        evaluate.ranked_candidates()
    assert caught.value.fix == "dvc repro select"
    entries = {"a": {"rank": 2, "trained": {"steps": 3}}, "b": {"rank": 1, "trained": None}}
    artifacts.write_json(paths.SELECTION, {"candidates": entries})
    assert list(evaluate.ranked_candidates().items()) == [("b", None), ("a", {"steps": 3})]


def _other_text(table: pa.Table) -> pa.Table:
    hashes = ["0" * 32, *table["text_hash"].to_pylist()[1:]]
    return table.set_column(2, table.schema.field("text_hash"), pa.array(hashes))


def _other_order(table: pa.Table) -> pa.Table:
    meta = table.schema.metadata[parquet_file.METADATA_KEY]
    turned = meta.replace(b'["entailment", "not_entailment"]', b'["not_entailment", "entailment"]')
    return table.replace_schema_metadata({parquet_file.METADATA_KEY: turned})


MISFITS: dict[str, tuple[Callable[[pa.Table], pa.Table], str, str]] = {
    "a row is missing": (lambda table: table.slice(1), "missing", "rte/dev/0"),
    "a row is unknown": (
        lambda t: pa.concat_tables(
            [t, t.slice(0, 1).set_column(0, t.schema.field("row_id"), pa.array(["rte/dev/9"]))]
        ),
        "no such prepared row",
        "rte/dev/9",
    ),
    "another text": (_other_text, "text_hash", "rte/dev/0"),
    "another label order": (_other_order, "label order", "not_entailment"),
}


@pytest.mark.parametrize("case", MISFITS)
@pytest.mark.usefixtures("results")
def test_a_student_of_other_rows_is_refused(case: str) -> None:
    spoil, what, value = MISFITS[case]
    table = spoil(pq.read_table(STUDENT_FILE))
    pq.write_table(table, STUDENT_FILE)
    with pytest.raises(SoftLabelError, match=what) as error:
        evaluate.evaluate("rte", taught=True)
    assert value in str(error.value)
    assert "dvc repro distil" in str(error.value)


@pytest.mark.usefixtures("results")
def test_a_missing_file_is_named_with_its_stage() -> None:
    (paths.baseline("epochs") / "logits" / "rte.parquet").unlink()
    with pytest.raises(SoftLabelError, match="dvc repro baseline@epochs"):
        evaluate.evaluate("rte", taught=True)


def test_a_dev_row_without_label_is_refused(write_task: WriteTask, made: Any) -> None:
    labels = {**made["mrpc"].labels, "dev": [1, None, 0, 0]}
    write_task("mrpc", replace(made["mrpc"], labels=labels))
    with pytest.raises(DataError, match="without a label"):
        evaluate.evaluate("mrpc", taught=False)


@pytest.mark.usefixtures("results")
def test_tasks_that_the_source_lacks_are_named(without_rows: Callable[[str], None]) -> None:
    without_rows("wnli")
    (paths.prepared("mrpc") / "dev.parquet").unlink()
    (paths.prepared("stsb") / "train.parquet").unlink()
    assert evaluate.missing(["rte", "wnli", "mrpc", "stsb", "mnli"]) == {
        "wnli": "the source has no train and no dev rows of it",
        "mrpc": "the source has no dev rows of it",
        "stsb": "the source has no train rows of it",
    }


def test_a_task_never_prepared_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="dvc repro prepare@rte"):
        evaluate.missing(["rte"])


def test_predictions_written_twice_are_the_same_bytes(
    results: list[TaskResult], tmp_path: Path
) -> None:
    digests = []
    for folder in (tmp_path / "first", tmp_path / "second"):
        folder.mkdir()
        evaluate.write_predictions(results, folder)
        digests.append({path.name: artifacts.sha256(path) for path in folder.glob("*.parquet")})
    assert digests[0] == digests[1]
    assert sorted(digests[0]) == ["mnli.parquet", "mrpc.parquet", "rte.parquet", "stsb.parquet"]
    table, metadata = parquet_file.read_table(tmp_path / "first" / "rte.parquet")
    assert table.equals(results[0].table)
    assert metadata["labels"] == ["entailment", "not_entailment"]
    assert metadata["metrics"] == ["accuracy"]
    assert metadata["systems"] == list(results[0].scores)


def test_the_first_of_equally_common_classes_is_the_majority(
    write_task: WriteTask, made: Any
) -> None:
    labels = {**made["rte"].labels, "train": [1, 0, 0, 1]}
    write_task("rte", replace(made["rte"], labels=labels))
    predictions = evaluate.evaluate("rte", taught=False).table["prediction_majority"]
    assert set(predictions.to_pylist()) == {0}


@pytest.mark.usefixtures("results")
def test_probabilities_are_the_softmax_of_the_logits() -> None:
    values = logits.read(STUDENT_FILE).values
    table = evaluate.evaluate("rte", taught=True).table
    probabilities = np.array(table["probabilities_student"].to_pylist())
    powers = np.exp(values)
    assert probabilities == pytest.approx(powers / powers.sum(axis=1, keepdims=True), abs=1e-6)
