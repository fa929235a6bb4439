"""A run that was killed and run again gives the bytes of one that was not.

Run with: python -m pytest tests/pipeline/training/resume/test_resume.py
"""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from pipeline.model import encoders, tokenization
from pipeline.model.heads import ranking
from pipeline.model.multitask import MultiTaskModel
from pipeline.params.heads.ranking import RankingHead
from pipeline.params.sampling import TemperatureSampling
from pipeline.params.sections import EarlyStopping
from pipeline.runtime import hardware
from pipeline.tasks import GLUE
from pipeline.training import early_stopping, trainer
from pipeline.training import step as loop
from pipeline.training.resume.checkpoints import CheckpointFolder
from pipeline.training.resume.resume import Checkpointer
from pipeline.training.run import Run

pytestmark = pytest.mark.medium

RTE = [("aaaa", "bb", 0), ("cc", "dddd", 1), ("ee", "f", 0)] * 6  # 18 rows
STSB = [("aaaa", "bb", 5.0), ("cc", "dddd", 1.0)] * 5


class KilledError(Exception):
    """Stands for the end of the process."""


class Matcher(torch.nn.Module):
    """Stands for inner states of a teacher: a weight beside the model's."""

    tasks, attentions = frozenset({"rte"}), False

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(3))

    def loss(self, task, inputs, hidden, attentions):
        return self.scale.square().sum() * hidden[-1].square().mean()


class Bench:
    """Runs of one setting, each from the same first weights."""

    def __init__(self, folder, tiny, head, settings, machine, make):
        self.folder, self.tiny, self.head = folder, tiny, head
        self.settings, self.hardware, self.make = settings, machine, make
        self.heads, self.given, self.changes, self.engine = {}, {}, {}, "fast"
        self.checkpoints = CheckpointFolder(folder / "run")

    def run(self, threads=1, steps=None, code="now", seconds=0.0, kept=True):
        """Train; give weights, the feature_loss's too, and the log. Ends after some `steps`."""
        encoder, tokenizer = encoders.load(self.tiny, 0.1)
        torch.manual_seed(0)
        names = ("rte", "stsb")
        heads = {**dict.fromkeys(names, self.head), **self.heads}
        model = MultiTaskModel(encoder, {task: GLUE[task] for task in names}, heads)
        sets = {task: self._set(task, tokenizer) for task in names}
        given = {name: build() for name, build in self.given.items()}
        settings = self.settings.model_copy(update=self.changes)
        log, live = self.folder / "log.csv", self.folder / "live.csv"
        run = Run("teach", settings, 3, log, live, **given)
        resume = Checkpointer(self.checkpoints, code, "teach", seconds) if kept else None
        chosen = self.hardware.model_copy(
            update={"threads": threads, "shards": 2, "engine": self.engine}
        )
        with pytest.MonkeyPatch.context() as patch:
            if steps is not None:
                patch.setattr(loop.TrainingStep, "take", _ending(steps))
            trainer.train(model, sets, run, hardware.set_up(chosen), resume)
        state = dict(model.state_dict())
        for name, one in given.items():
            if isinstance(one, torch.nn.Module):
                state |= {f"{name}.{key}": value for key, value in one.state_dict().items()}
        assert log.read_bytes() == live.read_bytes()
        return {name: value.numpy().tobytes() for name, value in state.items()}, log.read_bytes()

    def killed(self, steps, **how):
        with pytest.raises(KilledError):
            self.run(steps=steps, **how)

    def _set(self, task, tokenizer):
        rows = self.make(task, "train", RTE if task == "rte" else STSB)
        tokens = tokenization.tokenise(rows.table, tokenizer, 32)
        head = self.heads.get(task)
        negatives = head and ranking.Negatives(rows.table, rows.labels, tokens, head, 32, 0)
        return trainer.TrainingSet(tokens, rows.labels, extra_pairs=negatives)


def _ending(steps):
    """`Loop.take` that takes some steps, then ends the process in the middle of the next."""
    take, taken = loop.TrainingStep.take, []

    def limited(self, step):
        if len(taken) == steps:
            next(iter(self._objective.model.parameters())).data.fill_(9.0)
            raise KilledError
        taken.append(step)
        return take(self, step)

    return limited


@pytest.fixture
def bench(tmp_path, tiny, head, settings, machine, make):
    """Tiny runs."""
    yield Bench(tmp_path, tiny, head, settings, machine, make)
    torch.set_num_threads(1)


RANKING = RankingHead(
    kind="ranking", pooling="mean", dropout=0.1, negatives=2, gamma=1.0, weight=0.5
)
DRAWN = TemperatureSampling(kind="temperature", temperature=2)
KINDS = {
    "plain": {},
    "adamax": {"changes": {"optimizer": "adamax", "layer_decay": 0.9}},
    "accumulation": {"changes": {"accumulation": 2, "batch_size": 3}},
    "drawn": {"given": {"sampling": lambda: DRAWN}},
    "feature_loss": {"given": {"feature_loss": Matcher}},
    "ranking": {"heads": {"rte": RANKING}},
    "engine": {"engine": "plain"},
    "early": {"changes": {"epochs": 4, "early_stopping": EarlyStopping(share=0.25, patience=2)}},
}


@pytest.mark.parametrize("kind", KINDS)
def test_killed_again_and_again_it_ends_with_the_same_bytes(bench, kind, capsys):
    vars(bench).update(KINDS[kind])
    expected = bench.run(kept=False)
    for steps, threads in ((2, 1), (0, 2), (3, 2), (4, 1)):
        bench.killed(steps, threads=threads)
        random.seed(steps), np.random.seed(steps), torch.manual_seed(steps)
    assert bench.run(threads=2) == expected
    assert "teach: goes on from the checkpoint at step 9" in capsys.readouterr().err


def test_an_epochs_end_is_a_moment_like_others(bench):
    expected = bench.run(kept=False)
    last = len(expected[1].splitlines()) - 2  # number of the last of all steps
    for steps in (last // 2, last // 2 + 1, last):
        bench.killed(steps)
        assert bench.run() == expected, steps
        for number in bench.checkpoints.numbers():
            bench.checkpoints.drop(number)


def test_best_epoch_and_patience_survive(bench, monkeypatch, capsys):
    """Scores fall from the first epoch on: it stops after the third, as if never killed."""
    bench.changes = {"epochs": 6, "early_stopping": EarlyStopping(share=0.25, patience=2)}
    scores = {0: 0.5, 1: 0.4, 2: 0.3}
    at = {}
    ends = early_stopping.EarlyStopper.ends
    monkeypatch.setattr(
        early_stopping.EarlyStopper,
        "ends",
        lambda self, epoch: ends(at.update(now=epoch) or self, epoch),
    )
    monkeypatch.setattr(early_stopping.EarlyStopper, "_score", lambda self: scores[at["now"]])
    expected = bench.run(kept=False)
    steps = len(expected[1].splitlines()) - 1
    bench.killed(steps - 1)
    assert bench.run() == expected
    assert "teach: kept epoch 1" in capsys.readouterr().err


def test_a_damaged_checkpoint_gives_way_to_the_one_before(bench, capsys):
    expected = bench.run(kept=False)
    bench.killed(5)
    file = bench.checkpoints.folder / "000000005.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert bench.run() == expected
    message = capsys.readouterr().err
    assert "teach: the checkpoint at step 5 is damaged and not used" in message
    assert "teach: goes on from the checkpoint at step 4" in message


def test_a_checkpoint_of_other_code_is_refused_in_words(bench, capsys):
    expected = bench.run(kept=False)
    bench.killed(5, code="before")
    assert bench.run(seconds=1e9) == expected
    message = capsys.readouterr().err
    assert "the checkpoint at step 5 of an earlier version of the code is not used" in message
    assert "training starts anew" in message
    assert bench.checkpoints.numbers() == []


@pytest.mark.parametrize("place", ["/proc/none", "file/run"])
def test_where_nothing_can_be_written_training_goes_on(bench, place, capsys):
    expected = bench.run(kept=False)
    (bench.folder / "file").write_text("where a folder should be")
    bench.checkpoints = CheckpointFolder(bench.folder / place)
    assert bench.run() == expected
    assert "teach: no checkpoint at step 0, training goes on without" in capsys.readouterr().err


def test_the_scale_of_float16_is_kept(bench, monkeypatch):
    """As on a GPU: the scale has changed since the start."""
    states = []

    class Scaler:
        def __init__(self, *_, **__):
            self.scale_now = 2.0

        def is_enabled(self):
            return False

        def scale(self, loss):
            return loss

        def unscale_(self, optimizer):
            pass

        def step(self, optimizer):
            optimizer.step()

        def update(self):
            self.scale_now *= 2

        def state_dict(self):
            return {"scale": self.scale_now}

        def load_state_dict(self, state):
            states.append(state)

    monkeypatch.setattr(torch.amp, "GradScaler", Scaler)
    bench.killed(3)
    bench.run()
    assert states == [{"scale": 16.0}]
