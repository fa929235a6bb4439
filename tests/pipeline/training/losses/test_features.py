"""Transfer from inside the teachers: pairs of layers, projections, checks, hand-made numbers.

Run with: python -m pytest tests/pipeline/training/losses/test_features.py
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from pipeline.errors import EncoderError, ParamsError
from pipeline.model import attention, character_bert, saved_model
from pipeline.params.distillation import Features
from pipeline.training.losses import features
from tests.pipeline.training.conftest import INPUTS, compared, matching


class Fixed(nn.Module):
    """A stand-in whose layers give what they are told to."""

    def __init__(self, states: list[torch.Tensor], looks: list[torch.Tensor]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.states, self.looks = tuple(states), tuple(looks)
        self.encoder = SimpleNamespace(
            config=SimpleNamespace(
                hidden_size=states[0].shape[2],
                num_hidden_layers=len(states) - 1,
                _attn_implementation=attention.SHOWN,
            )
        )

    def forward_with_features(self, task, inputs, attentions):
        self.given = inputs
        return torch.zeros(2, 2), self.states, self.looks if attentions else ()


def fixed(*values: float, width: int = 2) -> Fixed:
    """Layer i is `values[i]` everywhere, its attention `values[i]` on every token."""
    return Fixed(
        [torch.full((2, 3, width), value) for value in values],
        [torch.full((2, 1, 3, 3), value) for value in values[1:]],
    )


def feature_loss(settings: Features, student, teacher, seed: int = 0) -> features.FeatureLoss:
    tokenizer = character_bert.tokenizer()
    teachers = {"rte": saved_model.LoadedModel(teacher, tokenizer, {})}
    return features.build(settings, student, tokenizer, teachers, seed)


@pytest.mark.parametrize(
    ("student", "teacher", "expected"),
    [
        (2, 2, [1, 2]),
        (2, 12, [6, 12]),
        (3, 12, [4, 8, 12]),
        (4, 12, [3, 6, 9, 12]),
        (6, 12, [2, 4, 6, 8, 10, 12]),
        (2, 3, [2, 3]),  # 1.5
        (4, 6, [2, 3, 5, 6]),  # 1.5, 3, 4.5
        (5, 12, [2, 5, 7, 10, 12]),  # 2.4, 4.8, 7.2, 9.6
        (4, 2, [1, 1, 2, 2]),  # 0.5, 1, 1.5
        (6, 1, [1] * 6),  # 1/6 is no layer
    ],
)
def test_uniform_spreads_the_teachers_layers_evenly(student, teacher, expected):
    pairs = features.uniform(student, teacher)
    assert pairs == tuple(zip(range(1, student + 1), expected, strict=True))


# Student's layers 1 and 2 (embeddings 0); the teacher's 10, 20, 30, 40 (embeddings 99).
@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ("uniform", ((1 - 20) ** 2 + (2 - 40) ** 2) / 2),
        ([[2, 1]], (2 - 10) ** 2),
        ([[1, 3], [2, 3]], ((1 - 30) ** 2 + (2 - 30) ** 2) / 2),
    ],
)
@pytest.mark.parametrize("part", ["hidden", "attention"])
def test_layers_are_compared_in_pairs_counted_from_1(part, layers, expected):
    student, teacher = fixed(0.0, 1.0, 2.0), fixed(99.0, 10.0, 20.0, 30.0, 40.0)
    built = feature_loss(compared(**{part: matching(layers=layers)}), student, teacher)
    loss = built.loss("rte", INPUTS, student.states, student.looks)
    assert loss.item() == pytest.approx(expected)


def test_parts_are_added_with_their_weights():
    # hidden: (2 - 5)^2 in the one pair; attention: parallel vectors, so cosine 0 but for mse 9
    student, teacher = fixed(0.0, 2.0), fixed(0.0, 5.0)
    both = compared(hidden=matching(0.5), attention=matching(10.0))
    built = feature_loss(both, student, teacher)
    assert built.attentions
    loss = built.loss("rte", INPUTS, student.states, student.looks)
    assert loss.item() == pytest.approx(0.5 * 9 + 10 * 9)


def test_cosine_sees_directions_alone():
    student, teacher = fixed(0.0, 2.0), fixed(0.0, 5.0)
    built = feature_loss(compared(hidden=matching(loss="cosine")), student, teacher)
    loss = built.loss("rte", INPUTS, student.states, ())
    assert loss.item() == pytest.approx(0.0, abs=1e-6)
    opposite = built.loss("rte", INPUTS, [-layer for layer in student.states], ())
    assert opposite.item() == pytest.approx(2.0)


def test_widths_that_differ_are_projected():
    student, teacher = fixed(0.0, 1.0, width=2), fixed(0.0, 7.0, width=3)
    built = feature_loss(compared(hidden=matching()), student, teacher)
    (weights,) = built.parameters()
    with torch.no_grad():
        weights.copy_(torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    loss = built.loss("rte", INPUTS, student.states, ())
    # (1, 1) becomes (5, 7, 9), two off on either side of 7
    assert loss.item() == pytest.approx((4 + 0 + 4) / 3)
    loss.backward()
    assert weights.grad.abs().sum() > 0


def test_projections_hang_on_seed_and_task_alone():
    def weights(seed: int) -> torch.Tensor:
        (projections,) = feature_loss(
            compared(hidden=matching()), fixed(0, 1), fixed(0, 1, width=500), seed
        ).parameters()
        return projections.detach()

    first = weights(3)
    torch.rand(1)
    assert torch.equal(first, weights(3))
    assert not torch.equal(first, weights(4))
    assert first.std().item() == pytest.approx(2**-0.5, rel=0.1)


def test_every_task_has_a_teacher_and_a_projection_of_its_own():
    tokenizer, student = character_bert.tokenizer(), fixed(0.0, 1.0, width=2)
    teachers = {
        "values": saved_model.LoadedModel(fixed(0.0, 3.0, width=3), tokenizer, {}),
        "mnli": saved_model.LoadedModel(fixed(0.0, 4.0, width=3), tokenizer, {}),
        "rte": saved_model.LoadedModel(fixed(0.0, 5.0, width=2), tokenizer, {}),
    }
    built = features.build(compared(hidden=matching()), student, tokenizer, teachers, 0)
    assert built.tasks == {"mnli", "rte", "values"}
    first, second = built.parameters()
    assert not torch.equal(first, second)
    with torch.no_grad():
        first.fill_(0.0), second.fill_(0.0)
    losses = {task: built.loss(task, INPUTS, student.states, ()).item() for task in built.tasks}
    assert losses == {"values": 9.0, "mnli": 16.0, "rte": 16.0}


def test_equal_widths_need_no_projection():
    assert not list(
        feature_loss(compared(hidden=matching()), fixed(0, 1), fixed(0, 1)).parameters()
    )


@pytest.mark.parametrize("part", ["hidden", "attention"])
@pytest.mark.parametrize("layers", [[[3, 1]], [[1, 1], [2, 5]]])
def test_a_layer_that_is_not_there_is_refused(part, layers):
    with pytest.raises(ParamsError, match=f"features.{part}.layers") as error:
        feature_loss(
            compared(**{part: matching(layers=layers)}), fixed(0, 1, 2), fixed(0, 1, 2, 3, 4)
        )
    assert "the student has 2, the member 4" in str(error.value)
    assert f"seen: {layers[-1]}" in str(error.value)


def test_an_encoder_that_cannot_show_its_attention_is_refused():
    teacher = fixed(0, 1)
    teacher.encoder.config._attn_implementation = "flash_attention_2"
    teacher.encoder.set_attn_implementation = lambda kind: None
    with pytest.raises(EncoderError, match=r"distillation\.features\.attention"):
        feature_loss(compared(attention=matching()), fixed(0, 1), teacher)


def test_a_teacher_is_given_only_the_inputs_it_takes():
    tokenizer, plain = character_bert.tokenizer(), character_bert.tokenizer()
    plain.model_input_names = ["input_ids", "attention_mask"]
    student, teacher = fixed(0, 1), fixed(0, 1)
    teachers = {"rte": saved_model.LoadedModel(teacher, plain, {})}
    built = features.build(compared(hidden=matching()), student, tokenizer, teachers, 0)
    built.loss("rte", INPUTS, student.states, ())
    assert sorted(teacher.given) == ["attention_mask", "input_ids", "texts"]
