"""Feature distillation: match teachers' hidden states and attention (arXiv 1909.10351, sec. 3)."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor, nn

from pipeline.errors import EncoderError, ParamsError
from pipeline.model import attention, bfloat16, padding
from pipeline.model.tokenization import TEXTS
from pipeline.params.distillation import FeatureMatching, Features
from pipeline.training.losses import feature_distances

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from pipeline.model.multitask import MultiTaskModel
    from pipeline.model.saved_model import LoadedModel
    from pipeline.runtime.hardware import Hardware

Pairs = tuple[tuple[int, int], ...]  # (student layer, teacher layer), counted from 1


@dataclass(frozen=True)
class FeatureTeacher:
    """The teacher of a task and the layers that are compared.

    Attributes:
        network: frozen, without dropout.
        inputs: names of the student's inputs that it takes.
        hidden: pairs of layers whose hidden states are compared.
        attention: pairs of layers whose attention is compared.
    """

    network: MultiTaskModel
    inputs: frozenset[str]
    hidden: Pairs
    attention: Pairs


class FeatureLoss(nn.Module):
    """Distance of a student's features from those of each task's teacher.

    Its parameters, one projection for each task whose widths differ, are trained with the student
    and thrown away. The teachers move with it to a device, but are neither parameters nor state.

    Attributes:
        tasks: tasks with a teacher.
        attentions: whether attention probabilities are compared.
    """

    def __init__(
        self,
        settings: Features,
        teachers: Mapping[str, FeatureTeacher],
        projections: Mapping[str, Tensor],
    ) -> None:
        super().__init__()
        self.tasks = frozenset(teachers)
        self.attentions = settings.attention is not None
        self._settings = settings
        self._machine: Hardware | None = None
        self._teachers = dict(teachers)
        self._projections = nn.ParameterDict({_key(k): v for k, v in projections.items()})

    def on(self, machine: Hardware) -> Self:
        """Move to a machine's device, and let the teachers compute in its precision."""
        self.to(machine.device)
        self._machine = machine
        self._teachers = {
            task: replace(teacher, network=bfloat16.narrowed(teacher.network, machine))
            for task, teacher in self._teachers.items()
        }
        return self

    def loss(
        self,
        task: str,
        inputs: Mapping[str, Tensor],
        hidden: Sequence[Tensor],
        attentions: Sequence[Tensor],
    ) -> Tensor:
        """Weighted distances of hidden states and attention, each a mean over pairs of layers.

        Args:
            task: one of `tasks`.
            inputs: the student's own inputs, `(batch, length)` each.
            hidden: the student's embeddings and layers, `(batch, length, width)` each.
            attentions: the student's attention probabilities by layer, before dropout,
                `(batch, heads, length, length)` each; unused unless `attentions` is set.

        Returns:
            A scalar, float32.
        """
        teacher = self._teachers[task]
        known = {name: inputs[name] for name in inputs if name in teacher.inputs}
        with torch.no_grad(), self._context(teacher.network):
            _, states, looks = teacher.network.forward_with_features(task, known, self.attentions)
        mask = padding.mask(inputs)
        total = hidden[0].new_zeros((), dtype=torch.float32)
        if part := self._settings.hidden:
            pairs = [(self._project(task, hidden[i]), states[j]) for i, j in teacher.hidden]
            total = total + _weighted(part, feature_distances.hidden, pairs, mask)
        if part := self._settings.attention:
            pairs = [(attentions[i - 1], looks[j - 1]) for i, j in teacher.attention]
            total = total + _weighted(part, feature_distances.attention, pairs, mask)
        return total

    def _context(self, network: MultiTaskModel) -> AbstractContextManager[Any]:
        return nullcontext() if self._machine is None else bfloat16.context(network, self._machine)

    def _project(self, task: str, states: Tensor) -> Tensor:
        key = _key(task)
        if key not in self._projections:
            return states
        projected: Tensor = states @ self._projections[key].to(states.dtype)
        return projected

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Move the teachers too: `to` and similar methods call this."""
        for teacher in self._teachers.values():
            teacher.network._apply(fn)  # type: ignore[no-untyped-call]  # torch's
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self


def build(
    settings: Features,
    student: MultiTaskModel,
    student_tokenizer: PreTrainedTokenizerBase,
    teachers: Mapping[str, LoadedModel],
    seed: int,
) -> FeatureLoss:
    """Freeze the teachers, pair the layers and draw the projections.

    The global random state stays the same, so that student and baseline start alike. If
    attention is compared, both encoders are switched to the form that can show it.

    Args:
        settings: the parts to compare and their distances.
        student: the student's network.
        student_tokenizer: its tokenizer.
        teachers: by task, the member's model on that task.
        seed: seed of the projections.

    Raises:
        EncoderError: a teacher reads other tokens than the student, or cannot show its attention.
        ParamsError: a pair names a layer that is not there.
    """
    frozen, projections = {}, {}
    for task in sorted(teachers):
        network = teachers[task].network
        _check_tokens(task, student_tokenizer, teachers[task].tokenizer)
        for encoder in (student.encoder, network.encoder) if settings.attention else ():
            _show_attention(encoder)
        network.eval().requires_grad_(False)
        frozen[task] = FeatureTeacher(
            network,
            frozenset({*teachers[task].tokenizer.model_input_names, TEXTS}),
            _pairs(settings.hidden, "hidden", student, network),
            _pairs(settings.attention, "attention", student, network),
        )
        widths = student.encoder.config.hidden_size, network.encoder.config.hidden_size
        if settings.hidden and widths[0] != widths[1]:
            projections[task] = _projection(*widths, f"{seed}/{task}/projection")
    return FeatureLoss(settings, frozen, projections)


def uniform(student: int, teacher: int) -> Pairs:
    """Pairs of every student layer i of S with teacher layer i L / S, rounded, halves up.

    Args:
        student: number of the student's layers, S.
        teacher: number of the teacher's layers, L.
    """
    return tuple(
        (layer, max(1, (2 * layer * teacher + student) // (2 * student)))
        for layer in range(1, student + 1)
    )


def _pairs(
    part: FeatureMatching | None, name: str, student: MultiTaskModel, teacher: MultiTaskModel
) -> Pairs:
    if part is None:
        return ()
    depths = _depth(student), _depth(teacher)
    if part.layers == "uniform":
        return uniform(*depths)
    for pair in part.layers:
        if pair[0] > depths[0] or pair[1] > depths[1]:
            raise ParamsError(
                f"no such pair of layers: the student has {depths[0]}, the member {depths[1]}",
                seen=f"[{pair[0]}, {pair[1]}]",
                where=f"distillation.features.{name}.layers in params.yaml",
                fix="name pairs [student layer, teacher layer] counted from 1, or set it to "
                "uniform",
            )
    return tuple((first, second) for first, second in part.layers)


def _depth(network: MultiTaskModel) -> int:
    return int(network.encoder.config.num_hidden_layers)


def _check_tokens(
    task: str, student: PreTrainedTokenizerBase, teacher: PreTrainedTokenizerBase
) -> None:
    """Refuse a teacher that reads the student's token ids in another way."""
    what = None
    if student.get_vocab() != teacher.get_vocab():
        what = f"student and teacher of {task} have different vocabularies"
        seen = f"{len(student.get_vocab())} and {len(teacher.get_vocab())} pieces"
    elif lacking := set(teacher.model_input_names) - set(student.model_input_names):
        what = f"the teacher of {task} has inputs that the student's tokenizer does not give"
        seen = ", ".join(sorted(lacking))
    if what:
        raise EncoderError(
            what,
            seen=seen,
            where="distillation.features.member in params.yaml",
            fix="name a member that starts from an encoder of the student's family, or set "
            "distillation.features to null",
        )


def _show_attention(encoder: PreTrainedModel) -> None:
    if not attention.show(encoder):
        raise EncoderError(
            "this encoder does not show its attention probabilities",
            seen=type(encoder).__name__,
            where="distillation.features.attention in params.yaml",
            fix="set it to null",
        )


def _projection(width: int, to: int, seed: str) -> Tensor:
    """Weights `(width, to)` that keep the size of what they project (W_h of Eq. 8)."""
    generator = torch.Generator().manual_seed(random.Random(seed).getrandbits(63))
    weights: Tensor = torch.randn(width, to, generator=generator) / width**0.5
    return weights


def _weighted(part: FeatureMatching, distance: Any, pairs: Sequence[Any], mask: Tensor) -> Tensor:
    each = [distance(part.loss, student, teacher, mask) for student, teacher in pairs]
    return part.weight * torch.stack(each).mean()


def _key(task: str) -> str:
    """A task may have a name that a parameter dict keeps for itself, such as `values`."""
    return f"task_{task}"
