"""A search on a Ray cluster of two nodes, one of which is lost; what nodes send home."""

import os
import time
from importlib.util import find_spec

import pytest

from keras_cnn.errors import InputError
from keras_cnn.records import read_json
from tests.tuning_studies import SEARCH, assert_gone_on
from tuning.executors.ray_task import Changes, write_files

pytestmark = pytest.mark.skipif(not find_spec("ray"), reason="the extra `ray` is not installed")


def test_what_has_changed_is_sent_and_laid_down(tmp_path):
    node, home = tmp_path / "node", tmp_path / "home"
    (node / "logs").mkdir(parents=True)
    (node / "trial.json").write_text("{}")
    changes = Changes(node)
    assert changes.take() == {}
    (node / "trial.json").write_text('{"a": 1}')
    (node / "logs/events.out.1").write_bytes(b"first")
    write_files(home, changes.take())
    assert (home / "trial.json").read_text() == '{"a": 1}'
    with (node / "logs/events.out.1").open("ab") as file:
        file.write(b"second")
    sent = changes.take()
    assert sent == {"logs/events.out.1": (5, b"second")}
    for _ in range(2):  # the same once more does not double it
        write_files(home, sent)
    assert (home / "logs/events.out.1").read_bytes() == b"firstsecond"


@pytest.fixture
def cluster(monkeypatch):
    """A head without processors and two nodes of one each, that ask for a token."""
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "a" * 64)  # both are read when Ray is imported
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    cluster.nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    yield cluster
    cluster.shutdown()


@pytest.mark.slow
def test_a_node_is_lost_in_mid_trial_and_all_trials_complete(cluster, tuning, whole, tmp_path):
    """With the scores that the same search has on one machine."""
    process = tuning.start(
        *SEARCH, *tuning.small, "--executor", "ray", "--address", cluster.address, folder=tmp_path
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("study/trials/000[01]/checkpoint.npz")) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    cluster.remove_node(cluster.nodes[0], allow_graceful=False)
    output, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    assert "2 trials at once" in output
    assert_gone_on(tmp_path, whole)
    for trial in ("0000", "0002"):
        assert list((tmp_path / "study/logs" / trial / "train").glob("events*"))
    assert read_json(tmp_path / "saved_models/study/1/card.json")["test"]["images"] == 359


@pytest.mark.slow
def test_ray_with_a_wrong_token_is_refused(cluster, tuning, tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_TOKEN", "b" * 64)
    run = tuning(*SEARCH, *tuning.small, "--executor", "ray", "--address", cluster.address, folder=tmp_path)
    assert run.returncode == 2
    assert f"no Ray cluster can be joined at {cluster.address}" in run.stderr
    assert not (tmp_path / "study").exists()
    assert os.environ["RAY_AUTH_TOKEN"] == "b" * 64


def test_a_cluster_that_does_not_start_is_one_line(monkeypatch):
    from tuning.executors import ray as executor

    def fails(**_):
        raise RuntimeError("Failed to start GCS.\n\nAuthenticationError: InvalidAuthToken")

    monkeypatch.setattr(executor.ray, "init", fails)
    monkeypatch.setattr(executor, "check_token", lambda create: None)
    with pytest.raises(InputError) as error:
        executor.connect(None)
    assert str(error.value) == "no Ray cluster can be joined at this machine: Failed to start GCS."
