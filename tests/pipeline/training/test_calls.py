"""What a step and a scoring pass ask of torch: nothing that waits for a device, and few casts.

Run with: python -m pytest tests/pipeline/training/test_calls.py
"""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.model import scoring
from pipeline.params.distillation import Distillation
from pipeline.params.heads.linear import LinearHead
from pipeline.params.heads.ranking import RankingHead
from pipeline.params.heads.san import SanHead
from pipeline.params.losses.cross_entropy import CrossEntropy
from pipeline.runtime import hardware
from pipeline.runtime.thread_pool import ThreadPool
from pipeline.tasks import GLUE
from pipeline.training.losses.objective import TrainingSet
from pipeline.training.run import Run
from pipeline.training.step import TrainingStep, engine
from pipeline.training.task_sampling import Step
from tests.calls import Calls

pytestmark = pytest.mark.medium

EXAMPLES = [("ab " * (1 + i * i % 7), "c" * (1 + i % 5), i % 2) for i in range(13)]
CASTS = 0.05
HALVES = Distillation(
    hard_weight=0.5,
    temperature=2.0,
    loss=CrossEntropy(kind="cross_entropy"),
    scale=1.0,
    label_smoothing=0.0,
    features=None,
)
KINDS = {
    "linear": LinearHead(kind="linear", pooling="mean", dropout=0.1),
    "first token": LinearHead(kind="linear", pooling="cls", dropout=0.1),
    "pooler": LinearHead(kind="linear", pooling="pooler", dropout=0.1),
    "san": SanHead(kind="san", steps=2, dropout=0.1, prediction_dropout=0.1),
    "ranking": RankingHead(
        kind="ranking", pooling="mean", dropout=0.1, negatives=2, gamma=1.0, weight=0.5
    ),
}


@pytest.fixture
def step(tiny, settings, machine, make, tmp_path):
    """Take a step, and score its rows; the calls of each."""
    from pipeline.model import encoders, tokenization
    from pipeline.model.multitask import MultiTaskModel

    def run(head, rate=0.1, depth=2, **changes):
        encoder, tokenizer = encoders.load(tiny.model_copy(update={"depth": depth}), rate)
        model = MultiTaskModel(encoder, {"qnli": GLUE["qnli"]}, {"qnli": head}).train()
        found = make("qnli", "train", EXAMPLES)
        packed = tokenization.tokenise(found.table, tokenizer, 32)
        pairs = getattr(model.head("qnli"), "extra_pairs", None)
        rows = TrainingSet(
            packed,
            found.labels,
            np.full((13, 2), 0.5, np.float32),
            np.arange(13) != 4,
            None if pairs is None else pairs(found, packed, 32),
        )
        chosen = hardware.set_up(machine.model_copy(update=changes))
        run = Run("teach", settings, 5, tmp_path / "log.csv", distillation=HALVES)
        batches = np.array_split(np.arange(13), 2)
        with ThreadPool(1) as workers, engine(chosen.engine, model) as seeding:
            loop = TrainingStep(model, {"qnli": rows}, run, chosen, workers, 9, seeding)
            loop.take(Step("qnli", tuple(batches)))
            with Calls() as training:
                loop.take(Step("qnli", tuple(batches)))
        model.eval()
        with Calls() as scored:
            scoring.of_rows(model, "qnli", packed, np.arange(13), chosen)
        return training, scored

    return run


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", ["fast", "plain"])
@pytest.mark.parametrize("head", KINDS.values(), ids=KINDS)
def test_nothing_waits_for_the_device(step, head, kind, precision):
    """With soft labels and rows without gold ones."""
    training, scored = step(head, precision=precision, engine=kind)
    # Whether torch's generator was used is asked of it on the CPU alone.
    assert {**training.reads, "equal": 0} == {"equal": 0}
    assert scored.reads == {}


@pytest.mark.parametrize("head", [KINDS["linear"], KINDS["pooler"]])
@pytest.mark.parametrize(("kind", "rate"), [("fast", 0.1), ("plain", 0.0)])
def test_few_calls_of_a_narrow_step_are_casts(step, kind, rate, head):
    """Of BERT-base's twelve layers; torch's own attention with dropout casts on a CPU alone."""
    training, scored = step(head, rate, depth=12, precision="bfloat16", engine=kind)
    assert training.casts < CASTS
    assert scored.casts < CASTS


def test_a_family_under_autocast_has_many_casts(step, monkeypatch):
    """Or the test above could not fail."""
    from pipeline.model import bfloat16

    monkeypatch.setattr(bfloat16, "FAMILIES", frozenset())
    training, _ = step(KINDS["linear"], depth=12, precision="bfloat16")
    assert training.casts > 0.25
