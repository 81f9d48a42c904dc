"""Run trials as tasks of a Ray cluster, which places them and notices when a node is lost.

A lost trial continues from what its task sent back after the last epoch. Optional: the extra `ray`.
"""

import logging
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import keras_cnn
import tuning
from keras_cnn.errors import InputError
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.run_directory import CHECKPOINT, LATENCY, SECONDS
from tuning.config import FAILED, OUT_OF_MEMORY, TIMED_OUT
from tuning.executors.base import ENDED, EPOCH, Event
from tuning.executors.local import LocalExecutor
from tuning.executors.process import REQUESTS_PER_WORKER
from tuning.executors.ray_task import Files, train, write_files
from tuning.executors.ray_token import check_token
from tuning.executors.resources import WorkerResources
from tuning.trial import read_trial

# Ray reads it when it is imported; without it anyone who can reach the cluster could run code there
os.environ.setdefault("RAY_AUTH_MODE", "token")
try:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
except ModuleNotFoundError as error:
    raise InputError("--executor ray needs Ray: pip install 'keras-cnn[ray]'.") from error

MODULES = [str(Path(module.__file__ or "").parent) for module in (keras_cnn, tuning)]


def connect(address: str | None) -> None:
    """Join the cluster at `address`, or start one on this machine; with tokens unless RAY_AUTH_MODE says otherwise.

    InputError if there is none, or it does not know the token, or others can read the token.
    """
    if ray.is_initialized():
        return
    check_token(create=address is None)
    names = ("TFDS_DATA_DIR", "TF_CPP_MIN_LOG_LEVEL", "HF_HOME")
    variables = {name: os.environ[name] for name in names if name in os.environ}
    try:
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level=logging.ERROR,
            runtime_env={"py_modules": MODULES, "env_vars": variables},
        )
    except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        cause = str(error).strip().splitlines()[0]
        raise InputError(f"no Ray cluster can be joined at {address or 'this machine'}: {cause}") from None


def resources() -> dict[str, float]:
    """What the nodes of the cluster have together: CPU, GPU, memory, ..."""
    return ray.cluster_resources()


@ray.remote(num_cpus=0)
class StopFlags:
    """Which trials are to end after their present epoch."""

    def __init__(self) -> None:
        self._stopped: set[str] = set()

    def stop(self, trial_id: str) -> None:
        self._stopped.add(trial_id)

    def is_stopped(self, trial_id: str) -> bool:
        return trial_id in self._stopped


@ray.remote(max_calls=REQUESTS_PER_WORKER, max_retries=0, num_returns="streaming")
def run(trial_id: str, directory: str, files: Files, devices, threads, stop_flags):
    """`ray_task.train`, as a task."""
    yield from train(
        directory, files, devices, threads, lambda: ray.get(stop_flags.is_stopped.remote(trial_id))
    )


@dataclass
class _Task:
    trial_id: str
    directory: Path
    results: object  # Ray's generator
    until: float
    memory: int = 0
    started: float = field(default_factory=time.monotonic)


class RayExecutor:
    """Trials as Ray tasks of `gpus` GPUs, or of `threads` processors, each. A context manager.

    workers: how many at once; None for as many as the cluster has room for, also while it grows.
    """

    def __init__(self, workers: int | None, gpus: int, devices: int | None, threads: int | None):
        self._workers, self._gpus, self._devices, self._threads = workers, gpus, devices, threads
        self._tasks: dict[str, _Task] = {}
        # for what is not a trial: where the study is, and without a GPU
        self._here = LocalExecutor([WorkerResources(("-1",), devices, threads)])

    @property
    def slots(self) -> int:
        if self._workers:
            return self._workers
        have = resources()
        if self._gpus:
            return max(1, int(have.get("GPU", 0)) // self._gpus)
        return max(1, int(have.get("CPU", 1)) // (self._threads or 1))

    def __enter__(self) -> "RayExecutor":
        # beside the coordinator: on any other node it would be lost with that node, and every trial with it
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._board = StopFlags.options(scheduling_strategy=here).remote()  # type: ignore[attr-defined]
        self._here.__enter__()
        return self

    def __exit__(self, *error) -> None:
        self._here.__exit__(*error)
        for task in self._tasks.values():
            ray.cancel(task.results, force=True)
        ray.shutdown()

    def start(self, trial_id: str, directory: Path, timeout: float) -> None:
        root = directory.parents[1]  # of the study: a trial has its logs, and its parent, beside it
        arguments = {"num_gpus": self._gpus} if self._gpus else {"num_cpus": self._threads or 1}
        results = run.options(**arguments).remote(
            trial_id,
            str(directory.relative_to(root)),
            _files_of(root, directory),
            self._devices,
            self._threads,
            self._board,
        )
        self._tasks[trial_id] = _Task(trial_id, directory, results, time.monotonic() + timeout)

    def stop(self, trial_id: str) -> None:
        ray.get(self._board.stop.remote(trial_id))

    def wait(self, seconds: float) -> list[Event]:
        ready, _ = ray.wait([task.results for task in self._tasks.values()], timeout=seconds)
        events = [self._take(task) for task in list(self._tasks.values()) if task.results in ready]
        late = [task for task in self._tasks.values() if time.monotonic() > task.until]
        for task in late:
            ray.cancel(task.results, force=True)
            message = f"it took longer than {task.until - task.started:.0f} s"
            events.append(self._end(task, {"state": TIMED_OUT, "message": message}))
        return events

    def memory(self) -> int:
        return sum(task.memory for task in self._tasks.values())

    def facts(self, settings: TrainSettings, download: bool) -> dict:
        return self._here.facts(settings, download)

    def check(self, settings: TrainSettings) -> None:
        self._here.check(settings)

    def space(self, settings: TrainSettings) -> dict:
        return self._here.space(settings)

    def export(self, run: Path, destination: Path, formats: Sequence[str]) -> Path:
        return self._here.export(run, destination, formats)

    def _take(self, task: _Task) -> Event:
        """The next thing a task has sent, its files laid into the study."""
        try:
            answer, files = ray.get(next(task.results))  # type: ignore[call-overload]
        except ray.exceptions.OutOfMemoryError as error:
            return self._end(task, {"state": OUT_OF_MEMORY, "message": _cause(error)})
        except ray.exceptions.RayError as error:  # the node, the process, or what may go well next time
            return self._end(task, {"state": FAILED, "message": _cause(error)})
        write_files(task.directory.parents[1], files)
        if answer["event"] == "refused":
            raise InputError(answer["message"])
        if answer["event"] == "done":
            return self._end(task, {})
        task.memory = answer["memory"]
        return Event(task.trial_id, EPOCH, answer)

    def _end(self, task: _Task, death: dict) -> Event:
        del self._tasks[task.trial_id]
        return Event(task.trial_id, ENDED, death)


def _files_of(root: Path, directory: Path) -> Files:
    """What a node needs of the study to begin a trial or to go on with it."""
    paths = [path for path in directory.rglob("*") if path.is_file()]
    spec = read_trial(directory)
    if spec.start_from:
        parent = directory / spec.start_from
        paths += [path.resolve() for name in (CHECKPOINT, SECONDS, LATENCY) for path in parent.rglob(name)]
    base = root.resolve()
    return {
        str(path.resolve().relative_to(base)): (0, path.read_bytes()) for path in paths if path.name[0] != "."
    }


def _cause(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1] if lines else 'the node or the process is gone'}"
