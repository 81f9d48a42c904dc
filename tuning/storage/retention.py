"""Keep a study's weights and checkpoints within a bound: those of the best trials stay."""

import logging
from pathlib import Path

import keras_tuner as kt

from keras_cnn.quantities import to_bytes
from keras_cnn.training.run_directory import BEST_WEIGHTS, CHECKPOINT
from tuning.config import COMPLETED, RUNNING, StudyConfig
from tuning.oracles.base import rank_key
from tuning.storage.trials import trials

logger = logging.getLogger(__name__)

ARCHIVES = (CHECKPOINT, BEST_WEIGHTS)  # in the order in which they go


class CheckpointRetention:
    """The archives of all trials of a study; `enforce` deletes those of the worst when they exceed `--disk`.

    Checkpoints go before weights, and bad trials before good ones, those of a Pareto front last. What runs, what others
    yet continue and the best trial's weights stay, so the bound is the user's wish and these are the truth.
    """

    def __init__(self, study: StudyConfig, slots: int):
        self._study, self._slots = study, slots
        self._most = to_bytes("disk", study.search.disk)
        self._sizes: dict[tuple[str, str], int] = {}  # (trial, name of the archive) -> bytes
        self._total, self._largest = 0, 0
        if self._most < float("inf"):
            for directory in study.directory.glob("trials/*"):
                self._measure(directory.name)

    def enforce(self, oracle: kt.Oracle, ended: str) -> None:
        """Count the trial that has just ended, and delete archives down to the limit."""
        if self._most == float("inf"):
            return
        self._measure(ended)
        room = self._most - self._slots * self._largest  # what runs will need as much again
        if self._total > room:
            order = self._worst_first(oracle)
            for trial_id, name in ((trial_id, name) for name in ARCHIVES for trial_id in order):
                if self._total <= room:
                    return
                self._drop(trial_id, name)
        if self._total > self._most:
            logger.info(
                f"note: {self._study.search.disk} of disk space are not enough for the best trial and the running ones."
            )

    def _worst_first(self, oracle: kt.Oracle) -> list[str]:
        needed = oracle.still_needed() if hasattr(oracle, "still_needed") else set()
        ended = [trial for trial in oracle.trials.values() if trial.status != RUNNING]
        completed = [trial for trial in ended if trial.status == COMPLETED]
        completed.sort(key=lambda trial: rank_key(trial, self._study.sign))
        failed = [trial for trial in ended if trial.status != COMPLETED]
        order = [
            trial.trial_id for trial in [*failed, *reversed(completed[1:])] if trial.trial_id not in needed
        ]
        several = self._study.further_objectives
        front = {row["trial"] for row in trials(self._study) if row["pareto"]} if several else set()
        return sorted(order, key=lambda trial_id: trial_id in front)

    def _drop(self, trial_id: str, name: str) -> None:
        if self._sizes.get((trial_id, name)):
            for path in self._paths(trial_id, name):
                path.unlink(missing_ok=True)
            self._total -= self._sizes.pop((trial_id, name))

    def _measure(self, trial_id: str) -> None:
        for name in ARCHIVES:
            self._total -= self._sizes.pop((trial_id, name), 0)
            self._sizes[trial_id, name] = sum(path.stat().st_size for path in self._paths(trial_id, name))
            self._total += self._sizes[trial_id, name]
        self._largest = max(self._largest, sum(self._sizes[trial_id, name] for name in ARCHIVES))

    def _paths(self, trial_id: str, name: str) -> list[Path]:
        return list(
            self._study.trial_directory(trial_id).rglob(f"*{name}")
        )  # of every repeat, and half-written
