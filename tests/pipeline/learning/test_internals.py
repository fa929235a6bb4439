"""Transfer from inside the teachers: pairs of layers, projections, checks, hand-made numbers.

Run with: python -m pytest tests/pipeline/learning/test_internals.py
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from pipeline.errors import EncoderError, ParamsError
from pipeline.learning import internals
from pipeline.models import characters, checkpoint, encoders
from pipeline.models.model import MultiTaskModel
from pipeline.params.distillation import Internals
from pipeline.params.encoders import RandomEncoder
from pipeline.params.heads import LinearHead
from pipeline.tasks import GLUE

HEAD = LinearHead(kind="linear", pooling="mean", dropout=0.1)
MASK = torch.tensor([[1, 1, 1], [1, 1, 0]])
INPUTS = {
    "input_ids": torch.tensor([[2, 9, 3], [2, 3, 0]]),
    "attention_mask": MASK,
    "token_type_ids": torch.tensor([[0, 1, 1], [0, 0, 0]]),
    "texts": torch.tensor([[0, 1, 0], [0, 0, 0]]),
}


def matching(weight: float = 1.0, loss: str = "mse", layers="uniform") -> dict:
    return {"weight": weight, "loss": loss, "layers": layers}


def settings(hidden: dict | None = None, attention: dict | None = None) -> Internals:
    return Internals.model_validate({"member": "m1", "hidden": hidden, "attention": attention})


def loaded(hidden: int = 8, depth: int = 2, heads: int = 2, dropout: float = 0.0, seed: int = 0):
    """A model on RTE as `checkpoint.load` gives it."""
    spec = RandomEncoder(
        source="random", seed=seed, depth=depth, hidden=hidden, attention_heads=heads
    )
    encoder, tokenizer = encoders.load(spec, dropout)
    network = MultiTaskModel(encoder, {"rte": GLUE["rte"]}, {"rte": HEAD})
    return checkpoint.Loaded(network, tokenizer, {})


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
                _attn_implementation="eager",
            )
        )

    def forward_with_internals(self, task, inputs, attentions):
        self.given = inputs
        return torch.zeros(2, 2), self.states, self.looks if attentions else ()


def fixed(*values: float, width: int = 2) -> Fixed:
    """Layer i is `values[i]` everywhere, its attention `values[i]` on every token."""
    return Fixed(
        [torch.full((2, 3, width), value) for value in values],
        [torch.full((2, 1, 3, 3), value) for value in values[1:]],
    )


def matcher(found: Internals, student, teacher, seed: int = 0) -> internals.Matcher:
    tokenizer = characters.tokenizer()
    teachers = {"rte": checkpoint.Loaded(teacher, tokenizer, {})}
    return internals.build(found, student, tokenizer, teachers, seed)


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
    pairs = internals.uniform(student, teacher)
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
    built = matcher(settings(**{part: matching(layers=layers)}), student, teacher)
    found = built.loss("rte", INPUTS, student.states, student.looks)
    assert found.item() == pytest.approx(expected)


def test_parts_are_added_with_their_weights():
    # hidden: (2 - 5)^2 in the one pair; attention: parallel vectors, so cosine 0 but for mse 9
    student, teacher = fixed(0.0, 2.0), fixed(0.0, 5.0)
    both = settings(hidden=matching(0.5), attention=matching(10.0))
    built = matcher(both, student, teacher)
    assert built.attentions
    found = built.loss("rte", INPUTS, student.states, student.looks)
    assert found.item() == pytest.approx(0.5 * 9 + 10 * 9)


def test_cosine_sees_directions_alone():
    student, teacher = fixed(0.0, 2.0), fixed(0.0, 5.0)
    built = matcher(settings(hidden=matching(loss="cosine")), student, teacher)
    found = built.loss("rte", INPUTS, student.states, ())
    assert found.item() == pytest.approx(0.0, abs=1e-6)
    opposite = built.loss("rte", INPUTS, [-layer for layer in student.states], ())
    assert opposite.item() == pytest.approx(2.0)


def test_widths_that_differ_are_projected():
    student, teacher = fixed(0.0, 1.0, width=2), fixed(0.0, 7.0, width=3)
    built = matcher(settings(hidden=matching()), student, teacher)
    (weights,) = built.parameters()
    with torch.no_grad():
        weights.copy_(torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    found = built.loss("rte", INPUTS, student.states, ())
    # (1, 1) becomes (5, 7, 9), two off on either side of 7
    assert found.item() == pytest.approx((4 + 0 + 4) / 3)
    found.backward()
    assert weights.grad.abs().sum() > 0


def test_projections_hang_on_seed_and_task_alone():
    def weights(seed: int) -> torch.Tensor:
        (found,) = matcher(
            settings(hidden=matching()), fixed(0, 1), fixed(0, 1, width=500), seed
        ).parameters()
        return found.detach()

    first = weights(3)
    torch.rand(1)
    assert torch.equal(first, weights(3))
    assert not torch.equal(first, weights(4))
    assert first.std().item() == pytest.approx(2**-0.5, rel=0.1)


def test_every_task_has_a_teacher_and_a_projection_of_its_own():
    tokenizer, student = characters.tokenizer(), fixed(0.0, 1.0, width=2)
    teachers = {
        "values": checkpoint.Loaded(fixed(0.0, 3.0, width=3), tokenizer, {}),
        "mnli": checkpoint.Loaded(fixed(0.0, 4.0, width=3), tokenizer, {}),
        "rte": checkpoint.Loaded(fixed(0.0, 5.0, width=2), tokenizer, {}),
    }
    built = internals.build(settings(hidden=matching()), student, tokenizer, teachers, 0)
    assert built.tasks == {"mnli", "rte", "values"}
    first, second = built.parameters()
    assert not torch.equal(first, second)
    with torch.no_grad():
        first.fill_(0.0), second.fill_(0.0)
    found = {task: built.loss(task, INPUTS, student.states, ()).item() for task in built.tasks}
    assert found == {"values": 9.0, "mnli": 16.0, "rte": 16.0}


def test_equal_widths_need_no_projection():
    assert not list(matcher(settings(hidden=matching()), fixed(0, 1), fixed(0, 1)).parameters())


@pytest.mark.parametrize("part", ["hidden", "attention"])
@pytest.mark.parametrize("layers", [[[3, 1]], [[1, 1], [2, 5]]])
def test_a_layer_that_is_not_there_is_refused(part, layers):
    with pytest.raises(ParamsError, match=f"internals.{part}.layers") as error:
        matcher(settings(**{part: matching(layers=layers)}), fixed(0, 1, 2), fixed(0, 1, 2, 3, 4))
    assert "the student has 2, the member 4" in str(error.value)
    assert f"seen: {layers[-1]}" in str(error.value)


def test_teachers_are_frozen_and_neither_parameters_nor_state():
    student, teacher = loaded(), loaded(hidden=12, dropout=0.3)
    teacher.network.train()
    built = internals.build(
        settings(hidden=matching()), student.network, student.tokenizer, {"rte": teacher}, 0
    )
    built.train()
    assert not teacher.network.training
    assert not any(weight.requires_grad for weight in teacher.network.parameters())
    assert [tuple(weight.shape) for weight in built.parameters()] == [(8, 12)]
    assert list(built.state_dict()) == ["_projections.task_rte"]
    assert all(weight.requires_grad for weight in student.network.parameters())


def test_teachers_move_with_the_matcher():
    student, teacher = loaded(), loaded(hidden=12)
    built = internals.build(
        settings(hidden=matching()), student.network, student.tokenizer, {"rte": teacher}, 0
    )
    assert built.to(torch.float64) is built
    assert {weight.dtype for weight in teacher.network.parameters()} == {torch.float64}
    assert next(built.parameters()).dtype == torch.float64


def test_global_random_numbers_stay_as_they_are():
    student, teacher = loaded(), loaded(hidden=12, heads=3, dropout=0.5)
    both = settings(hidden=matching(), attention=matching(loss="cosine"))
    student.network.eval()
    before = torch.get_rng_state()
    built = internals.build(both, student.network, student.tokenizer, {"rte": teacher}, 0)
    assert built.tasks == {"rte"}
    _, states, looks = student.network.forward_with_internals("rte", INPUTS, built.attentions)
    built.loss("rte", INPUTS, states, looks)
    assert torch.equal(before, torch.get_rng_state())


def test_a_student_equal_to_its_teacher_has_no_loss():
    student, teacher = loaded(), loaded()
    both = settings(hidden=matching(loss="cosine"), attention=matching())
    built = internals.build(both, student.network, student.tokenizer, {"rte": teacher}, 0)
    _, states, looks = student.network.forward_with_internals("rte", INPUTS, attentions=True)
    assert built.loss("rte", INPUTS, states, looks).item() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("teacher", [{}, {"depth": 4}, {"hidden": 12, "heads": 3, "depth": 3}])
def test_gradients_reach_the_student_alone_and_lower_the_loss(teacher):
    student, taught = loaded(seed=1), loaded(seed=2, **teacher)
    both = settings(hidden=matching(), attention=matching(50.0))
    built = internals.build(both, student.network, student.tokenizer, {"rte": taught}, 0)
    optimizer = torch.optim.Adam([*student.network.parameters(), *built.parameters()], lr=1e-2)
    before = {name: weight.clone() for name, weight in taught.network.state_dict().items()}
    values = []
    for _ in range(20):
        _, states, looks = student.network.forward_with_internals("rte", INPUTS, attentions=True)
        loss = built.loss("rte", INPUTS, states, looks)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        values.append(loss.item())
    assert values[-1] < values[0] / 2
    for name, weight in taught.network.state_dict().items():
        assert torch.equal(weight, before[name])


def test_attention_switches_both_encoders_to_the_form_that_shows_it():
    student, teacher = loaded(), loaded()
    internals.build(
        settings(hidden=matching()), student.network, student.tokenizer, {"rte": teacher}, 0
    )
    kinds = [model.network.encoder.config._attn_implementation for model in (student, teacher)]
    assert "eager" not in kinds
    internals.build(
        settings(attention=matching()), student.network, student.tokenizer, {"rte": teacher}, 0
    )
    kinds = [model.network.encoder.config._attn_implementation for model in (student, teacher)]
    assert kinds == ["eager", "eager"]


def test_an_encoder_that_cannot_show_its_attention_is_refused():
    teacher = fixed(0, 1)
    teacher.encoder.config._attn_implementation = "flash_attention_2"
    teacher.encoder.set_attn_implementation = lambda kind: None
    with pytest.raises(EncoderError, match=r"distillation\.internals\.attention"):
        matcher(settings(attention=matching()), fixed(0, 1), teacher)


def test_different_vocabularies_are_refused():
    student, teacher = loaded(), loaded()
    teacher.tokenizer.add_tokens(["hello"])
    size = len(student.tokenizer)
    with pytest.raises(EncoderError, match="different vocabularies") as error:
        internals.build(
            settings(hidden=matching()), student.network, student.tokenizer, {"rte": teacher}, 0
        )
    assert f"seen: {size} and {size + 1} pieces" in str(error.value)
    assert "distillation.internals.member" in str(error.value)


def test_a_teacher_that_needs_more_inputs_than_the_student_gives_is_refused():
    student, teacher = loaded(), loaded()
    student.tokenizer.model_input_names = ["input_ids", "attention_mask"]
    with pytest.raises(EncoderError, match="token_type_ids"):
        internals.build(
            settings(hidden=matching()), student.network, student.tokenizer, {"rte": teacher}, 0
        )


def test_a_teacher_is_given_only_the_inputs_it_takes():
    tokenizer, plain = characters.tokenizer(), characters.tokenizer()
    plain.model_input_names = ["input_ids", "attention_mask"]
    student, teacher = fixed(0, 1), fixed(0, 1)
    teachers = {"rte": checkpoint.Loaded(teacher, plain, {})}
    built = internals.build(settings(hidden=matching()), student, tokenizer, teachers, 0)
    built.loss("rte", INPUTS, student.states, ())
    assert sorted(teacher.given) == ["attention_mask", "input_ids", "texts"]
