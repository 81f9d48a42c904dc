"""How trials share a machine: a worker for every few GPUs, or on processors one for every few threads."""

import os
from dataclasses import dataclass

from keras_cnn.data.array_store import free_memory
from keras_cnn.errors import InputError

# TensorFlow, a net of the size that processors train, and its data
WORKER_BYTES = 2e9
VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class WorkerResources:
    """What one worker may use: the GPUs of these numbers under one MirroredStrategy, or `threads` of the processors,
    split into `devices` logical devices. threads: None for TensorFlow's default."""

    gpus: tuple[str, ...] = ()
    devices: int | None = None
    threads: int | None = None

    @property
    def environment(self) -> dict[str, str]:
        return {VISIBLE: ",".join(self.gpus)} if self.gpus else {}


def assign_resources(
    workers: int | None, gpus: int, devices: int | None, threads: int | None
) -> list[WorkerResources]:
    """The places of `workers` (None: as many as are worth it) on a machine with `gpus`.

    devices: GPUs, or without any logical devices, of each worker; threads: of each. Raises InputError for fewer than 1
    worker, or more than there are GPUs for.
    """
    if workers is not None and workers < 1:
        raise InputError(f"workers={workers} must be auto or at least 1.")
    if not gpus:
        return [WorkerResources((), devices, threads)] * (workers or default_worker_count(threads))
    each, names = devices or 1, _names(gpus)
    most = len(names) // each
    if most < 1 or (workers or 1) > most:
        wanted = f"{workers or 1} workers of {each} GPUs"
        raise InputError(f"{wanted} each are wanted, but this machine shows {gpus} GPUs.")
    return [
        WorkerResources(tuple(names[n * each : (n + 1) * each]), each, threads)
        for n in range(workers or most)
    ]


def default_worker_count(threads: int | None) -> int:
    """One worker for every `threads` processors that this process may use, as far as the memory that is free goes.

    Small trials are tracing and launching for the most part, which one thread does as fast as two.
    """
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    room = min(free_memory() / WORKER_BYTES, processors)
    return max(1, min(processors // (threads or processors), int(room)))


def _names(gpus: int) -> list[str]:
    """The numbers or names that CUDA knows the visible GPUs by."""
    visible = os.environ.get(VISIBLE)
    return visible.split(",")[:gpus] if visible else [str(number) for number in range(gpus)]
