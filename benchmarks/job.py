"""Settings of one timed run: contestant, model, rows, epochs, threads and seed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from pipeline.params.training import Training

Kind = Literal["minilm", "minilm3", "base", "large", "student", "speck"]

Precision = Literal["float32", "bfloat16"]
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")

TEACHERS = 3
"""Teachers of a distillation, with seeds of their own."""
TEACHER: Kind = "minilm"
"""The model that each of them is."""


@dataclass(frozen=True)
class Job:
    """Settings of one contestant's run.

    Attributes:
        contestant: a name of `benchmarks.contestants.NAMES`.
        model: which model is trained or scores rows.
        task: GLUE task whose lengths the rows have.
        rows: how many rows; None for all.
        epochs: passes over them.
        threads: CPU threads.
        data: GLUE folder in the published layout; None for rows of random tokens.
        length: tokens of every row instead of the task's lengths.
        batch_size: rows of a batch.
        max_length: most tokens of a row.
        repeats: how often a contestant that measures two things in one process takes turns.
        seed: of weights, rows and order.
        device: torch's name of the processor.
        products: library of float32 products, as `machine.products` of params.yaml.
        precision: of the products; bfloat16 is torch's autocast for the other contestants.
        labelling_tokens: tokens of a pass when rows are scored.
        warmup: batches that pass before the timing.
    """

    contestant: str
    model: Kind
    task: str = "rte"
    rows: int | None = None
    epochs: int = 1
    threads: int = 1
    data: str | None = None
    length: int | None = None
    batch_size: int = 32
    max_length: int = 128
    repeats: int = 1
    seed: int = 1904
    device: str = "cpu"
    products: Literal["auto", "mkl", "onednn"] = "auto"
    precision: Precision = "float32"
    labelling_tokens: int = 4096
    warmup: int = 1

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(**values)

    @property
    def folder(self) -> Path | None:
        """The GLUE folder."""
        return None if self.data is None else Path(self.data)

    @property
    def recipe(self) -> Training:
        """Settings of training, the same for every contestant."""
        from pipeline.params.training import Training

        return Training(
            epochs=self.epochs,
            batch_size=self.batch_size,
            max_length=self.max_length,
            optimizer="adamw",
            learning_rate=1e-4,
            weight_decay=0.01,
            warmup=0.1,
            clip_norm=1.0,
            accumulation=1,
            batches="by_length",
            layer_decay=1.0,
            early_stopping=None,
        )
