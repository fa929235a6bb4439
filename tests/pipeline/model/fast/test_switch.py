"""Both engines train the same model alike, and the plain one does without the fast one's code.

Run with: python -m pytest tests/pipeline/model/fast/test_switch.py
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import pytest
import torch

from pipeline.model import encoders, padding, tokenization
from pipeline.model.fast import attention, dropout
from pipeline.model.multitask import MultiTaskModel
from pipeline.params.heads.linear import LinearHead
from pipeline.params.heads.san import SanHead
from pipeline.runtime import hardware
from pipeline.tasks import GLUE
from pipeline.training import trainer
from pipeline.training.run import Run
from pipeline.training.step import engine
from tests.pipeline.conftest import make_rows

ROOT = Path(__file__).resolve().parents[4]
ROWS = [("aaaa bb", "bb", 0), ("cc", "dddd c", 1), ("e f", "f", 1)] * 8
LOSSES = 1e-5
"""How near losses of the engines are without dropout, of their size; params.yaml says so too."""


def losses(tmp_path, tiny, head, settings, machine, rate, seed=0, rows=ROWS, factor=1.0, **changes):
    """Losses of each step."""
    chosen = machine.model_copy(update=changes)
    encoder, tokenizer = encoders.load(tiny, rate)
    torch.manual_seed(0)
    model = MultiTaskModel(encoder, {"rte": GLUE["rte"]}, {"rte": head})
    with torch.no_grad():
        for weight in model.head("rte").parameters():
            weight.mul_(factor)
    train_rows = make_rows(GLUE["rte"], "train", rows)
    sets = {
        "rte": trainer.TrainingSet(
            tokenization.tokenise(train_rows.table, tokenizer, 32), train_rows.labels
        )
    }
    run = Run("teach", settings, seed, tmp_path / "log.csv")
    trainer.train(model, sets, run, hardware.set_up(chosen))
    return np.genfromtxt(run.log, delimiter=",", names=True, dtype=None, encoding=None)["loss"]


def san(rate):
    return SanHead(kind="san", steps=3, dropout=rate, prediction_dropout=0.0)


@pytest.mark.parametrize("kind", ["linear", "san"])
@pytest.mark.parametrize("shards", [1, 3])
def test_without_dropout_losses_are_the_same(tmp_path, tiny, head, settings, machine, kind, shards):
    """SAN leaves out answers by chance unless its dropout of predictions is 0, too."""
    used = head if kind == "linear" else san(0.0)
    settings = settings.model_copy(update={"epochs": 4})
    fast, plain = (
        losses(tmp_path, tiny, used, settings, machine, 0.0, engine=name, shards=shards)
        for name in ("fast", "plain")
    )
    assert len(fast) == len(plain) == 24
    np.testing.assert_allclose(fast, plain, rtol=LOSSES)


@pytest.mark.medium
def test_with_dropout_losses_are_the_same_on_average(tmp_path, tiny, settings, machine):
    """The mean first loss over seeds of masks, within four standard errors.

    Large weights of the head, so that the loss shows how much is dropped and how the rest is
    scaled.
    """
    many = ROWS * 10
    settings = settings.model_copy(update={"epochs": 1, "batch_size": len(many)})
    head = LinearHead(kind="linear", pooling="mean", dropout=0.5)
    fast, plain = (
        [
            losses(
                tmp_path, tiny, head, settings, machine, 0.5, seed, many, 100.0, engine=name
            ).item()
            for seed in range(60)
        ]
        for name in ("fast", "plain")
    )
    error = ((stdev(fast) ** 2 + stdev(plain) ** 2) / 60) ** 0.5
    assert 0 < error < 0.03 * mean(plain)
    assert abs(mean(fast) - mean(plain)) < 4 * error


def test_the_switch_is_on_within_the_block_only(tiny, head):
    encoder, _ = encoders.load(tiny, 0.1)
    model = MultiTaskModel(encoder, {"rte": GLUE["rte"]}, {"rte": head})
    drop = encoder.embeddings.dropout
    with engine("fast", model) as seeding:
        assert seeding is dropout.seeded
        assert encoder.config._attn_implementation == attention.NAME
        assert type(encoder.embeddings.dropout) is dropout.Dropout
    with engine("plain", model) as seeding:
        assert seeding is None
        assert encoder.embeddings.dropout is drop
        assert encoder.config._attn_implementation == padding.SDPA


TRAIN = """
import sys
from pathlib import Path
from pipeline.runtime import hardware
from pipeline.training import trainer
from pipeline.training.losses import features
from pipeline.model import encoders, saved_model, tokenization
from pipeline.model.multitask import MultiTaskModel
from pipeline.params import file
from pipeline.params.distillation import Features
from pipeline.params.encoders import RandomEncoder
from pipeline.params.heads.linear import LinearHead
from pipeline.params.heads.san import SanHead
from pipeline.tasks import GLUE
from tests.pipeline.conftest import make_rows

root, log, engine = sys.argv[1:]
params = file.load(Path(root) / "profiles" / "sample.yaml")
chosen = params.machine.model_copy(update={"device": "cpu", "shards": 2, "engine": engine})
machine = hardware.set_up(chosen)
tiny = RandomEncoder(source="random", seed=0, depth=2, hidden=8, attention_heads=2)
heads = {
    "rte": SanHead(kind="san", steps=2, dropout=0.1, prediction_dropout=0.1),
    "stsb": LinearHead(kind="linear", pooling="mean", dropout=0.1),
}
tasks = {name: GLUE[name] for name in heads}
def model():
    encoder, tokenizer = encoders.load(tiny, 0.1)
    return MultiTaskModel(encoder, tasks, heads), tokenizer
student, tokenizer = model()
part = {"weight": 1.0, "loss": "mse", "layers": "uniform"}
matching = Features.model_validate({"member": "m1", "hidden": part, "attention": part})
teachers = {"rte": saved_model.LoadedModel(*model(), {})}
feature_loss = features.build(matching, student, tokenizer, teachers, 0)
sets = {}
for name in heads:
    rows = make_rows(GLUE[name], "train", [("aa", "b", 0), ("b", "aa", 1)] * 4)
    tokens = tokenization.tokenise(rows.table, tokenizer, 32)
    sets[name] = trainer.TrainingSet(tokens, rows.labels)
settings = params.teachers.model_copy(update={"epochs": 1, "batch_size": 4})
run = trainer.Run("teach", settings, 1, Path(log), feature_loss=feature_loss)
trainer.train(student, sets, run, machine)
print(sorted(name for name in sys.modules if name.startswith("pipeline.model.fast")))
"""


@pytest.mark.medium
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plain", []),
        ("fast", ["", ".attention", ".dropout", ".switch"]),
    ],
)
def test_the_plain_engine_imports_nothing_of_the_fast_one(tmp_path, name, expected):
    process = subprocess.run(
        [sys.executable, "-c", TRAIN, str(ROOT), str(tmp_path / "log.csv"), name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout.splitlines()[-1] == str([f"pipeline.model.fast{one}" for one in expected])
