"""Transfer from inside real teachers: they stay as they are, the student learns, checks.

Run with: python -m pytest tests/pipeline/training/losses/test_features_of_encoders.py
"""

from __future__ import annotations

import pytest
import torch

from pipeline.errors import EncoderError
from pipeline.model import attention, encoders, saved_model
from pipeline.model.multitask import MultiTaskModel
from pipeline.params.encoders import RandomEncoder
from pipeline.params.heads.linear import LinearHead
from pipeline.tasks import GLUE
from pipeline.training.losses import features
from tests.pipeline.training.conftest import INPUTS, compared, matching

pytestmark = pytest.mark.medium

HEAD = LinearHead(kind="linear", pooling="mean", dropout=0.1)


def loaded(hidden: int = 8, depth: int = 2, heads: int = 2, dropout: float = 0.0, seed: int = 0):
    """A model on RTE as `checkpoint.load` gives it."""
    spec = RandomEncoder(
        source="random", seed=seed, depth=depth, hidden=hidden, attention_heads=heads
    )
    encoder, tokenizer = encoders.load(spec, dropout)
    network = MultiTaskModel(encoder, {"rte": GLUE["rte"]}, {"rte": HEAD})
    return saved_model.LoadedModel(network, tokenizer, {})


def test_teachers_are_frozen_and_neither_parameters_nor_state():
    student, teacher = loaded(), loaded(hidden=12, dropout=0.3)
    teacher.network.train()
    built = features.build(
        compared(hidden=matching()), student.network, student.tokenizer, {"rte": teacher}, 0
    )
    built.train()
    assert not teacher.network.training
    assert not any(weight.requires_grad for weight in teacher.network.parameters())
    assert [tuple(weight.shape) for weight in built.parameters()] == [(8, 12)]
    assert list(built.state_dict()) == ["_projections.task_rte"]
    assert all(weight.requires_grad for weight in student.network.parameters())


def test_teachers_move_with_the_matcher():
    student, teacher = loaded(), loaded(hidden=12)
    built = features.build(
        compared(hidden=matching()), student.network, student.tokenizer, {"rte": teacher}, 0
    )
    assert built.to(torch.float64) is built
    assert {weight.dtype for weight in teacher.network.parameters()} == {torch.float64}
    assert next(built.parameters()).dtype == torch.float64


def test_global_random_numbers_stay_as_they_are():
    student, teacher = loaded(), loaded(hidden=12, heads=3, dropout=0.5)
    both = compared(hidden=matching(), attention=matching(loss="cosine"))
    student.network.eval()
    before = torch.get_rng_state()
    built = features.build(both, student.network, student.tokenizer, {"rte": teacher}, 0)
    assert built.tasks == {"rte"}
    _, states, attentions = student.network.forward_with_features("rte", INPUTS, built.attentions)
    built.loss("rte", INPUTS, states, attentions)
    assert torch.equal(before, torch.get_rng_state())


def test_a_student_equal_to_its_teacher_has_no_loss():
    student, teacher = loaded(), loaded()
    both = compared(hidden=matching(loss="cosine"), attention=matching())
    built = features.build(both, student.network, student.tokenizer, {"rte": teacher}, 0)
    _, states, attentions = student.network.forward_with_features("rte", INPUTS, attentions=True)
    assert built.loss("rte", INPUTS, states, attentions).item() == pytest.approx(0.0, abs=1e-6)


def test_attention_is_compared_before_dropout():
    """A student that is its teacher has no loss in the first layer, whatever it drops there."""
    student, teacher = loaded(dropout=0.5), loaded(dropout=0.5)
    for name, module in student.network.encoder.named_modules():
        if isinstance(module, torch.nn.Dropout) and "attention.self" not in name:
            module.p = 0.0  # what comes before the first layer's attention drops nothing
    first = compared(attention=matching(1.0, layers=[[1, 1]]))
    built = features.build(first, student.network, student.tokenizer, {"rte": teacher}, 0)
    student.network.train()
    logits, states, attentions = student.network.forward_with_features("rte", INPUTS, True)
    assert built.loss("rte", INPUTS, states, attentions).item() == pytest.approx(0.0, abs=1e-9)
    again, _, _ = student.network.forward_with_features("rte", INPUTS, True)
    assert not torch.allclose(logits, again), "but it does drop"


@pytest.mark.parametrize("teacher", [{}, {"depth": 4}, {"hidden": 12, "heads": 3, "depth": 3}])
def test_gradients_reach_the_student_alone_and_lower_the_loss(teacher):
    student, taught = loaded(seed=1), loaded(seed=2, **teacher)
    both = compared(hidden=matching(), attention=matching(50.0))
    built = features.build(both, student.network, student.tokenizer, {"rte": taught}, 0)
    optimizer = torch.optim.Adam([*student.network.parameters(), *built.parameters()], lr=1e-2)
    before = {name: weight.clone() for name, weight in taught.network.state_dict().items()}
    values = []
    for _ in range(20):
        _, states, attentions = student.network.forward_with_features(
            "rte", INPUTS, attentions=True
        )
        loss = built.loss("rte", INPUTS, states, attentions)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        values.append(loss.item())
    assert values[-1] < values[0] / 2
    for name, weight in taught.network.state_dict().items():
        assert torch.equal(weight, before[name])


def test_attention_switches_both_encoders_to_the_form_that_shows_it():
    student, teacher = loaded(), loaded()
    features.build(
        compared(hidden=matching()), student.network, student.tokenizer, {"rte": teacher}, 0
    )
    kinds = [model.network.encoder.config._attn_implementation for model in (student, teacher)]
    assert attention.SHOWN not in kinds
    features.build(
        compared(attention=matching()), student.network, student.tokenizer, {"rte": teacher}, 0
    )
    kinds = [model.network.encoder.config._attn_implementation for model in (student, teacher)]
    assert kinds == [attention.SHOWN, attention.SHOWN]


def test_different_vocabularies_are_refused():
    student, teacher = loaded(), loaded()
    teacher.tokenizer.add_tokens(["hello"])
    size = len(student.tokenizer)
    with pytest.raises(EncoderError, match="different vocabularies") as error:
        features.build(
            compared(hidden=matching()), student.network, student.tokenizer, {"rte": teacher}, 0
        )
    assert f"seen: {size} and {size + 1} pieces" in str(error.value)
    assert "distillation.features.member" in str(error.value)


def test_a_teacher_that_needs_more_inputs_than_the_student_gives_is_refused():
    student, teacher = loaded(), loaded()
    student.tokenizer.model_input_names = ["input_ids", "attention_mask"]
    with pytest.raises(EncoderError, match="token_type_ids"):
        features.build(
            compared(hidden=matching()), student.network, student.tokenizer, {"rte": teacher}, 0
        )
