"""python -m benchmarks.crash [--kills 200] [--torn 100]: what kills and damaged files do to studies.

Searches of all four tuners, two workers each, are killed at random moments (a worker, the coordinator, or all of them),
resumed, and compared with the same search never interrupted. Then single files of finished and of killed studies are
cut short, emptied or overwritten, and the search resumed. About 40 minutes on two cores.
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
from dataclasses import replace
from pathlib import Path

import psutil
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

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
    return subprocess.Popen(
        [sys.executable, "-m", "tuning", *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        stdout=subprocess.DEVNULL,
        stderr=(folder / "errors.txt").open("a"),
    )


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


def kills(folder: Path, wanted: int, draw: random.Random) -> None:
    print("tuner      kills studies  lost other score run twice epochs again")
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


def damage(path: Path, draw: random.Random) -> str:
    content = path.read_bytes()
    how = draw.choice(["cut", "emptied", "overwritten"])
    part = draw.randrange(len(content)) if content else 0
    path.write_bytes({"cut": content[:part], "emptied": b"", "overwritten": os.urandom(len(content))}[how])
    return how


def torn(folder: Path, wanted: int, draw: random.Random) -> None:
    """Damage a file of a study, resume it with a worker that is kept, and compare the scores."""
    from keras_cnn.directories import held
    from tuning.config import read_study
    from tuning.executors.local import LocalExecutor
    from tuning.executors.resources import WorkerResources
    from tuning.reporting.progress import Progress
    from tuning.reporting.report import write_report
    from tuning.search import run_search
    from tuning.storage.recovery import repair_damaged_files

    count: collections.Counter = collections.Counter()
    with LocalExecutor([WorkerResources(threads=1)] * 2) as executor:
        while count["files"] < wanted:
            tuner = TUNERS[count["files"] % len(TUNERS)]
            whole, study = folder / tuner / "study", folder / "torn"
            shutil.rmtree(study, ignore_errors=True)
            shutil.copytree(whole, study)
            files = [path for kind in ("json", "npz", "csv") for path in study.rglob(f"*.{kind}")]
            path = draw.choice(sorted(files))
            how = damage(path, draw)
            count["files"] += 1
            count[f"{path.name} {how}"] += 1
            try:
                read = read_study(study)
                with held(study):
                    repair_damaged_files(read)
                    run_search(replace(read), executor, Progress(lambda line: None))
                write_report(read)
                if scores(study) != scores(whole):
                    count["other scores"] += 1
                    print(f"{path} {how}: other scores", file=sys.stderr)
            except Exception as error:  # whatever it is, the study was unusable
                count["unusable"] += 1
                print(f"{path} {how}: {error!r}", file=sys.stderr)
    kinds = collections.Counter({k.split()[0]: 0 for k in count if " " in k and k != "other scores"})
    for name, number in count.items():
        if name.split()[0] in kinds:
            kinds[name.split()[0]] += number
    print(f"{count['files']} damaged files ({', '.join(f'{n} {k}' for k, n in kinds.most_common())}):")
    print(f"unusable studies {count['unusable']}, other scores after resume {count['other scores']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--torn", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="crash-") as folder:
        kills(Path(folder), options.kills, draw)
        torn(Path(folder), options.torn, draw)


if __name__ == "__main__":
    main()
