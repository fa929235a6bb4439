"""Choose the library of a CPU's float32 matrix products: torch's default, or oneDNN.

On AMD's processors MKL leaves half of AVX-512 unused; oneDNN, which comes with torch, does not. The
error of a product is the same size with both, but not the last bit, so the name of the library is
a part of the processor's: see `Hardware.chip`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.errors import ParamsError

if TYPE_CHECKING:
    from torch import Tensor

MKL, ONEDNN = "mkl", "onednn"
_FLOAT32_ERROR = 1e-6  # relative; measured: 3e-7 in float32, 2e-3 in bfloat16
_SIZE = 256


def switch(wanted: str) -> tuple[str, str]:
    """Let torch multiply float32 matrices on a CPU by a library.

    Args:
        wanted: `machine.products` of params.yaml: auto, mkl or onednn.

    Returns:
        The library's name, and the reason for it.

    Raises:
        ParamsError: oneDNN is wanted where torch has none, or where it would round to bfloat16.
    """
    if wanted == ONEDNN and not _switched(ONEDNN):
        _switched(MKL)
        raise ParamsError(
            "torch has no oneDNN here, or it would round float32 products to bfloat16",
            seen=wanted,
            where="machine.products in params.yaml",
            fix="set it to auto or mkl: dvc exp run -S machine.products=auto",
        )
    if wanted != "auto":
        _switched(wanted)
        return wanted, "set in params.yaml"
    if _faster_with_onednn() and _switched(ONEDNN):
        return ONEDNN, "faster on AMD with AVX-512"
    _switched(MKL)
    return MKL, "torch's default"


def by_onednn(tensor: Tensor) -> bool:
    """Whether oneDNN multiplies a tensor on a CPU; narrow ones always, float32 by `switch`."""
    import torch

    if tensor.device.type != "cpu":
        return False
    if tensor.dtype == torch.float32:
        return bool(_setting().fp32_precision == "bf16")
    return tensor.dtype in (torch.bfloat16, torch.float16)


def _faster_with_onednn() -> bool:
    """A rule and no probe: what decides the last bit must not depend on a stopwatch."""
    import torch

    processor = torch.cpu.get_capabilities()
    return (
        str(processor.get("cpu_name", "")).startswith("AMD")
        and torch.backends.cpu.get_cpu_capability().startswith("AVX512")
        and not processor.get("amx_tile")
    )


def _switched(library: str) -> bool:
    """Whether products are by the library now, and in float32."""
    import torch

    matmul = _setting()
    if library == MKL:
        matmul.fp32_precision = "none"
        return True
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    # torch asks oneDNN for float32 products only if they may be rounded. Without AMX oneDNN has
    # nothing narrower that is faster, and computes them in full; with AMX it does round.
    matmul.fp32_precision = "bf16"
    return _error() < _FLOAT32_ERROR


def _setting() -> Any:
    """Torch's setting of float32 products by oneDNN; its stubs do not have it."""
    import torch

    return torch.backends.mkldnn.matmul  # type: ignore[attr-defined]


def _error() -> float:
    """Relative error of a product of `_SIZE` x `_SIZE` float32 matrices."""
    import torch

    size = torch.arange(_SIZE * _SIZE, dtype=torch.float64).view(_SIZE, _SIZE)
    one, other = torch.sin(size), torch.cos(size)
    exact: Tensor = one.float().double() @ other.float().double()
    return float((one.float() @ other.float() - exact).norm() / exact.norm())
