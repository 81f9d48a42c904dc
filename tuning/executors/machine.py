"""Where a search runs: its options and its executor."""

import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from keras_cnn.errors import InputError, unknown_name
from tuning.executors.base import Executor
from tuning.keras_tuner_import import import_tuner

logger = logging.getLogger(__name__)

EXECUTORS = ("local", "ray")
GPU_DEVICES = ("nvidia[0-9]*", "kfd", "dxg")  # files in /dev
AUTO_THREADS = 4  # of a trial of the tuner `auto`


@dataclass(frozen=True)
class MachineSettings:
    """Where to run trials.

    Args:
        workers: how many trials at once; auto: one for every gpus_per_trial GPUs, or without a GPU one a processor
            (of every --threads of them; auto takes up to four), as far as the memory goes.
        gpus_per_trial: GPUs of each trial, under one MirroredStrategy; without a GPU it is not looked at.
        executor: local, or ray: on a Ray cluster (the extra `ray`).
        address: of the Ray cluster: HOST:PORT of its head, or auto for the one this machine belongs to; one is started
            here if not given.
    """

    workers: int | str = "auto"
    gpus_per_trial: int = 1
    executor: str = "local"
    address: str | None = None

    def __post_init__(self) -> None:
        if self.executor not in EXECUTORS:
            raise unknown_name("executor", self.executor, EXECUTORS)
        if self.workers != "auto" and (isinstance(self.workers, str) or self.workers < 1):
            raise InputError(f"workers={self.workers} must be auto or at least 1.")
        if self.gpus_per_trial < 1:
            raise InputError(f"gpus_per_trial={self.gpus_per_trial} must be at least 1.")
        if self.address is not None and self.executor != "ray":
            raise InputError(f"--address {self.address} is a Ray cluster's: give --executor ray with it.")

    @property
    def max_workers(self) -> int | None:
        """The number of workers; None for auto."""
        return None if self.workers == "auto" else int(self.workers)


def count_gpus(machine: MachineSettings) -> int:
    """How many GPUs there are for trials, here or on the cluster. This process leaves them to the workers.

    On a machine whose kernel shows none this takes no import of TensorFlow, so that workers can begin theirs first.
    """
    if machine.executor == "local" and not may_have_gpus():
        return 0
    import_tuner()
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    try:
        tf.config.set_visible_devices([], "GPU")
    except RuntimeError:  # it has used them, as in a notebook
        logger.info(
            "note: TensorFlow has used the GPUs in this process and may hold their memory, which workers then lack: "
            "restart Python, or set TF_FORCE_GPU_ALLOW_GROWTH=true before it starts"
        )
    if machine.executor == "ray":
        from tuning.executors.ray import connect, resources

        connect(machine.address)
        return int(resources().get("GPU", 0))
    return len(gpus)


def may_have_gpus() -> bool:
    """Whether TensorFlow might find a GPU: unless Linux has no device of NVIDIA, of AMD, or of Windows around it."""
    return sys.platform != "linux" or any(
        found for pattern in GPU_DEVICES for found in Path("/dev").glob(pattern)
    )


def each_trial(
    machine: MachineSettings, gpus: int, devices: int | None, threads: int | None, tuner: str
) -> tuple[int | None, int | None]:
    """(devices, threads) of every trial of a new study: they are part of it, for other numbers would give other scores.

    Without a GPU and a word from the user a thread each, of `auto` four, or as many as the workers leave for one. What
    `auto` tries next depends on its first trainings, so that their time counts more than how many run at once: of nets
    on 32x32 pixels two threads train one as fast as two processes train half of one each.
    """
    if threads is not None and threads < 1:
        raise InputError(f"threads={threads} must be at least 1.")
    if gpus:
        return machine.gpus_per_trial, threads
    workers = machine.max_workers
    processors, most = os.cpu_count() or 1, AUTO_THREADS if tuner == "auto" else 1
    return devices, threads or (max(1, processors // workers) if workers else min(most, processors))


def make_executor(
    machine: MachineSettings,
    gpus: int,
    devices: int | None,
    threads: int | None,
    request: dict[str, str] | None = None,
) -> Executor:
    """The executor, not yet started. Raises InputError for more workers than there are GPUs for.

    request: as `LocalExecutor` takes it.
    """
    from tuning.executors.local import LocalExecutor
    from tuning.executors.resources import assign_resources

    if machine.executor == "ray":
        from tuning.executors.ray import RayExecutor

        return RayExecutor(machine.max_workers, (devices or 1) if gpus else 0, devices, threads)
    return LocalExecutor(assign_resources(machine.max_workers, gpus, devices, threads), request)
