"""Take one step: passes of its batches, their gradients, the optimizer's update."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from pipeline.model import bfloat16
from pipeline.model.multitask import MultiTaskModel
from pipeline.runtime import current_batch
from pipeline.runtime.hardware import Hardware
from pipeline.runtime.thread_pool import ThreadPool
from pipeline.training import optimizers
from pipeline.training.gradients import Gradients
from pipeline.training.losses.objective import Objective, Outputs, TrainingSet
from pipeline.training.random_streams import Purpose, stream
from pipeline.training.resume.resume import State
from pipeline.training.sharded_optimizer import Updates
from pipeline.training.shards import Seeding, ShardedPasses
from pipeline.training.task_sampling import Step

if TYPE_CHECKING:
    from pipeline.training.run import Run


_WEIGHTS, _NUMBERS = "weights/", "optimizer/"  # prefixes of the tensors' names


class TrainingStep:
    """The optimizer of a run, and the number of steps that are done.

    Args:
        model: the model to train, on the machine's device.
        sets: training rows by task.
        run: settings and seed.
        machine: device, precision, shards.
        workers: threads for the shards.
        steps: number of all steps.
        seeding: as yielded by `engine`.
    """

    def __init__(
        self,
        model: MultiTaskModel,
        sets: Mapping[str, TrainingSet],
        run: Run,
        machine: Hardware,
        workers: ThreadPool,
        steps: int,
        seeding: Seeding | None = None,
    ) -> None:
        self.sets, self.run, self.steps, self.done = sets, run, steps, 0
        self._model, self._workers = model, workers
        network = bfloat16.narrowed(model, machine)
        self._copies = bfloat16.copies(model, network.train())
        self._objective = Objective(
            network, machine, run.distillation, run.task_weights, run.feature_loss
        )
        further = [] if run.feature_loss is None else [*run.feature_loss.parameters()]
        weights = [weight for weight in (*model.parameters(), *further) if weight.requires_grad]
        used = [self._copies.get(weight, weight) for weight in weights]
        self._passes = ShardedPasses(used, workers, machine.shards, run.seed, seeding)
        self._gradients = Gradients(weights, workers)
        self._scaler: Any = torch.amp.GradScaler(
            machine.device.partition(":")[0], enabled=machine.precision == "float16"
        )
        owners = (
            ThreadPool(1) if self._scaler.is_enabled() else workers
        )  # one scale for all weights
        groups = optimizers.groups(model, run.settings, further)
        self.updates = Updates(groups, weights, run.settings, machine.device, owners)

    def take(self, step: Step) -> tuple[Tensor, float]:
        """Take one step; its loss, a mean over its rows, and its learning rate."""
        rate = optimizers.rate(self.done, self.steps, self.run.settings)
        self.updates.set_rate(rate)
        bfloat16.follow(self._copies, self._workers)
        parts = [self._batch(step, place) for place in range(len(step.batches))]
        self.updates.set_gradients(self._gradients.collect())
        for optimizer in self.updates.optimizers:
            self._scaler.unscale_(optimizer)
        # With its factor, or clipping would undo the effect of the factor on a loss.
        factor = self.run.task_weights.get(step.task, 1.0)
        self._gradients.clip(self.run.settings.clip_norm * factor)
        self.updates.step(self._scaler)
        self._scaler.update()
        self._gradients.clear()
        current_batch.clear()
        self.done += 1
        return torch.stack(parts).sum(), rate

    def state(self) -> State:
        """Weights, the optimizer's numbers and the number of steps done.

        No random state is needed: every draw is seeded by run, step, batch and shard.
        """
        tensors = {f"{_WEIGHTS}{name}": weight for name, weight in self._weights().items()}
        tensors |= {f"{_NUMBERS}{name}": value for name, value in self.updates.state().items()}
        return State(tensors, {"done": self.done, "scaler": self._scaler.state_dict()})

    def load_state(self, state: State) -> None:
        """Restore what `state` returned; the bytes are the same on other threads."""
        with torch.no_grad():  # in place: the optimizer refers to these tensors
            for name, weight in self._weights().items():
                weight.copy_(state.tensors[_WEIGHTS + name])
        self.updates.restore(state.within(_NUMBERS))
        self._scaler.load_state_dict(state.facts["scaler"])
        self.done = state.facts["done"]

    def _weights(self) -> dict[str, Tensor]:
        """Weights and buffers of model and feature loss by name, each once."""
        modules = {"model": self._model, "feature_loss": self._objective.feature_loss}
        named = {
            f"{owner}.{name}": value
            for owner, module in modules.items()
            if module is not None
            for name, value in module.state_dict(keep_vars=True).items()
        }
        once = {value: name for name, value in reversed(named.items())}
        return dict(zip(once.values(), once, strict=True))

    def _batch(self, step: Step, place: int) -> Tensor:
        """Add one batch's gradients, weighted by its share of the step's rows; its loss."""
        task, batch = step.task, step.batches[place]
        rows = self.sets[task]
        longest = int(rows.tokens.lengths[batch].max())
        current_batch.start("training", task, len(batch), longest)
        own = self._passes.of_rows(rows.tokens, batch, self.done, place)
        places, pairs = self._extra_pairs(rows, batch, place)
        shards = self._passes.of_inputs(pairs, self.done, place) if len(places) else []
        outputs = self._passes.forward(partial(self._objective.forward, task), [*own, *shards])
        leaves = [output.cut() for output in outputs]
        extra = (places, leaves[len(own) :]) if shards else None
        progress = self.done / self.steps
        loss = self._objective.loss(task, rows, batch, leaves[: len(own)], progress, extra)
        loss = loss * (len(batch) / step.rows)
        tensors = [tensor for leaf in leaves for tensor in leaf.tensors]
        gradients = torch.autograd.grad(self._scaler.scale(loss), tensors)
        self._gradients.add(self._passes.backward(outputs, _grouped(leaves, gradients)))
        return loss.detach()

    def _extra_pairs(self, rows: TrainingSet, batch: Any, place: int) -> tuple[Any, Any]:
        if rows.extra_pairs is None:
            return (), {}
        random = stream(self.run.seed, Purpose.NEGATIVES, self.done, place)
        return rows.extra_pairs.draw(batch, random)


@contextmanager
def engine(kind: str, model: MultiTaskModel) -> Iterator[Seeding | None]:
    """Within the block a model trains with an engine's dropout and attention.

    Args:
        kind: `machine.engine` of params.yaml: fast, or plain for those of torch and transformers.
        model: the model to train.

    Yields:
        The function that seeds the masks of a pass; None where torch draws them.
    """
    if kind == "plain":
        yield None
        return
    from pipeline.model.fast import switch

    with switch.switched_on(model) as seeding:
        yield seeding


def _grouped(leaves: Sequence[Outputs], gradients: Sequence[Tensor]) -> list[list[Tensor]]:
    """Gradients of the leaves, one list per pass."""
    remaining = iter(gradients)
    return [[next(remaining) for _ in leaf.tensors] for leaf in leaves]
