"""How often the diagnosis is right and repair succeeds, on networks labeled by long training.

    TFDS_DATA_DIR=... .venv/bin/python -m benchmarks.diagnosis [--families vgg lenet] [--no_repair]

`benchmarks.fault_labels` writes the labels to benchmarks/fault_labels.jsonl. Thresholds were set on the development
families only (`benchmarks.fault_set`); the others are held out. A network counts as faulty unless it is labeled
healthy; undecided ones are left out. Right cause: the seeded fault, or a change that made the network learn in long
training, is among the first two findings. Repaired: the model that `repair` returns has learned after long training;
networks with shuffled labels are left out there. Results are appended to --results, one line per network, and an
interrupted run continues. Held-out families, which come first, take about one hour on one processor, all families
four.
"""

import argparse
import json
import time
from pathlib import Path
from statistics import mean, median

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
    path = Path(options.results)
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
    rows = [row for row in _rows(path) if row["family"] in families]
    for name, group in (("held out", HELD_OUT), ("development", DEVELOPMENT)):
        chosen = [row for row in rows if row["family"] in group]
        if chosen:
            print(f"\n{name}: {len(chosen)} networks of {', '.join(group)}")
            print("\n".join(table(chosen)))


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


def table(rows: list[dict]) -> list[str]:
    """Lines of text: recall, precision, causes, steps and repairs of the diagnosis, and of each baseline."""
    healthy = [row for row in rows if not row["faulty"]]
    lines = [
        f"{len(rows) - len(healthy)} faulty, {len(healthy)} healthy",
        "rule | recall | precision | false alarms | missed",
    ]
    rules = {"diagnosis": lambda row: row["found"]}
    rules |= {name: lambda row, name=name: row["baselines"][name] for name in rows[0]["baselines"]}
    for name, rule in rules.items():
        alarms = [row for row in rows if rule(row)]
        right = sum(row["faulty"] for row in alarms)
        faulty = len(rows) - len(healthy)
        lines.append(
            f"{name} | {right / max(1, faulty):.3f} | {right / max(1, len(alarms)):.3f} | {len(alarms) - right} of "
            f"{len(healthy)} | {faulty - right} of {faulty}"
        )
    causes = [row["cause"] for row in rows if row["faulty"] and row["found"]]
    tried = [row for row in rows if row["repaired"] is not None]
    lines.append(f"right cause among the first two findings: {sum(causes)} of {len(causes)}")
    lines.append(f"one batch costs {median(row['batch_share'] for row in rows):.2%} of 1,500 steps, median")
    steps = [row["steps"] for row in rows]
    lines.append(f"steps of the probe: median {median(steps):.0f}, most {max(steps)}")
    for name, group in (("healthy", healthy), ("faulty", [row for row in rows if row["faulty"]])):
        lines.append(f"  of {name} networks: median {median(row['steps'] for row in group):.0f}")
    if tried:
        succeeded = [row for row in tried if row["repaired"]]
        lines.append(
            f"repaired: {len(succeeded)} of {len(tried)}; on average "
            f"{100 * mean(row['gain'] for row in tried):+.1f} points of accuracy"
        )
    return lines


def _rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--families", nargs="+", default=[])
    parser.add_argument("--no_repair", action="store_true")
    parser.add_argument("--results", default="runs/diagnosis.jsonl")
    main(parser.parse_args())
