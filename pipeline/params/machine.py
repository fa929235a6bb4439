"""Section `machine`: device, precision, engine, threads and shards."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from pipeline.params.fields import DEVICE, Count, Section


class Machine(Section):
    """The hardware: device, precision, products, engine, shards and labelling_tokens decide bytes.

    dvc.yaml lists the keys whose change reruns a stage: precision, engine, shards and
    labelling_tokens. Their auto is replaced by this machine's value when a profile is applied or
    `make repro` meets it. A change of device or products reruns nothing: another processor's
    results are as good.
    """

    device: Annotated[str, StringConstraints(pattern=DEVICE)]
    """Processor of training and scoring; auto: the first GPU if there is one."""
    precision: Literal["auto", "float32", "bfloat16", "float16"]
    """Precision of matrix products; auto: bfloat16 where the GPU has it, else float32. A CPU with
    avx512_bf16, AMX or Arm's bf16 is two to three times as fast in bfloat16 as in float32."""
    products: Literal["auto", "mkl", "onednn"]
    """Library of float32 products on a CPU. mkl: torch's default, which is MKL on x86. auto: oneDNN
    on AMD with AVX-512, where it is twice as fast, else mkl. Results differ in the last bit."""
    engine: Literal["fast", "plain"]
    """How a model trains. fast: on a CPU dropout and attention draw their masks from seeds of their
    own, and shards run in parallel. plain: torch's dropout and transformers' attention, a batch in
    one piece and in one thread. Without dropout the losses of both agree within 1e-5 of their size
    per step; with dropout only on average, as the masks differ."""
    threads: Literal["auto"] | Count
    """CPU threads of one stage; auto divides the physical cores among parallel stages."""
    shards: Literal["auto"] | Count
    """Parts of a training batch that threads work on; they decide masks and a sum's last bit. auto:
    as many as physical cores, up to 8. A GPU and the plain engine take a batch in one piece."""
    labelling_tokens: Literal["auto"] | Annotated[int, Field(ge=512)]
    """Tokens, padding included, that one forward pass holds when rows are scored; they decide the
    last bits of logits. auto: 4,096; on a GPU 1,024 for each GiB of its memory, rounded down to a
    power of two: 65,536 with 80 GB."""
    checkpoint_seconds: Annotated[float, Field(ge=0)]
    """Seconds between checkpoints of a training; more if writing one takes over a fiftieth of
    that. 0: one before every step, whatever it costs."""
