"""What oracles leave on disk when a write fails, and how they rank trials of equal scores."""

import contextlib
import resource

import pytest

from tests.tuning.oracle_runs import begin, end, run, study_in
from tuning.oracles.base import ranking
from tuning.oracles.make import make_oracle


@contextlib.contextmanager
def files_end_at(size: int):
    """Within it, no file can be written beyond so many bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_oracle_whose_write_fails_half_way_keeps_the_old_files(tmp_path):
    study = study_in(tmp_path, "random")
    oracle = make_oracle(study)
    run(oracle, most=2)
    trial = begin(oracle)
    oracle.write_state()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in files}
    smallest = min(len(content) for path, content in before.items() if path.name != "tuner0.json")
    for write in (lambda: end(oracle, trial), oracle.write_state):
        with files_end_at(smallest // 2), pytest.raises(OSError):
            write()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert begin(make_oracle(study)).trial_id == trial.trial_id  # it goes on from there


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_hyperband_of_equal_scores_continues_the_one_of_the_lowest_loss(order, tmp_path):
    oracle = make_oracle(study_in(tmp_path, "hyperband", epochs=3))
    n_started = [begin(oracle) for _ in range(oracle._get_size(1, 0))]
    losses = [0.7, 0.5, 0.6]
    for number in order:
        trial = n_started[number]
        oracle.update_trial(trial.trial_id, {"val_accuracy": 0.5, "val_loss": losses[number]})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)
    assert begin(oracle).hyperparameters.values["tuner/trial_id"] == n_started[1].trial_id
    assert [trial.trial_id for trial in sorted(n_started, key=ranking)] == ["0001", "0002", "0000"]


def test_ranking_of_equal_scores_and_losses_does_not_depend_on_the_order(tmp_path):
    ranked = []
    for order in ((0, 1, 2), (2, 1, 0)):
        oracle = make_oracle(study_in(tmp_path / str(order), "random"))
        n_started = [begin(oracle) for _ in order]
        for number in order:
            oracle.update_trial(n_started[number].trial_id, {"val_accuracy": 0.5, "val_loss": 1.0})
            n_started[number].status = "COMPLETED"
            oracle.end_trial(n_started[number])
        found = sorted((n_started[number] for number in order), key=ranking)
        ranked.append([trial.trial_id for trial in found])
    assert ranked[0] == ranked[1]
