"""Which nets of the fault set learn, and what cures the others? By long training, not by a rule.

    TFDS_DATA_DIR=... .venv/bin/python -m benchmarks.fault_labels [--part 0 --parts 2]

A net has learned, and is healthy, when it gets half-way from chance to what good nets reach within the same steps, on
images it was not trained on, at two measurements in a row; batch normalization takes the statistics of those images. It
trains for 1,500 steps of 64 images, and for up to 3,000 more while its loss still falls by half a percent in 300 steps:
plateaus that end late are not dead. One that does not come even half-way to that is trained, from the same weights, at
other rates; then single changes are tried. One that comes half-way only is undecided, and left out of the scores. A
seeded fault that lets a net learn or come half-way has harmed it all the same if without the fault it learns in a tenth
of the steps.
Appends to benchmarks/fault_labels.jsonl, and goes on there. About three hours on two processors.
"""

import argparse
import json
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

LABELS = Path(__file__).with_name("fault_labels.jsonl")
SHORT_RUN_STEPS, EVERY, MORE = 1500, 100, 3000
FINE = 20  # steps between measurements of a net without its fault
LEARNED = {"mnist": 0.55, "cifar10": 0.30}  # accuracy; good nets reach about 0.97 and 0.48
CHANCE = 0.1
HARMED = 10  # times the steps that the same net needs without its seeded fault
FALLING = 0.995  # of the loss of the 300 steps before


def main(part: int, parts: int) -> None:
    from keras_cnn.tensorflow_import import import_tensorflow

    import_tensorflow()
    from benchmarks.fault_set import cases
    from keras_cnn.training.strategy import limit_threads

    limit_threads(1)

    done = {row["number"] for row in read_labels()}
    for case in cases()[part::parts]:
        if case.number not in done:
            row = label(case)
            with LABELS.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(
                case.number,
                case.family,
                case.fault,
                case.depth,
                case.activation,
                row["verdict"],
                row["cured_by"],
                flush=True,
            )


def read_labels() -> list[dict]:
    return [json.loads(line) for line in LABELS.read_text().splitlines()] if LABELS.exists() else []


def label(case) -> dict:
    """The case with its verdict, what each rate came to, and which single changes cure it."""
    from benchmarks.fault_set import OPTIMIZERS, SEEDED, without_fault

    own = long_training(case, [case.rate])
    if learned(case, own) or half_way(case, own[case.rate]):
        harmed = case.fault in SEEDED and quicker(without_fault(case), own[case.rate])
        verdict = "harmed" if harmed else "healthy" if learned(case, own) else "undecided"
        return _row(case, verdict, own, [case.fault] if harmed else [])
    others = [rate for rate in OPTIMIZERS[case.optimizer] if not 0.5 < rate / case.rate < 2]
    others.sort(key=lambda rate: abs(rate / 1e-3 - 1))
    runs = own | long_training(case, others, until_learned=True)
    if learned(case, runs):
        return _row(case, "rate-conditional", runs, ["learning_rate"])
    succeeded = [
        name for name, other in changes(case).items() if learned(case, long_training(other, [other.rate]))
    ]
    return _row(case, "dead", runs, succeeded)


def quicker(twin, run: dict) -> bool:
    """Whether the net without its fault learns in a tenth of the steps that `run` needed."""
    most = int(min(steps_to_learn(twin, run), SHORT_RUN_STEPS + MORE) / HARMED) + FINE
    return learned(twin, long_training(twin, [twin.rate], most=most, every=FINE))


def _row(case, verdict: str, runs: dict, succeeded: list[str]) -> dict:
    told = {f"{rate:.2e}": run for rate, run in runs.items()}
    return {**asdict(case), "verdict": verdict, "runs": told, "cured_by": succeeded}


def steps_to_learn(case, run: dict) -> float:
    """Steps until the first of the two measurements, one each 100 steps, at which it has learned."""
    good = [accuracy >= LEARNED[case.data] for accuracy in run["accuracies"]]
    both = [index for index, pair in enumerate(pairwise(good)) if all(pair)]
    return (both[0] + 1) * EVERY if both else float("inf")


def half_way(case, run: dict) -> bool:
    """Whether it came, at the two last measurements, half-way from chance to having learned."""
    return min(run["accuracies"][-2:]) > (CHANCE + LEARNED[case.data]) / 2


def changes(case) -> dict:
    """Single changes that may cure it, by the name of the remedy."""
    from benchmarks.fault_set import SEEDED, without_fault

    if case.fault in SEEDED:
        return {case.fault: without_fault(case)}
    rate = {"sgd": 1e-2}.get(case.optimizer, 1e-3)
    usual = replace(case, rate=rate)  # a dead net is dead at every rate: the cure is tried at a usual one
    found = {
        "batch_normalization": replace(usual, batch_norm=True),
        "initializer": replace(
            usual, initializer="glorot_uniform" if case.activation in ("tanh", "sigmoid") else "he_normal"
        ),
        "activation": replace(usual, activation="relu"),
        "skip_connections": replace(usual, skip=True),
    }
    return {name: other for name, other in found.items() if other != usual}


def learned(case, runs: dict) -> bool:
    return any(min(run["accuracies"][-2:]) >= LEARNED[case.data] for run in runs.values())


def long_training(case, rates, **options) -> dict[float, dict]:
    """rate -> what `train_long` tells of it, from the same weights."""
    from benchmarks.fault_set import build, data

    return train_long(build(case), data(case), rates, case, **options)


def train_long(
    model,
    images,
    rates,
    case,
    *,
    until_learned: bool = False,
    most: int = SHORT_RUN_STEPS + MORE,
    every: int = EVERY,
) -> dict[float, dict]:
    """rate -> accuracies on validation every so many steps, and losses, the mean of as many, of any compiled model.

    images: (x, y) to train on and (x, y) to validate on. until_learned: leave out the rates after the first at which
    it learns. most: steps; a multiple of `every` below this is taken.
    """
    import numpy as np
    import tensorflow as tf

    from benchmarks.fault_set import BATCH

    x, y, x_val, y_val = map(tf.constant, images)
    start = [variable.numpy() for variable in model.variables]
    optimizer = model.optimizer
    optimizer.build(model.trainable_variables)
    clean = [variable.numpy() for variable in optimizer.variables]

    @tf.function
    def train(orders):
        total = 0.0
        for step in tf.range(every):
            images, labels = tf.gather(x, orders[step]), tf.gather(y, orders[step])
            with tf.GradientTape() as tape:
                loss = model.compute_loss(images, labels, model(images, training=True))
            optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
            total += loss / every
        return total

    @tf.function
    def accuracy():
        predicted = tf.argmax(model(x_val, training=True), axis=-1, output_type=tf.int32)
        return tf.reduce_mean(tf.cast(predicted == y_val, tf.float32))

    runs: dict[float, dict] = {}
    for rate in rates:
        for variable, value in zip([*model.variables, *optimizer.variables], [*start, *clean], strict=True):
            variable.assign(value)
        optimizer.learning_rate = rate
        random = np.random.default_rng(case.number)
        run: dict = {"accuracies": [], "losses": []}
        runs[rate] = run
        while (len(run["losses"]) + 1) * every <= most:
            orders = np.concatenate([random.permutation(len(x)) for _ in range(2)])[: every * BATCH]
            run["losses"].append(round(float(train(tf.constant(orders.reshape(every, BATCH)))), 4))
            run["accuracies"].append(round(float(accuracy()), 4))
            if _ended(case, run, len(run["losses"]) * every):
                break
        if until_learned and learned(case, {rate: run}):
            break
    return runs


def _ended(case, run: dict, done: int) -> bool:
    losses = run["losses"]
    if losses[-1] != losses[-1]:
        return True
    if done >= 300 and learned(case, {0.0: run}):
        return True
    return done >= SHORT_RUN_STEPS and not sum(losses[-3:]) < FALLING * sum(losses[-6:-3])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--parts", type=int, default=1)
    options = parser.parse_args()
    main(options.part, options.parts)
