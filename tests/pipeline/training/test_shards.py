"""Shards of a batch change nothing but the order of sums, and threads not even that.

Run with: python -m pytest tests/pipeline/training/test_shards.py
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from pipeline.model import character_bert, encoders, saved_model, tokenization
from pipeline.model.fast import dropout
from pipeline.model.heads import ranking
from pipeline.model.multitask import MultiTaskModel
from pipeline.params.distillation import Features
from pipeline.params.encoders import RandomEncoder
from pipeline.params.heads.ranking import RankingHead
from pipeline.runtime.hardware import Hardware
from pipeline.runtime.thread_pool import ThreadPool
from pipeline.tasks import GLUE
from pipeline.training import trainer
from pipeline.training.losses import features
from pipeline.training.run import Run
from pipeline.training.shards import ShardedPasses
from pipeline.training.step import TrainingStep, engine
from pipeline.training.task_sampling import Step

pytestmark = pytest.mark.medium

LENGTHS = st.lists(st.integers(3, 60), min_size=1, max_size=40)
EXAMPLES = [("ab " * (1 + i * i % 7), "c" * (1 + i % 5), i % 2) for i in range(13)]


def of_lengths(lengths):
    """Rows whose tokens are their own numbers."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    ids = np.repeat(np.arange(len(lengths)), lengths).astype(np.int32)
    return tokenization.Tokens(ids, ids.astype(np.uint8), ids.astype(np.uint8), offsets, 99, False)


@given(LENGTHS, st.integers(1, 9), st.data())
def test_shards_hold_each_row_once_in_the_order_of_the_batch(lengths, number, data):
    rows = of_lengths(lengths)
    batch = np.array(data.draw(st.permutations(range(len(lengths)))))
    shards = ShardedPasses([], ThreadPool(1), number, 7).of_rows(rows, batch, 3, 1)
    assert 1 <= len(shards) <= number
    inputs = [shard.inputs() for shard in shards]
    assert np.concatenate([one["input_ids"][:, 0] for one in inputs]).tolist() == batch.tolist()
    for one in inputs:  # padded to its own longest row, not to the batch's
        assert one["attention_mask"].sum(1).max() == one["input_ids"].shape[1]
    assert all(shard.own for shard in shards)


@given(LENGTHS, st.integers(1, 9))
def test_shards_have_about_as_many_tokens_each(lengths, number):
    """None has more than its share and the one row that crosses the border."""
    rows = of_lengths(lengths)
    shards = ShardedPasses([], ThreadPool(1), number, 7).of_rows(
        rows, np.arange(len(lengths)), 0, 0
    )
    for shard in shards:
        assert shard.inputs()["attention_mask"].sum() <= sum(lengths) / number + max(lengths)


@given(st.integers(1, 30), st.integers(1, 9))
def test_given_inputs_are_cut_into_rows_each_once(rows, number):
    inputs = {"input_ids": np.arange(rows * 2).reshape(rows, 2), "texts": np.zeros((rows, 2))}
    shards = ShardedPasses([], ThreadPool(1), number, 7).of_inputs(inputs, 0, 0)
    cut = [shard.inputs() for shard in shards]
    assert len(shards) == min(rows, number)
    assert min(len(one["texts"]) for one in cut) > 0
    assert (np.concatenate([one["input_ids"] for one in cut]) == inputs["input_ids"]).all()
    assert not any(shard.own for shard in shards)


def test_no_two_passes_of_a_run_have_the_same_words():
    rows, passes = of_lengths([5] * 8), ShardedPasses([], ThreadPool(1), 4, 7)
    words = [
        shard.words
        for step in range(3)
        for place in range(3)
        for shard in (
            *passes.of_rows(rows, np.arange(8), step, place),
            *passes.of_inputs(rows.batch(np.arange(8)), step, place),
        )
    ]
    assert len(words) == len(set(words)) == 3 * 3 * 8
    assert all(one[0] == 7 for one in words)


class Bench:
    """One batch of a tiny model, and what one step makes of it."""

    def __init__(self, tiny, head, settings, make, log):
        self.tiny, self.head, self.settings, self.make, self.log = tiny, head, settings, make, log
        self.given, self.engine = {}, "fast"
        self.change = lambda model: model

    def model(self, dropout):
        encoder, self.tokenizer = encoders.load(self.tiny, dropout)
        torch.manual_seed(0)
        model = MultiTaskModel(encoder, {"qnli": GLUE["qnli"]}, {"qnli": self.head})
        return self.change(model).train()

    def rows(self):
        split_rows = self.make("qnli", "train", EXAMPLES)
        tokens = tokenization.tokenise(split_rows.table, self.tokenizer, 32)
        negatives = None
        if isinstance(self.head, RankingHead):
            labels = split_rows.labels
            negatives = ranking.Negatives(split_rows.table, labels, tokens, self.head, 32, 0)
        return trainer.TrainingSet(tokens, split_rows.labels, extra_pairs=negatives)

    def step(self, shards=1, threads=1, dropout=0.0, precision="float32", steps=1):
        """Losses and the last one's gradients of all weights."""
        model = self.model(dropout)
        feature_loss = self.given["feature_loss"](model) if "feature_loss" in self.given else None
        run = Run(
            "teach", self.settings, 5, self.log, **{**self.given, "feature_loss": feature_loss}
        )
        chosen = Hardware("cpu", precision, "", threads, self.engine, shards, 512, "")
        before = torch.get_rng_state()
        with ThreadPool(threads) as workers, engine(self.engine, model) as seeding:
            loop = TrainingStep(model, {"qnli": self.rows()}, run, chosen, workers, steps, seeding)
            batch = Step("qnli", (np.arange(len(EXAMPLES)),))
            losses = []
            for loop.done in range(steps):
                self.number = loop.done
                loop._gradients.clear()
                losses.append(loop._batch(batch, 0).item())
        assert torch.equal(before, torch.get_rng_state())  # the caller's numbers are left alone
        return losses, [one for one in loop._gradients.collect() if one is not None]


@pytest.fixture
def bench(tiny, head, settings, make, tmp_path):
    """A tiny model with a linear head."""
    return Bench(tiny, head, settings, make, tmp_path / "log.csv")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def ranked(bench):
    bench.head = RankingHead(
        kind="ranking", pooling="mean", dropout=0.0, negatives=2, gamma=1.0, weight=0.5
    )


def matched(bench):
    """Hidden states and attention of a wider teacher."""
    part = {"weight": 1.0, "loss": "mse", "layers": "uniform"}
    settings = Features.model_validate({"member": "m1", "hidden": part, "attention": part})

    def build(model):
        spec = RandomEncoder(source="random", seed=3, depth=2, hidden=12, attention_heads=2)
        encoder, tokenizer = encoders.load(spec, 0.0)
        network = MultiTaskModel(encoder, {"qnli": GLUE["qnli"]}, {"qnli": bench.head})
        teachers = {"qnli": saved_model.LoadedModel(network, tokenizer, {})}
        return features.build(settings, model, character_bert.tokenizer(), teachers, 0)

    bench.given["feature_loss"] = build


def shared(bench):
    """Both layers have the same weights, as ALBERT's have."""

    def change(model):
        stack = model.encoder.encoder.layer
        stack[1] = stack[0]
        return model

    bench.change = change


KINDS = {"plain": lambda _: None, "ranking": ranked, "features": matched, "shared": shared}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("shards", [2, 3, 5])
def test_shards_have_the_loss_and_gradients_of_the_whole_batch(bench, kind, shards):
    """Also of inner states, whose loss is a mean over tokens: shards have more or fewer of them."""
    kind(bench)
    (loss,), gradients = bench.step()
    (cut,), parts = bench.step(shards)
    assert cut == pytest.approx(loss, rel=1e-6)
    for one, other in zip(gradients, parts, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_threads_do_not_change_a_bit(bench, kind, precision):
    kind(bench)
    runs = [bench.step(3, threads, 0.1, precision, steps=2) for threads in (1, 2, 3, 2)]
    for losses, gradients in runs[1:]:
        assert losses == runs[0][0]
        assert all(map(torch.equal, gradients, runs[0][1]))
    assert all(one.isfinite().all() for one in runs[0][1])


class Drawing(nn.Module):
    """Draws from torch's own numbers, as functional dropout and layers left out by chance do."""

    def __init__(self, inner, draws):
        super().__init__()
        self.inner, self.draws, self.passes = inner, draws, 0

    def forward(self, values):
        self.passes += 1
        output = self.inner(values)
        return nn.functional.dropout(output, 0.5) if self.draws() else output


@pytest.mark.parametrize("first", [0, 1])
def test_encoders_that_draw_for_themselves_are_reproducible_on_any_number_of_threads(bench, first):
    """Also one that draws from its second step on and not before."""
    layers = []

    def change(model):
        layer = model.encoder.encoder.layer[0].output
        layer.dense = Drawing(layer.dense, lambda: bench.number >= first)
        layers.append(layer.dense)
        return model

    bench.change = change
    runs = [bench.step(2, threads, 0.1, steps=3) for threads in (1, 2, 2, 3)]
    for losses, gradients in runs[1:]:
        assert losses == runs[0][0]
        assert all(map(torch.equal, gradients, runs[0][1]))
    assert len(set(runs[0][0])) == 3  # other masks each step
    # Both shards of one step were passed again, one by one.
    assert [one.passes for one in layers] == [3 * 2 + 2] * 4


@pytest.mark.parametrize(
    ("device", "seeding", "seeded"),
    [("meta", dropout.seeded, True), ("cpu", None, True), ("cpu", dropout.seeded, False)],
    ids=["a GPU", "plain", "fast"],
)
def test_torchs_own_numbers_are_seeded_by_the_words_of_each_pass(device, seeding, seeded):
    """Or a resumed run would draw the masks of its first steps again."""
    weights = [nn.Parameter(torch.empty(1, device=device))]
    passes = ShardedPasses(weights, ThreadPool(1), 2, 7, seeding)
    before = torch.initial_seed()
    words = []
    for step in (0, 1, 0):
        shards = passes.of_rows(of_lengths([4, 4, 4]), np.arange(3), step, 0)
        words.append(passes.forward(lambda *_: torch.initial_seed(), shards))
    assert words[0] == words[2]
    seeds = {*words[0], *words[1]}
    assert len(seeds) == 4 if seeded else seeds == {before}


def test_masks_hang_on_the_seed_and_the_step(bench):
    (first, second), _ = bench.step(2, 2, 0.3, steps=2)
    assert first != second


def test_an_error_in_a_shard_comes_to_the_caller(bench):
    def change(model):
        model.encoder.encoder.layer[1].output.dense = nn.Linear(3, 3)
        return model

    bench.change = change
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        bench.step(3, 2)
