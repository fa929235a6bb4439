"""Section `machine`: device, precision, engine, threads and shards."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from pipeline.params.fields import DEVICE, Count, Section


class Machine(Section):
    """The hardware; precision, engine and shards decide results; the rest reruns nothing."""

    device: Annotated[str, StringConstraints(pattern=DEVICE)]
    """Processor of training and scoring; auto: the first GPU if there is one."""
    precision: Literal["auto", "float32", "bfloat16", "float16"]
    """Precision of matrix products; auto: bfloat16 where the GPU has it, else float32."""
    engine: Literal["fast", "plain"]
    """What a model trains with. fast: on a CPU dropout and attention that are drawn from seeds of
    their own, and shards side by side. plain: torch's dropout and transformers' attention, a batch
    in one piece and in one thread. Without dropout losses of the two are the same within 1e-5 of
    their size a step; with it only on average, as the masks are others."""
    threads: Literal["auto"] | Count
    """CPU threads of one stage; auto divides the physical cores among parallel stages."""
    shards: Literal["auto"] | Count
    """Parts of a training batch that threads work on; they decide masks and a sum's last bit. auto:
    as many as physical cores, up to 8. On a GPU and with the plain engine there is 1. For the same
    bytes on machines with other numbers of cores set it to a number."""
    labelling_tokens: Annotated[int, Field(ge=512)]
    """Tokens, padding included, that one forward pass holds when rows are scored."""
    checkpoint_seconds: Annotated[float, Field(ge=0)]
    """Seconds between checkpoints of a training, more where writing one takes over a fiftieth of
    that. 0: one before every step, whatever it costs."""
