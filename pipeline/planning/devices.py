"""Named devices: memory, bandwidth, peak rates, and the share of the peak that training reaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from pipeline.errors import ParamsError
from pipeline.params.checks import messages

Precision = Literal["float32", "bfloat16", "float16"]
GB = 10**9
TERA = 10**12


@dataclass(frozen=True)
class Device:
    """One processor that trains one model at a time.

    Attributes:
        name: as given on the command line.
        title: full name.
        memory: bytes; None if it depends on the machine.
        bandwidth: bytes a second between the processor and its memory.
        peak: FLOP a second of dense matrix products, by precision; a missing precision
            has no fast products.
        reached: share of the peak that training reaches, by precision.
        automatic: the precision of `machine.precision: auto`.
        overhead: bytes of a process that are not tensors.
        fused: whether attention with dropout runs without keeping its probabilities.
    """

    name: str
    title: str
    memory: int | None
    bandwidth: float
    peak: Mapping[str, float]
    reached: Mapping[str, float]
    automatic: Precision
    overhead: float = 1 * GB
    fused: bool = True

    def precision(self, wanted: str) -> Precision:
        """The precision of `machine.precision` on this device; auto as in runtime/choices.py.

        Raises:
            ParamsError: the device has no fast products of the wanted precision.
        """
        if wanted == "auto":
            return self.automatic
        for known in ("float32", "bfloat16", "float16"):
            if wanted == known and known in self.peak:
                return known
        raise ParamsError(
            f"{self.name} has no fast {wanted} products; it has {', '.join(self.peak)}",
            seen=wanted,
            where="machine.precision in params.yaml",
            fix=f"plan with --set machine.precision={next(iter(self.peak))}",
        )

    def rate(self, precision: Precision) -> float:
        """FLOP a second that training reaches."""
        return self.peak[precision] * self.reached[precision]


# Peaks, memory and bandwidth are those of NVIDIA's data sheets, dense (a sheet's figure "with
# sparsity" is twice that), in the SXM form of A100, H100 and V100. float32 is without TF32, which
# the pipeline leaves off. The shares come from training runs of BERT: rows of 384 tokens, forward,
# backward and optimizer, counted with `cost.forward` (739 GFLOP a row of BERT-large).
#
# NVIDIA DeepLearningExamples, PyTorch/LanguageModeling/BERT/README.md (container 21.11),
# "Training performance", SQuAD, BERT-large, one GPU:
#   A100 80GB, batch 32, mixed precision: 110.5 rows/s = 81.7 TFLOP/s = 0.26 of 312
#   V100 32GB, batch 16, mixed precision: 52 rows/s = 38.4 TFLOP/s = 0.31 of 125
#   V100 32GB, batch 8, float32: 12 rows/s = 8.9 TFLOP/s = 0.56 of 15.7
# Lambda, github.com/lambdal/deeplearning-benchmark, pytorch/pytorch-train-throughput-v2-fp16.csv,
# bert_large_squad, one H100 SXM5: 310 rows/s = 229 TFLOP/s = 0.23 of 989.
# T4: ModernBERT-base (110 million weights in layers), batch 32 of at most 128 tokens, float16,
# 0.30 s a step (earino.github.io/applied-deep-learning, "Your T4 training is 4x slower"):
# at most 9.0 TFLOP/s = 0.14 of 65.
# L4: no run of BERT was found; 0.2 of 121 is 2.7 times the T4, as fine-tuning comparisons have it.
# No float32 run without TF32 was found for other GPUs than the V100: its share is used for all.
_FLOAT32 = 0.56


def _gpu(
    name: str,
    title: str,
    gigabytes: int,
    bandwidth: float,
    tensor: float,
    share: float,
    plain: float,
) -> Device:
    """A GPU with products of 16 bits at `tensor` and of 32 at `plain` TFLOP a second."""
    short: tuple[str, ...] = ("bfloat16", "float16")
    automatic: Precision = "bfloat16"
    if name in _WITHOUT_BFLOAT16:
        short, automatic = ("float16",), "float32"
    peak = {**dict.fromkeys(short, tensor * TERA), "float32": plain * TERA}
    reached = {**dict.fromkeys(short, share), "float32": _FLOAT32}
    return Device(name, title, gigabytes * GB, bandwidth * GB, peak, reached, automatic)


_WITHOUT_BFLOAT16 = {"v100-32gb", "t4"}

# One core, one thread, torch 2.13, float32 by oneDNN. Peaks and shares: benchmark `limit`
# (docs/performance.md): the fastest matrix products alone, and a training step of MiniLM-L6 on rows
# of 64 tokens. By MKL, with `machine.products: mkl`, a step takes twice as long. Bandwidth: copying
# 200 MB. Overhead: as tests/pipeline/planning/conftest.py has it, of another run.
_CPU = Device(
    name="cpu",
    title="core of an AMD EPYC (Zen 5)",
    memory=None,
    bandwidth=31 * GB,
    peak={"float32": 230 * GB, "bfloat16": 416 * GB},
    reached={"float32": 0.7, "bfloat16": 0.68},
    automatic="float32",
    overhead=1.29 * GB,
    fused=False,
)

NAMED: Mapping[str, Device] = MappingProxyType(
    {
        device.name: device
        for device in (
            _gpu("a100-40gb", "NVIDIA A100 SXM 40 GB", 40, 1555, 312, 0.26, 19.5),
            _gpu("a100-80gb", "NVIDIA A100 SXM 80 GB", 80, 2039, 312, 0.26, 19.5),
            _gpu("h100", "NVIDIA H100 SXM 80 GB", 80, 3350, 989, 0.23, 66.9),
            _gpu("v100-32gb", "NVIDIA V100 SXM2 32 GB", 32, 900, 125, 0.31, 15.7),
            _gpu("l4", "NVIDIA L4 24 GB", 24, 300, 121, 0.2, 30.3),
            _gpu("t4", "NVIDIA T4 16 GB", 16, 320, 65, 0.14, 8.1),
            _CPU,
        )
    }
)


def find(name: str) -> Device:
    """The device of a name.

    Raises:
        ParamsError: no device has it.
    """
    if name not in NAMED:
        raise ParamsError(
            f"no such device{messages.near(name, NAMED)}",
            seen=name,
            where="--device",
            fix=f"choose one of {', '.join(NAMED)}",
        )
    return NAMED[name]
