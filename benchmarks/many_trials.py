"""python -m benchmarks.many_trials [--trials 1000] [--tuner random]: what the coordinator does for each trial.

The trials are trivial, they end at once and leave two archives of 100 kB each, so what is measured is the oracle, the
study's files with their syncs, TensorBoard's tab and the bound of 20 MB on the disk. Writes results/many_trials.json.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

from benchmarks.result_files import result_options, spread, write_result

ARCHIVE = 100_000
DISK = "20MB"


class Trivial:
    """An executor of trials that end at once, with a score that follows from their point."""

    slots = 4

    def __init__(self) -> None:
        self.times: list[float] = []
        self._waiting: list[str] = []

    def start(self, trial_id: str, directory: Path, timeout: float) -> None:
        from keras_cnn.files import write_json
        from keras_cnn.records import read_json
        from keras_cnn.training.run_directory import METRICS

        for name in ("best.npz", "checkpoint.npz"):
            (directory / name).write_bytes(bytes(ARCHIVE))
        values = read_json(directory / "trial.json")["hyperparameters"]
        score = sum(map(float, filter(lambda value: isinstance(value, float), values.values()))) % 1
        metrics = {
            "score": score,
            "loss": 1.0,
            "best_epoch": 1,
            "parameters": 1,
            "history": {"val_accuracy": [score]},
        }
        write_json(
            directory / METRICS, {"state": "COMPLETED", **metrics, "seconds": 0.01, "ended": time.time()}
        )
        self._waiting.append(trial_id)
        self.times.append(time.perf_counter())

    def stop(self, trial_id: str) -> None:
        """It has ended already."""

    def wait(self, seconds: float) -> list:
        from tuning.executors.base import ENDED, Event

        events, self._waiting = [Event(trial_id, ENDED) for trial_id in self._waiting], []
        return events

    def memory(self) -> int:
        return 0


def main(trials: int, tuner: str) -> None:
    from keras_cnn.tensorflow_import import import_tensorflow

    import_tensorflow()
    from keras_cnn.data.sources import load
    from keras_cnn.training.config import TrainSettings
    from tuning.config import StudyConfig
    from tuning.reporting.progress import Progress
    from tuning.search_loop import run_search
    from tuning.search_settings import SearchSettings

    facts = load("digits").facts
    executor, disk = Trivial(), 0
    with tempfile.TemporaryDirectory() as folder:
        search = SearchSettings(tuner=tuner, trials=trials, disk=DISK)
        study = StudyConfig(Path(folder) / "study", search, TrainSettings().resolved(facts), {}, facts)
        study.write()

        def say(line: str) -> None:
            nonlocal disk
            if len(executor.times) % 100 == 0:
                disk = max(disk, sum(path.stat().st_size for path in study.directory.glob("trials/*/*.npz")))

        run_search(study, executor, Progress(say))
        files = sum(path.stat().st_size for path in study.directory.rglob("*") if path.is_file())
    blocks = [executor.times[n : n + 101] for n in range(0, trials - 1, 100)]
    times = [1000 * (block[-1] - block[0]) / (len(block) - 1) for block in blocks]
    write_result(
        "many_trials",
        {
            "tuner": tuner,
            "trials": trials,
            "milliseconds_per_trial": spread(times) | {"each_hundred": times},
            "weights_megabytes": disk / 1e6,
            "weights_limit": DISK,
            "files_kilobytes_per_trial": files / trials / 1e3,
            "peak_mebibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        },
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], parents=[result_options()])
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--tuner", default="random")
    options = parser.parse_args()
    main(options.trials, options.tuner)
