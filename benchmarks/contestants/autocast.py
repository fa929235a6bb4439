"""torch's autocast for contestants that leave it to their users."""

from __future__ import annotations

import torch

from benchmarks.job import Job


def of(job: Job) -> torch.autocast:
    """Context, or decorator of a forward pass, in which products have the job's precision."""
    return torch.autocast("cpu", torch.bfloat16, enabled=job.precision == "bfloat16")
