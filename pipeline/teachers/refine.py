"""Train a candidate: a multi-task model on hard labels that may become a teacher's encoder."""

from __future__ import annotations

from pipeline import paths
from pipeline.data.prepared import dev_rows, read_prepared, train_rows
from pipeline.model import encoders, saved_model
from pipeline.params.sections import Params
from pipeline.runtime import artifact_lock, artifacts
from pipeline.tasks import part_of
from pipeline.teachers import select
from pipeline.training.finetune import fine_tune
from pipeline.training.recipe import LoadedEncoder, Recipe


def refine(candidate: str, params: Params) -> None:
    """Train one candidate on all tasks (arXiv 1904.09482, section 4.1) and score its dev rows.

    Writes data/refined/<candidate>/: weights, log, dev logits; model.json has the dev metrics of
    every task. Test rows are not scored: no candidate is a result.

    Raises:
        DataError: rows are not prepared, or a task that decides the selection or the epoch
            has no dev rows.
        EncoderError: the initial encoder is not there, or does not fit.
        TrainingError: the loss is not finite.
    """
    prepared = read_prepared(params)
    dev = {
        task: {name: split for name, split in splits.items() if part_of(name) == "dev"}
        for task, splits in prepared.items()
    }
    select.check_tasks(params, {task for task, splits in dev.items() if splits})
    recipe, train = _recipe(candidate, params, tuple(prepared)), train_rows(prepared)
    watched = dev_rows(prepared, params.refinement.best_epoch)
    with artifact_lock.lock_for_training(paths.refined(candidate)) as staging:
        model = fine_tune(
            staging, recipe, train, _open(candidate, params), params.machine, dev=watched
        )
        scores = {
            task: model.score(splits, paths.task_logits(staging.folder, task))["dev"]
            for task, splits in dev.items()
            if splits
        }
        artifacts.write_json(
            staging.folder / saved_model.MANIFEST, {**model.manifest, "dev": scores}
        )


def _recipe(candidate: str, params: Params, tasks: tuple[str, ...]) -> Recipe:
    """The section's settings, then the candidate's."""
    section = params.refinement
    return Recipe(
        name=candidate,
        title=f"refine {candidate}",
        heads={task: section.heads.get(task, section.head) for task in tasks},
        dropout=_dropout(candidate, params),
        settings=section.training(candidate),
        seed=section.candidates[candidate].seed,
        sampling=section.sampling,
    )


def _open(candidate: str, params: Params) -> LoadedEncoder:
    encoder = params.refinement.candidates[candidate].encoder or params.refinement.encoder
    loaded = encoders.load(encoder, _dropout(candidate, params))
    return LoadedEncoder(*loaded, encoders.describe(encoder))


def _dropout(candidate: str, params: Params) -> float:
    own = params.refinement.candidates[candidate].dropout
    return params.refinement.dropout if own is None else own
