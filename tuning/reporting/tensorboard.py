"""TensorBoard's HPARAMS tab: every finished trial with its hyperparameters, its score and how it ended.

Stock KerasTuner leaves the tab with the metrics of the last epoch, never the score that ranks the trial.
"""

import time
from pathlib import Path

import keras_tuner as kt
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api as hp
from tensorboard.plugins.hparams import api_pb2, summary
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from tuning.config import COMPLETED

METRICS = {
    "trial/score": "score",
    "trial/best_epoch": "best epoch",
    "trial/seconds": "seconds",
    "trial/parameters": "parameters",
}
# Hyperband's rung of a trial, and how the trial ended, are shown beside its hyperparameters
OF_THE_TUNER = ("tuner/bracket", "tuner/round", "tuner/epochs", "state")


def write_space(logs: Path, space: kt.HyperParameters, objective: str) -> None:
    """Announce the study's hyperparameters and metrics in its log directory. objective: what the score is."""
    hparams = [hp.HParam(parameter.name, _domain(parameter)) for parameter in space.space]
    hparams += [hp.HParam(name) for name in OF_THE_TUNER]
    titles = METRICS | {"trial/score": f"score ({objective})"}
    metrics = [hp.Metric(tag, display_name=title) for tag, title in titles.items()]
    _write(logs, [hp.hparams_config_pb(hparams=hparams, metrics=metrics)])


def write_trial(logs: Path, trial_id: str, hyperparameters: dict, metrics: dict) -> None:
    """Write a finished trial's hyperparameters, metrics and state into its own log directory.

    metrics: the trial's metrics.json; what it lacks (a failed trial has no score) is left out.
    """
    now = time.time()
    succeeded = metrics["state"] == COMPLETED
    scalars = [(tag, metrics.get(tag.partition("/")[2])) for tag in METRICS]
    _write(
        logs,
        [
            hp.hparams_pb(
                {**hyperparameters, "state": metrics["state"]},
                trial_id=trial_id,
                start_time_secs=now - metrics["seconds"],
            ),
            *(scalar_pb(tag, value) for tag, value in scalars if value is not None),
            summary.session_end_pb(
                api_pb2.STATUS_SUCCESS if succeeded else api_pb2.STATUS_FAILURE, end_time_secs=now
            ),
        ],
    )


def _domain(parameter: kt.engine.hyperparameters.HyperParameter):
    """The range of a number without steps, else the choices."""
    if isinstance(parameter, kt.engine.hyperparameters.Float) and parameter.step is None:
        return hp.RealInterval(parameter.min_value, parameter.max_value)
    return hp.Discrete(list(parameter.values))


def _write(logs: Path, summaries: list) -> None:
    writer = EventFileWriter(str(logs))
    for value in summaries:
        # some come in TensorFlow's message class, some in TensorBoard's own
        ours = Summary.FromString(value.SerializeToString())
        writer.add_event(Event(wall_time=time.time(), summary=ours))
    writer.close()
