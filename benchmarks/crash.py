"""python -m benchmarks.crash [--kills 200] [--run-kills 40] [--pairs 10]: what kills do to studies and runs.

Searches of all four tuners, two workers each, are killed at random moments (a worker, the coordinator, or all of them),
resumed, and compared with the same search never interrupted; plain runs likewise. Pairs of runs are started at the same
time, without a directory and with the same one. Writes results/crash.json. About 40 minutes on two cores.
"""

import argparse
import collections
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from benchmarks.result_files import result_options, write_result
from keras_cnn.records import read_json

TUNERS = ("random", "bayesian", "hyperband", "grid")
LONGEST = 14.0  # seconds between a start and a kill: from before the first trial to the middle of a later one


def small_space(width: int, batch_size: int) -> list[str]:
    """Options that leave a search half of its space, of nets that train in seconds on the smallest images."""
    net = f"--options.width {width} --options.blocks 1 --options.convolutions 1 --options.dense []"
    data = f"--image_size 8 8 --batch_size {batch_size} --normalization zero_one --augmentation none"
    return f"{net} {data}".split()


def start(folder: Path, tuner: str) -> subprocess.Popen:
    """Begin the study in `folder`, or go on with it."""
    machine = ["--workers", "2"]
    if (folder / "study/study.json").exists():
        command = ["resume", "study", *machine]
    else:
        trials = [] if tuner == "hyperband" else ["--trials", "8"]
        command = [
            "search",
            "--tuner",
            tuner,
            *trials,
            "--epochs",
            "9",
            "--directory",
            "study",
            "--threads",
            "1",
        ]
        command += [*machine, *small_space(width=8, batch_size=32)]
    return program(folder, "tuning", *command)


def scores(study: Path) -> collections.Counter:
    """How often each (point, epochs, score) is there, of completed trials."""
    found: collections.Counter = collections.Counter()
    for path in study.glob("trials/*/metrics.json"):
        spec, metrics = read_json(path.with_name("trial.json")), read_json(path)
        configuration = {k: v for k, v in spec["hyperparameters"].items() if k != "tuner/trial_id"}
        found[
            (str(sorted(configuration.items())), spec["stop_epoch"], metrics["state"], metrics.get("score"))
        ] += 1
    return found


def other_scores(expected: collections.Counter, found: collections.Counter) -> int:
    """How many points have a score that they do not have in the other study.

    Points in only one do not count: which ones Bayesian search proposes follows from what is known by then.
    """
    common = {key[:2] for key in expected} & {key[:2] for key in found}
    return sum(number for key, number in (expected - found).items() if key[:2] in common)


def epochs_again(study: Path) -> int:
    """How many epochs left a loss in TensorBoard's logs for a second time."""
    epochs: collections.Counter = collections.Counter(
        (path.parent, event.step)
        for path in study.glob("logs/*/train/events*")
        for event in EventFileLoader(str(path)).Load()
        if any(value.tag == "epoch_loss" for value in event.summary.value)
    )
    return epochs.total() - len(epochs)


def kill(process: subprocess.Popen, whom: str) -> None:
    workers = psutil.Process(process.pid).children()
    victims = {"coordinator": [process.pid], "worker": [w.pid for w in workers[:1]]}
    for pid in victims.get(whom, [process.pid, *(worker.pid for worker in workers)]):
        os.kill(pid, signal.SIGKILL)


def torture(folder: Path, tuner: str, draw: random.Random, most: int) -> dict:
    """One study, killed up to `most` times until it ends by itself; returns what was seen."""
    end_times, repeated, kills = {}, 0, 0
    process = start(folder, tuner)
    while process.poll() is None:
        if kills == most:
            process.wait()
            break
        try:
            process.wait(draw.uniform(0, LONGEST))
            break
        except subprocess.TimeoutExpired:
            whom = draw.choice(["worker", "coordinator", "both"])
            kill(process, whom)
            kills += 1
        if whom != "worker":
            process.wait()
            for path in (folder / "study").glob("trials/*/metrics.json"):
                ended = path.stat().st_mtime_ns
                repeated += end_times.setdefault(path, ended) != ended
            time.sleep(0.2)
            process = start(folder, tuner)
    study = folder / "study"
    repeated += sum(path.stat().st_mtime_ns != ended for path, ended in end_times.items())
    return {
        "kills": kills,
        "code": process.returncode,
        "run_twice": repeated,
        "epochs_repeated": epochs_again(study),
        "scores": scores(study),
    }


def kills(folder: Path, wanted: int, draw: random.Random) -> dict:
    """Studies of every tuner, killed and resumed until they end: numbers by tuner."""
    print("tuner      kills studies  lost other score run twice epochs again")
    found_by_tuner = {}
    for tuner in TUNERS:
        whole = folder / tuner
        whole.mkdir()
        assert start(whole, tuner).wait() == 0, (whole / "errors.txt").read_text()
        expected, total = scores(whole / "study"), collections.Counter()
        while total["kills"] < wanted / len(TUNERS):
            place = Path(tempfile.mkdtemp(dir=folder))
            result = torture(place, tuner, draw, most=12)
            found = result["scores"]
            total["studies"] += 1
            total["lost"] += max(0, expected.total() - found.total()) + (result["code"] != 0)
            total["other"] += other_scores(expected, found)
            for name in ("kills", "run_twice", "epochs_repeated"):
                total[name] += result[name]
            if result["code"] or other_scores(expected, found):
                print(place, (place / "errors.txt").read_text()[-2000:], expected - found, file=sys.stderr)
            else:
                shutil.rmtree(place)
        print(
            f"{tuner:10} {total['kills']:5} {total['studies']:7} {total['lost']:5} {total['other']:11} "
            f"{total['run_twice']:9} {total['epochs_repeated']:12}",
            flush=True,
        )
        found_by_tuner[tuner] = dict(total)
    return found_by_tuner


def run_kills(folder: Path, wanted: int, draw: random.Random) -> dict:
    """Plain runs, killed and resumed until they end; compared with one that was never killed."""
    whole, kills, runs, lost = folder / "whole", 0, 0, 0
    whole.mkdir()
    assert train(whole).wait() == 0
    while kills < wanted:
        place, longest = Path(tempfile.mkdtemp(dir=folder)), LONGEST
        while (process := train(place)).poll() is None:
            try:
                process.wait(draw.uniform(3, longest))
                break
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                kills += 1
                longest *= 1.1  # on a busy machine an epoch may take longer than LONGEST; the run has to end
        runs += 1
        # a run that was killed after its last file is refused as finished, with code 2
        ended = process.returncode == 0 or (process.returncode == 2 and (place / "run/test.json").exists())
        lost += not ended or not same_arrays(whole / "run/best.npz", place / "run/best.npz")
    return {"kills": kills, "runs": runs, "lost_or_other": lost}


def train(folder: Path) -> subprocess.Popen:
    """Begin the run in `folder`, or go on with it; of one killed before its first record, begin again."""
    resumed = (folder / "run/run.json").exists()
    net = [*small_space(width=8, batch_size=32), "--dropout", "0.2", "--epochs", "12", "--directory", "run"]
    return program(folder, "keras_cnn", "train", *(["--resume", "run"] if resumed else net))


def same_arrays(first: Path, second: Path) -> bool:
    with np.load(first) as one, np.load(second) as other:
        return all(np.array_equal(one[name], other[name]) for name in one.files)


def pairs(folder: Path, wanted: int) -> dict:
    """Two runs with default directories, and two with the same one, started together."""
    apart = refused = 0
    for number in range(wanted):
        place = folder / f"pair-{number}"
        place.mkdir()
        net = [*small_space(width=2, batch_size=128), "--epochs", "1"]
        both = [program(place, "keras_cnn", "train", *net, "--seed", str(seed)) for seed in (1, 2)]
        codes = [process.wait() for process in both]
        seeds = sorted(read_json(path)["settings"]["seed"] for path in place.glob("runs/*/run.json"))
        apart += codes == [0, 0] and seeds == [1, 2]
        both = [
            program(place, "keras_cnn", "train", *net, "--directory", "same", "--seed", str(seed))
            for seed in (1, 2)
        ]
        codes = [process.wait() for process in both]
        kept = read_json(place / "same/run.json")["settings"]["seed"]
        refused += sorted(codes) == [0, 2] and kept == 1 + codes.index(0)
    return {"pairs": wanted, "both_kept": apart, "one_refused": refused}


def program(folder: Path, module: str, *arguments: str) -> subprocess.Popen:
    """`python -m MODULE` in `folder`; its errors go to errors.txt there."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        stdout=subprocess.DEVNULL,
        stderr=(folder / "errors.txt").open("a", encoding="utf-8"),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], parents=[result_options()])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--run-kills", type=int, default=40)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="crash-") as name:
        folder = Path(name)
        numbers = {
            "pairs": pairs(folder, options.pairs),
            "runs": run_kills(folder, options.run_kills, draw),
            "studies": kills(folder, options.kills, draw),
        }
    write_result("crash", numbers)


if __name__ == "__main__":
    main()
