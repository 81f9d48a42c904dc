"""Label the networks of the fault set by long training: which learn, and which single change makes the others learn.

    TFDS_DATA_DIR=... .venv/bin/python -m benchmarks.fault_labels [--part 0 --parts 2]

A network has learned, and is healthy, when its accuracy on images it was not trained on is half-way from chance to that
of good networks after the same steps, at two measurements in a row; batch normalization uses the statistics of those
images. It trains for 1,500 steps of 64 images, and for up to 3,000 more while its loss falls by 0.5 % in 300 steps,
because plateaus may end late. A network that does not reach half of that accuracy gain is trained from the same weights
at other learning rates; then single changes are tried. One that reaches only half of it is undecided, and left out of
the evaluation. A seeded fault counts as harmful even if the network learns or is undecided, if the network without the
fault learns in a tenth of the steps.
Labels are appended to benchmarks/fault_labels.jsonl, and an interrupted run continues; about three hours on two
processors. The file has the older names of verdicts: dead = untrainable, rate-conditional = learning-rate-dependent.
"""

import argparse
import json
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

LABELS = Path(__file__).with_name("fault_labels.jsonl")
FIRST_STEPS, MORE_STEPS = 1500, 3000
INTERVAL_STEPS = 100  # between two measurements
FINE_INTERVAL_STEPS = 20  # between two measurements of a network without its fault
LEARNED = {"mnist": 0.55, "cifar10": 0.30}  # accuracy; good networks reach about 0.97 and 0.48
CHANCE = 0.1
HARMED_STEPS_RATIO = 10  # steps with the seeded fault / steps without it
FALLING_LOSS_RATIO = 0.995  # mean loss of 300 steps / that of the 300 before


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
    """The case with its verdict, the result at each learning rate, and the single changes that make it learn."""
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
    """Whether the network without its fault learns in a tenth of the steps of `run`."""
    steps = (
        int(min(steps_to_learn(twin, run), FIRST_STEPS + MORE_STEPS) / HARMED_STEPS_RATIO)
        + FINE_INTERVAL_STEPS
    )
    return learned(twin, long_training(twin, [twin.rate], max_steps=steps, interval=FINE_INTERVAL_STEPS))


def _row(case, verdict: str, runs: dict, succeeded: list[str]) -> dict:
    by_rate = {f"{rate:.2e}": run for rate, run in runs.items()}
    return {**asdict(case), "verdict": verdict, "runs": by_rate, "cured_by": succeeded}


def steps_to_learn(case, run: dict) -> float:
    """Steps until the first of the two measurements, one each 100 steps, at which it has learned."""
    good = [accuracy >= LEARNED[case.data] for accuracy in run["accuracies"]]
    both = [index for index, pair in enumerate(pairwise(good)) if all(pair)]
    return (both[0] + 1) * INTERVAL_STEPS if both else float("inf")


def half_way(case, run: dict) -> bool:
    """Whether the last two accuracies are above half-way from chance to `LEARNED`."""
    return min(run["accuracies"][-2:]) > (CHANCE + LEARNED[case.data]) / 2


def changes(case) -> dict:
    """Name of the change -> case with this single change."""
    from benchmarks.fault_set import SEEDED, without_fault

    if case.fault in SEEDED:
        return {case.fault: without_fault(case)}
    rate = {"sgd": 1e-2}.get(case.optimizer, 1e-3)
    usual = replace(case, rate=rate)  # it learned at no learning rate: try the change at a usual one
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
    """Learning rate -> result of `train_long`, from the same weights."""
    from benchmarks.fault_set import build, data

    return train_long(build(case), data(case), rates, case, **options)


def train_long(
    model,
    images,
    rates,
    case,
    *,
    until_learned: bool = False,
    max_steps: int = FIRST_STEPS + MORE_STEPS,
    interval: int = INTERVAL_STEPS,
) -> dict[float, dict]:
    """Train a compiled model at several learning rates from the same weights.

    Args:
        model: compiled.
        images: (x, y, x_validation, y_validation).
        rates: learning rates.
        case: the network, for its number (seed) and data set.
        until_learned: stop after the first learning rate at which it learns.
        max_steps: of each run; rounded down to a multiple of `interval`.
        interval: steps between two measurements.

    Returns:
        Learning rate -> {"accuracies": on validation after each interval, "losses": mean of each interval}.
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
        for step in tf.range(interval):
            images, labels = tf.gather(x, orders[step]), tf.gather(y, orders[step])
            with tf.GradientTape() as tape:
                loss = model.compute_loss(images, labels, model(images, training=True))
            optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
            total += loss / interval
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
        while (len(run["losses"]) + 1) * interval <= max_steps:
            orders = np.concatenate([random.permutation(len(x)) for _ in range(2)])[: interval * BATCH]
            run["losses"].append(round(float(train(tf.constant(orders.reshape(interval, BATCH)))), 4))
            run["accuracies"].append(round(float(accuracy()), 4))
            if _ended(case, run, len(run["losses"]) * interval):
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
    return done >= FIRST_STEPS and not sum(losses[-3:]) < FALLING_LOSS_RATIO * sum(losses[-6:-3])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--parts", type=int, default=1)
    options = parser.parse_args()
    main(options.part, options.parts)
