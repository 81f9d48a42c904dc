"""How often the diagnosis is right and repair succeeds, on networks labeled by long training.

    TFDS_DATA_DIR=... .venv/bin/python -m benchmarks.diagnosis [--families vgg lenet] [--no_repair]

`benchmarks.fault_labels` writes the labels to benchmarks/fault_labels.jsonl. Thresholds were set on the development
families only (`benchmarks.fault_set`); the others are held out. A network counts as faulty unless it is labeled
healthy; undecided ones are left out. Right cause: the seeded fault, or a change that made the network learn in long
training, is among the first two findings. Repaired: the model that `repair` returns has learned after long training;
networks with shuffled labels are left out there. Rows are appended to --rows, one line per network, and an
interrupted run continues. Held-out families, which come first, take about one hour on one processor, all families
four. Writes results/diagnosis.json, unless --families is given.
"""

import argparse
import json
import time
from pathlib import Path
from statistics import mean, median

from benchmarks.result_files import result_options, write_result
from benchmarks.tables.diagnosis import EXAMINED, FRESH

BUDGET_STEPS = 300
# seeded fault -> findings that name it
NAMES = {
    "labels_shuffled": {"labels_unrelated"},
    "double_softmax": {"softmax_twice"},
    "no_softmax": {"probabilities_expected"},
    "raw_inputs": {"inputs_not_normalized"},
    "tiny_inputs": {"inputs_not_normalized", "inputs_scaled_twice"},
    "dead_relu": {"dead_units"},
    "too_small": {"too_narrow"},
    "high_rate": {"rate_too_high"},
    "low_rate": {"rate_too_low"},
    "zero_init": {"constant_kernel"},
}
# change in the labels -> remedies that make it
REMEDY = {"initializer": {"initialization", "lsuv"}}


def main(options) -> None:
    from keras_cnn.tensorflow_import import import_tensorflow

    import_tensorflow()
    from benchmarks.fault_labels import read_labels
    from benchmarks.fault_set import DEVELOPMENT, HELD_OUT, cases
    from keras_cnn.training.strategy import limit_threads

    limit_threads(1)
    path = Path(options.rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    done = {row["number"] for row in _rows(path)}
    labels = {row["number"]: row for row in read_labels()}
    families = options.families or [*HELD_OUT, *DEVELOPMENT]
    for case in sorted(cases(), key=lambda case: case.family not in HELD_OUT):
        if (
            case.family in families
            and case.number not in done
            and labels[case.number]["verdict"] != "undecided"
        ):
            row = examine(case, labels[case.number], not options.no_repair)
            with path.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(
                {
                    key: row[key]
                    for key in ("number", "family", "fault", "label", "verdict", "first", "repaired")
                },
                flush=True,
            )
    if not options.families:
        write_result("diagnosis", numbers(_rows(path)))


def numbers(rows: list[dict]) -> dict:
    """What is published: a summary of each group of families, and the cost on the held-out ones."""
    from benchmarks.fault_set import DEVELOPMENT, FRESH_FAMILIES, HELD_OUT

    examined = [family for family in HELD_OUT if family not in FRESH_FAMILIES]
    groups = {FRESH: FRESH_FAMILIES, EXAMINED: examined, "development": DEVELOPMENT}
    return {
        "groups": {
            name: summary([row for row in rows if row["family"] in families])
            for name, families in groups.items()
        },
        "cost": cost([row for row in rows if row["family"] in HELD_OUT]),
    }


def examine(case, label: dict, with_repair: bool) -> dict:
    """Verdicts of the diagnosis and the baselines on one network, and the result of its repair."""
    from benchmarks.diagnosis_baselines import BASELINES, observe
    from benchmarks.fault_set import build, data
    from keras_cnn.diagnosis.diagnose import MAX_IMAGES, diagnose
    from keras_cnn.diagnosis.probe.data import sample_of
    from keras_cnn.diagnosis.probe.decision import HEALTHY
    from keras_cnn.diagnosis.probe.objective import objective_of
    from keras_cnn.diagnosis.probe.probe import MEDIUM_RUN_STEPS, SHORT_RUN_STEPS, Probe

    model, images = build(case), data(case)
    found = diagnose(model, images[:2])
    sample = sample_of(images[:2], MAX_IMAGES)
    objective = objective_of(model, sample)
    observed = observe(model, sample, objective, MEDIUM_RUN_STEPS)
    probe = Probe(model, sample, objective)
    probe.run(case.rate)
    started = time.perf_counter()
    probe.run(case.rate)
    step = (time.perf_counter() - started) / SHORT_RUN_STEPS
    faulty = label["verdict"] != "healthy"
    row = {
        **{key: label[key] for key in ("number", "family", "data", "fault", "cured_by")},
        "label": label["verdict"],
        "verdict": found.verdict,
        "faulty": faulty,
        "found": found.verdict != HEALTHY,
        "baselines": {name: bool(rule(observed)) for name, rule in BASELINES.items()},
        "first": [finding.name for finding in found.findings[:2]],
        "cause": _right_cause(label, found) if faulty else None,
        "steps": _steps(found),
        "batch_share": found.seconds.get("one batch", 0.0) / (step * 1500),
        "repaired": None,
    }
    if with_repair and faulty and found.verdict != HEALTHY and case.fault != "labels_shuffled":
        row |= _repaired(case, label, model, images, found)
    return row


def _steps(found) -> int:
    """Training steps of all probe runs; a run that was extended starts again."""
    from keras_cnn.diagnosis.probe.probe import MEDIUM_RUN_STEPS

    counts = [len(trace.losses) for trace in [*found.traces, found.overfit] if trace]
    return sum(counts) + MEDIUM_RUN_STEPS * (max(counts, default=0) > MEDIUM_RUN_STEPS)


def _right_cause(label: dict, found) -> bool:
    first = found.findings[:2]
    if label["fault"] in NAMES:
        return any(finding.name in NAMES[label["fault"]] for finding in first)
    wanted = set().union(*(REMEDY.get(name, {name}) for name in label["cured_by"]))
    return any(wanted & set(finding.remedies) for finding in first)


def _repaired(case, label: dict, model, images, found) -> dict:
    from benchmarks.fault_labels import learned, train_long
    from keras_cnn.diagnosis.repair import repair

    repaired = repair(model, images[:2], found, budget=BUDGET_STEPS)
    own = next(iter(label["runs"].values()))["accuracies"][-1]
    if not repaired.succeeded:
        return {"repaired": False, "changes": [], "gain": 0.0}
    run = train_long(repaired.model, images, [repaired.rate], case)
    return {
        "repaired": learned(case, run),
        "changes": list(repaired.changes),
        "gain": run[repaired.rate]["accuracies"][-1] - own,
    }


def summary(rows: list[dict]) -> dict:
    """Numbers of untrainable and healthy networks, what each rule found, and the diagnosis by family."""
    healthy = sum(not row["faulty"] for row in rows)
    rules = {"keras-cnn diagnose": lambda row: row["found"]}
    rules |= {name: lambda row, name=name: row["baselines"][name] for name in rows[0]["baselines"]}
    families = dict.fromkeys(row["family"] for row in rows)
    return {
        "untrainable": len(rows) - healthy,
        "healthy": healthy,
        "rules": [{"rule": name, **_errors(rows, rule)} for name, rule in rules.items()],
        "families": [_family([row for row in rows if row["family"] == family]) for family in families],
    }


def _errors(rows: list[dict], rule) -> dict:
    return {
        "false_alarms": sum(rule(row) and not row["faulty"] for row in rows),
        "missed": sum(row["faulty"] and not rule(row) for row in rows),
    }


def _family(rows: list[dict]) -> dict:
    found = [row for row in rows if row["faulty"] and row["found"]]
    tried = [row for row in rows if row["repaired"] is not None]
    return {
        "family": rows[0]["family"],
        "untrainable": sum(row["faulty"] for row in rows),
        "found": len(found),
        "alarms": sum(row["found"] for row in rows),
        "right_cause": sum(row["cause"] for row in found),
        "repairs": len(tried),
        "repaired": sum(row["repaired"] for row in tried),
        "gain_points": 100 * mean(row["gain"] for row in tried) if tried else 0.0,
    }


def cost(rows: list[dict]) -> dict:
    """Training steps of the probe, and the time of one batch as a share of 1,500 steps."""
    return {
        "steps_healthy": median(row["steps"] for row in rows if not row["faulty"]),
        "steps_untrainable": median(row["steps"] for row in rows if row["faulty"]),
        "steps_most": max(row["steps"] for row in rows),
        "batch_share": median(row["batch_share"] for row in rows),
    }


def _rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], parents=[result_options()])
    parser.add_argument("--families", nargs="+", default=[])
    parser.add_argument("--no_repair", action="store_true")
    parser.add_argument("--rows", default="runs/diagnosis.jsonl")
    main(parser.parse_args())
