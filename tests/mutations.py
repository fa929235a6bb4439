"""Break central pieces of the code one at a time and see that their tests notice.

A copy of the tracked files is changed, never the work tree. The table says what stands in a file
once, what takes its place, and which tests must then fail.

Run by hand, after a change of the tests: python -m tests.mutations [WORD...]
Each WORD picks the mutations whose name holds it; none: all, which takes minutes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Mutation:
    """One line of code made wrong.

    Attributes:
        name: what is broken.
        file: the module, from the project's folder.
        old: text that stands in it exactly once.
        new: what takes its place.
        tests: test files or folders that must notice, from `tests/pipeline`.
    """

    name: str
    file: str
    old: str
    new: str
    tests: str


MUTATIONS = (
    Mutation(
        "sign of soft cross-entropy",
        "pipeline/training/losses/soft/cross_entropy.py",
        "return -(targets * log_probabilities)",
        "return (targets * log_probabilities)",
        "training/losses/test_soft.py",
    ),
    Mutation(
        "temperature squared in the loss",
        "pipeline/training/losses/soft/cross_entropy.py",
        ".sum(1) * temperature**2",
        ".sum(1) * temperature",
        "training/losses/test_soft.py",
    ),
    Mutation(
        "mean probability becomes mean logit",
        "pipeline/soft_labels/rules/mean_probability.py",
        "return mean(softmax(logits, temperature), shares)",
        "return softmax(mean(logits, shares), temperature)",
        "soft_labels/test_ensemble_rules.py",
    ),
    Mutation(
        "rows joined by id without their hash",
        "pipeline/data/row_join.py",
        '("split", "text_hash", "label")',
        '("split", "label")',
        "data/test_row_join.py",
    ),
    Mutation(
        "fold is trained on, not left out",
        "pipeline/data/folds.py",
        "fold_of_row != int(fold)",
        "fold_of_row == int(fold)",
        "data/test_folds.py",
    ),
    Mutation(
        "held-out rows are trained on",
        "pipeline/training/trainer.py",
        "trained[held_out[task]] = False",
        "trained[held_out[task]] = True",
        "training/test_early_stopping.py training/test_trainer.py",
    ),
    Mutation(
        "McNemar one-sided",
        "pipeline/evaluation/significance.py",
        "only_first + only_second).pvalue",
        'only_first + only_second, alternative="greater").pvalue',
        "evaluation/test_significance.py",
    ),
    Mutation(
        "Holm without its order",
        "pipeline/evaluation/significance.py",
        "p_values.sort_values()",
        "p_values",
        "evaluation/test_significance.py",
    ),
    Mutation(
        "dropout of a run without its seed",
        "pipeline/training/shards.py",
        "return self._seed, step, place, shard,",
        "return 0, step, place, shard,",
        "training/test_shards.py",
    ),
    Mutation(
        "gradients of shards in a left fold",
        "pipeline/training/gradients.py",
        "for at in range(0, len(level) - 1, 2)]",
        "for at in range(1)]",
        "training/test_gradients.py",
    ),
    Mutation(
        "key of checkpoints without the rows",
        "pipeline/training/resume/run_key.py",
        '"rows": {name: _rows(rows) for name, rows in sets.items()},',
        '"rows": {},',
        "training/test_finetune.py::test_whatever_decides_the_result_names_the_checkpoints",
    ),
    Mutation(
        "key of checkpoints without the recipe",
        "pipeline/training/resume/run_key.py",
        '"recipe": recipe.describe(),',
        '"recipe": {},',
        "training/test_finetune.py::test_whatever_decides_the_result_names_the_checkpoints",
    ),
    Mutation(
        "checkpoint's tensors deleted before its metadata",
        "pipeline/training/resume/checkpoints.py",
        "for suffix in (_SEAL, _TENSORS):",
        "for suffix in (_TENSORS, _SEAL):",
        "training/resume/test_checkpoints.py",
    ),
    Mutation(
        "checkpoint's metadata written before its tensors",
        "pipeline/training/resume/checkpoints.py",
        "        with artifacts.new_file(path) as staging,",
        "        artifacts.write_json(path.with_suffix(_SEAL), {})\n"
        "        with artifacts.new_file(path) as staging,",
        "training/resume/test_checkpoints.py",
    ),
    Mutation(
        "labels of RTE and QNLI swapped in files",
        "pipeline/data/formats/layouts.py",
        '_ENTAILMENT = ("entailment", "not_entailment")',
        '_ENTAILMENT = ("not_entailment", "entailment")',
        "data/formats",
    ),
    Mutation(
        "scale of STS-B ends at 1",
        "pipeline/tasks.py",
        "high=5.0,",
        "high=1.0,",
        "test_metrics.py data/formats",
    ),
    Mutation(
        "warm-up of the learning rate begins at 0",
        "pipeline/training/optimizers.py",
        "settings.learning_rate * (step + 1) / (rising + 1)",
        "settings.learning_rate * step / (rising + 1)",
        "training/test_optimizers.py",
    ),
    Mutation(
        "clipping scales small gradients up",
        "pipeline/training/gradients.py",
        "(most / (norm + 1e-6)).clamp(max=1.0)",
        "(most / (norm + 1e-6))",
        "training/test_gradients.py",
    ),
    Mutation(
        "clipping without the task's factor",
        "pipeline/training/step.py",
        "self._gradients.clip(self.run.settings.clip_norm * factor)",
        "self._gradients.clip(self.run.settings.clip_norm)",
        "training/test_step.py",
    ),
    Mutation(
        "batches of the tasks merged without a shuffle",
        "pipeline/training/task_sampling.py",
        "return [steps[place] for place in order]",
        "return steps",
        "training/test_task_sampling.py",
    ),
    Mutation(
        "smaller row caps are not part of larger ones",
        "pipeline/data/row_caps.py",
        "np.sort(order(count, seed=seed,",
        "np.sort(order(count, seed=seed + cap,",
        "data/test_row_caps.py",
    ),
    Mutation(
        "a file is written under its final name",
        "pipeline/runtime/artifacts.py",
        "        yield staging\n        _flush_to_disk(staging)",
        "        yield path\n        shutil.copy(path, staging)",
        "runtime/test_artifacts.py",
    ),
    Mutation(
        "SHA-256 of a kept download is not looked at",
        "pipeline/data/sources/download.py",
        " and sha256(path) == pin.sha256",
        "",
        "data/sources/test_download.py",
    ),
    Mutation(
        "SHA-256 of an arriving download is not looked at",
        "pipeline/data/sources/resumable_download.py",
        "if seen == self.pin:",
        "if seen.bytes == self.pin.bytes:",
        "data/sources/test_resumable_download.py data/sources/test_download.py",
    ),
)


def main(words: Sequence[str]) -> int:
    """Print a line for each mutation; 1 if one went unnoticed."""
    picked = [row for row in MUTATIONS if not words or any(word in row.name for word in words)]
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary)
        _copy_tracked(copy)
        results = [_line(mutation, copy) for mutation in picked]
    print(f"{sum(results)} of {len(results)} mutations were caught")
    return 0 if results and all(results) else 1


def _copy_tracked(target: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "pipeline", "stages", "tests", "profiles", "*.toml", "*.yaml"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)


def _line(mutation: Mutation, copy: Path) -> bool:
    start = time.monotonic()
    with _mutated(copy / mutation.file, mutation):
        code, failed = _pytest(copy, mutation.tests)
    caught = code == 1  # other codes tell of no test or of tests that did not run
    verdict = "caught" if caught else f"NOT CAUGHT (pytest ended with {code})"
    seconds = time.monotonic() - start
    print(f"{verdict:8} {seconds:5.1f} s  {mutation.name}: {failed}", flush=True)
    return caught


@contextmanager
def _mutated(file: Path, mutation: Mutation) -> Iterator[None]:
    text = file.read_text("utf-8")
    if text.count(mutation.old) != 1:
        raise SystemExit(f"{mutation.file} holds {mutation.old!r} {text.count(mutation.old)} times")
    file.write_text(text.replace(mutation.old, mutation.new), "utf-8")
    try:
        yield
    finally:
        file.write_text(text, "utf-8")


def _pytest(copy: Path, tests: str) -> tuple[int, str]:
    """Exit code, and the test that failed."""
    modules = [f"tests/pipeline/{name}" for name in tests.split()]
    process = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *modules],
        cwd=copy,
        # A module and its mutation may share size and second: no bytecode is kept.
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in process.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return process.returncode, lines[0].split(" - ")[0] if lines else process.stdout.strip()[-200:]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
