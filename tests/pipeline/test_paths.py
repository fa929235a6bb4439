"""Where logits lie: the place that one stage writes and others read."""

from __future__ import annotations

from pathlib import Path

from pipeline import paths


def test_logits_of_a_teacher_lie_outside_its_folder():
    folder = Path("data/logits/rte/m1/2")
    assert paths.prepared_logits("rte", "m1", "2") == folder / "prepared/logits.parquet"
    assert paths.transfer_logits("rte", "m1", "2") == folder / "transfer/logits.parquet"


def test_a_multi_task_model_has_a_file_of_logits_a_task():
    assert paths.task_logits(paths.STUDENT, "rte") == Path("data/student/logits/rte.parquet")
    assert paths.task_logits(Path("staging"), "own") == Path("staging/logits/own.parquet")


def test_logits_of_a_tuned_student_lie_in_its_folder():
    assert paths.tuned_logits("rte") == Path("data/tuned/rte/logits.parquet")
    assert paths.tuned_logits("rte").parent == paths.tuned("rte")


def test_a_rank_is_a_folder_of_the_selection():
    assert paths.selected(2) == paths.SELECTED / "2" == Path("data/selected/2")
