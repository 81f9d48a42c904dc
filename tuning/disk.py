"""Keep a study's weights and checkpoints within a bound: those of the best trials stay."""

from collections.abc import Callable
from pathlib import Path

import keras_tuner as kt

from keras_cnn.training.callbacks import BEST_WEIGHTS, CHECKPOINT
from tuning.oracles import ranking
from tuning.quantities import to_bytes
from tuning.settings import COMPLETED, RUNNING, Study


class Shelf:
    """The archives of all trials of a study; `tidy` takes the worst away when they are more than `--disk` allows.

    Checkpoints go before weights, and bad trials before good ones. What runs, what others yet continue and the best
    trial's weights stay, so the bound is the user's wish and these are the truth.
    """

    def __init__(self, study: Study, slots: int):
        self._study, self._slots = study, slots
        self._most = to_bytes("disk", study.search.disk)
        self._sizes: dict[str, int] = {}
        for directory in study.directory.glob("trials/*"):
            self._measure(directory.name)

    def tidy(self, oracle: kt.Oracle, ended: str, say: Callable[[str], None]) -> None:
        """Take up the trial that has just ended, and make room."""
        if self._most == float("inf"):
            return
        self._measure(ended)
        room = self._most - self._slots * max(self._sizes.values())  # what runs will need as much again
        for name in (CHECKPOINT, BEST_WEIGHTS):
            for trial_id in self._worst_first(oracle):
                if sum(self._sizes.values()) <= room:
                    return
                self._drop(trial_id, name)
        if sum(self._sizes.values()) > self._most:
            say(
                f"note: {self._study.search.disk} of disk are not enough for the best trial and those that run."
            )

    def _worst_first(self, oracle: kt.Oracle) -> list[str]:
        needed = oracle.still_needed() if hasattr(oracle, "still_needed") else set()
        ended = [trial for trial in oracle.trials.values() if trial.status != RUNNING]
        completed = sorted((trial for trial in ended if trial.status == COMPLETED), key=ranking)
        failed = [trial for trial in ended if trial.status != COMPLETED]
        return [
            trial.trial_id for trial in [*failed, *reversed(completed[1:])] if trial.trial_id not in needed
        ]

    def _drop(self, trial_id: str, name: str) -> None:
        for path in self._archives(trial_id, name):
            path.unlink(missing_ok=True)
        self._measure(trial_id)

    def _measure(self, trial_id: str) -> None:
        self._sizes[trial_id] = sum(path.stat().st_size for path in self._archives(trial_id, "*.npz"))

    def _archives(self, trial_id: str, pattern: str) -> list[Path]:
        return [path for path in self._study.trial_directory(trial_id).rglob(pattern) if path.name[0] != "."]
