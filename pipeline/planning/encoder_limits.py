"""Check that the encoders have the layers that are named and take rows as long as asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pipeline.params import file
from pipeline.params.distillation import Features
from pipeline.params.encoders import Encoder
from pipeline.params.sections import Params
from pipeline.planning import encoder_shapes, plan
from pipeline.planning.encoder_shapes import Shape


class _Use(NamedTuple):
    """An encoder that is trained on rows of some length, and the paths of both in params.yaml."""

    encoder: Encoder
    named: str
    max_length: int
    limited: str


def check(params: Params) -> None:
    """Check the encoders of the parameters before anything is trained.

    Encoders that are not on this machine yet are left out: the stages check them.

    Raises:
        ParamsError: one line per fault, each with its YAML path.
        EncoderError: a package that carries an encoder is missing or another version.
    """
    lines = [line for use in _uses(params) for line in _faults(use)]
    if params.distillation.features is not None:
        lines += _pairs(params, params.distillation.features)
    if lines:
        raise file.report(list(dict.fromkeys(lines)))


def _uses(params: Params) -> Iterator[_Use]:
    refinement, teachers, student = params.refinement, params.teachers, params.student
    for name, candidate in refinement.candidates.items():
        where = f"refinement.candidates.{name}" if candidate.encoder else "refinement"
        length = refinement.training(name).max_length
        encoder = candidate.encoder or refinement.encoder
        yield _Use(encoder, f"{where}.encoder", length, "refinement.max_length")
    for name, member in teachers.members.items():
        where = f"teachers.members.{name}" if member.encoder else "teachers"
        named = "refinement" if member.refined else where
        for task in teachers.tasks:
            length = teachers.training(task, name).max_length
            yield _Use(plan.start(name, params), f"{named}.encoder", length, "teachers.max_length")
    yield _Use(student.encoder, "student.encoder", student.max_length, "student.max_length")
    for task in params.tuning.tasks:
        length = params.tuning.training(task).max_length
        yield _Use(student.encoder, "student.encoder", length, "tuning.max_length")


def _faults(use: _Use) -> Iterator[str]:
    shape = _whole(use.encoder)
    if shape is None:
        return
    layers = use.encoder.layers
    most = max(layers) if isinstance(layers, list) else 2 if layers == "every_second" else 1
    if most > shape.layers:
        yield (
            f"{use.named}.layers: {layers}, but this encoder has {shape.layers}; "
            f"dvc exp run -S {use.named}.layers=all"
        )
    if use.max_length > shape.positions:
        yield (
            f"{use.limited}: {use.max_length} tokens, but the encoder under {use.named} takes rows "
            f"of at most {shape.positions}; dvc exp run -S {use.limited}={shape.positions}"
        )


def _pairs(params: Params, features: Features) -> Iterator[str]:
    """One line for each pair of layers of which one does not exist."""
    student, member = (
        encoder_shapes.of(encoder)
        for encoder in (params.student.encoder, plan.start(features.member, params))
    )
    for part in ("hidden", "attention"):
        matching = getattr(features, part)
        if student is None or member is None or matching is None or matching.layers == "uniform":
            continue
        for first, second in matching.layers:
            if first > student.layers or second > member.layers:
                yield (
                    f"distillation.features.{part}.layers: [{first}, {second}], but the student "
                    f"has {student.layers} layers and member {features.member} {member.layers}; "
                    f"dvc exp run -S distillation.features.{part}.layers=uniform"
                )


def _whole(encoder: Encoder) -> Shape | None:
    """The encoder with all its layers."""
    return encoder_shapes.of(encoder.model_copy(update={"layers": "all"}))
