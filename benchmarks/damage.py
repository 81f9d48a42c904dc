"""python -m benchmarks.damage [--files 500] [--seed 0]: what a damaged file does to a run, a study or an export.

One bit of a random file is flipped, or the file is cut short, emptied, or replaced by a JSON object or noise: of a
finished or interrupted run, of a study, or of an exported model. Then the run or study is resumed, or the exported
model predicts, and the results are compared with those without damage. Writes results/damage.json. Takes about
40 minutes on two cores.
"""

import argparse
import collections
import os
import random
import shutil
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.crash import TUNERS, scores, start
from benchmarks.result_files import result_options, write_result
from keras_cnn.errors import InputError
from keras_cnn.logs import redirected

KINDS = ("run", "study", "export")
NET = {"width": 4, "blocks": 1, "convolutions": 1, "dense": []}


def damage(path: Path, draw: random.Random) -> str:
    """Damage a file in place; returns how."""
    content = path.read_bytes()
    place = draw.randrange(len(content)) if content else 0
    flipped = bytearray(content)
    if content:
        flipped[place] ^= 1 << draw.randrange(8)
    ways = {
        "bit flipped": bytes(flipped),
        "cut": content[:place],
        "emptied": b"",
        "replaced by {}": b"{}",
        "replaced by noise": draw.randbytes(len(content)),
    }
    how = draw.choice(list(ways))
    path.write_bytes(ways[how])
    return how


class Runs:
    """A plain run, finished or interrupted after an epoch: resumed, it must end with the same weights and metrics."""

    def __init__(self, folder: Path):
        from keras_cnn.training.config import TrainSettings
        from keras_cnn.training.run import train_run

        settings = TrainSettings(image_size=(8, 8), options=NET, batch_size=128, epochs=3, seed=1)
        self.whole = train_run(settings, folder / "run")
        self._expected = self._results(self.whole)

    def prepare(self, place: Path, draw: random.Random) -> None:
        shutil.copytree(self.whole, place)
        if draw.random() < 0.5:  # killed after the last epoch, before its results were written
            for name in ("metrics.json", "test.json"):
                (place / name).unlink()

    def use(self, place: Path) -> bool:
        """Whether all is as without damage."""
        from keras_cnn.training.run import resume_run

        try:
            resume_run(place)
        except InputError as error:
            if "has finished all" not in str(error):
                raise
        return self._results(place) == self._expected

    def _results(self, directory: Path) -> tuple:
        from keras_cnn.training.make_model import best_model
        from keras_cnn.training.run_directory import read_metrics, read_run, read_test

        run = read_run(directory)
        model = best_model(run.settings, run.facts, directory)
        weights = b"".join(np.asarray(weight).tobytes() for weight in model.get_weights())
        metrics = read_metrics(directory)
        return weights, metrics["score"], metrics["history"]["loss"], read_test(directory)["accuracy"]


class Studies:
    """A finished search: resumed, its trials must have the same scores."""

    def __init__(self, folder: Path):
        from tuning.executors.local import LocalExecutor
        from tuning.executors.resources import WorkerResources

        self._whole = []
        for tuner in TUNERS:
            (folder / tuner).mkdir()
            assert start(folder / tuner, tuner).wait() == 0, (folder / tuner / "errors.txt").read_text()
            self._whole.append(folder / tuner / "study")
        self._executor = LocalExecutor([WorkerResources(threads=1)] * 2).__enter__()

    def prepare(self, place: Path, draw: random.Random) -> None:
        self._source = draw.choice(self._whole)
        shutil.copytree(self._source, place)

    def use(self, place: Path) -> bool:
        from keras_cnn.directories import held
        from tuning.config import read_study
        from tuning.reporting.progress import Progress
        from tuning.reporting.report import write_report
        from tuning.search_loop import run_search
        from tuning.storage.recovery import repair_damaged_files
        from tuning.storage.trials import best

        study = read_study(place)
        with held(place):
            repair_damaged_files(study)
            run_search(study, self._executor, Progress(lambda line: None))
            write_report(study)
        return (
            scores(place) == scores(self._source)
            and best(study)["trial"] == best(read_study(self._source))["trial"]
        )

    def close(self) -> None:
        self._executor.__exit__()


class Exports:
    """An exported model: it answers what it did, or refuses to."""

    def __init__(self, run: Path, folder: Path):
        from keras_cnn.serving.export import export_run

        self._whole = export_run(run, folder / "model")
        self._images = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 1), np.uint8)
        self._expected = self._answers(self._whole)

    def prepare(self, place: Path, draw: random.Random) -> None:
        shutil.copytree(self._whole, place)

    def use(self, place: Path) -> bool:
        return self._answers(place) == self._expected

    def _answers(self, version: Path) -> bytes:
        from keras_cnn.serving.predictor import Predictor

        return Predictor(version).probabilities(self._images).tobytes()


def outcome(use: Callable[[Path], bool], place: Path) -> str:
    """What became of a damaged directory: `same results`, `other results`, `refused` or `traceback`."""
    try:
        with redirected(lambda line: None):
            return "same results" if use(place) else "other results"
    except InputError as error:
        return "refused" if "\n" not in str(error) else "traceback"
    except Exception:
        traceback.print_exc()
        return "traceback"


def measure(files: int, seed: int) -> dict:
    """Number of damaged files by kind of directory and outcome."""
    draw, counts = random.Random(seed), {kind: collections.Counter() for kind in KINDS}
    with tempfile.TemporaryDirectory(prefix="damage-") as name:
        folder = Path(name)
        studies, runs = Studies(folder), Runs(folder)
        sources = {"run": runs, "study": studies, "export": Exports(runs.whole, folder)}
        for number in range(files):
            kind = KINDS[number % len(KINDS)]
            place = folder / "damaged"
            shutil.rmtree(place, ignore_errors=True)
            sources[kind].prepare(place, draw)
            path = draw.choice(sorted(path for path in place.rglob("*") if path.is_file()))
            how = damage(path, draw)
            found = outcome(sources[kind].use, place)
            counts[kind][found] += 1
            if found in ("other results", "traceback") or (found == "refused" and kind != "export"):
                print(f"{kind}: {path.relative_to(place)} {how}: {found}", flush=True)
            if number % 25 == 24:
                print(f"{number + 1} of {files}: {counts}", flush=True)
        studies.close()
    return {kind: dict(found) for kind, found in counts.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], parents=[result_options()])
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    write_result("damage", {"files": options.files, "outcomes": measure(options.files, options.seed)})


if __name__ == "__main__":
    main()
