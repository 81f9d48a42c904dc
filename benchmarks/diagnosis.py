"""How often is the doctor right, and how often does repair cure? On nets labeled by long training.

    TFDS_DATA_DIR=... .venv/bin/python -m benchmarks.diagnosis [--families vgg lenet] [--no_repair]

The labels lie in benchmarks/fault_labels.jsonl (`benchmarks.fault_labels` makes them). The rules were set on the
families for development alone (`benchmarks.fault_set`), the others are held out. A net is sick unless it is labeled
healthy; undecided ones are left out. Cause: the seeded fault, or what long training showed to cure it, is among the
first two findings. Repaired: the net that `repair` gives has learned after long training; nets of shuffled labels are
left out there. Results are kept, one line a net, in --results, and gone on with. Held-out families, which come first,
take about an hour on one processor, all of them four.
"""

import argparse
import json
import time
from pathlib import Path
from statistics import mean, median

BUDGET = 300
# findings that name a seeded fault; of random draws those that lead to a change that was measured to cure
NAMES = {
    "labels_shuffled": {"labels_unrelated"},
    "double_softmax": {"softmax_twice"},
    "no_softmax": {"probabilities_expected"},
    "raw_inputs": {"inputs_not_normalized"},
    "tiny_inputs": {"inputs_not_normalized"},
    "dead_relu": {"dead_units"},
    "too_small": {"too_narrow"},
    "high_rate": {"rate_too_high"},
    "low_rate": {"rate_too_low"},
    "zero_init": {"constant_kernel"},
}
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
            print(f"\n{name}: {len(chosen)} nets of {', '.join(group)}")
            print("\n".join(table(chosen)))


def examine(case, label: dict, with_repair: bool) -> dict:
    """What the doctor, the baselines and the repair make of one net."""
    from benchmarks.diagnosis_baselines import BASELINES, observe
    from benchmarks.fault_set import build, data
    from keras_cnn.diagnosis.diagnose import IMAGES, diagnose
    from keras_cnn.diagnosis.probe.data import sample_of
    from keras_cnn.diagnosis.probe.decision import HEALTHY
    from keras_cnn.diagnosis.probe.objective import objective_of
    from keras_cnn.diagnosis.probe.probe import MEDIUM_RUN_STEPS, SHORT_RUN_STEPS, Probe

    model, images = build(case), data(case)
    found = diagnose(model, images[:2])
    sample = sample_of(images[:2], IMAGES)
    objective = objective_of(model, sample)
    seen = observe(model, sample, objective, MEDIUM_RUN_STEPS)
    probe = Probe(model, sample, objective)
    probe.run(case.rate)
    started = time.perf_counter()
    probe.run(case.rate)
    step = (time.perf_counter() - started) / SHORT_RUN_STEPS
    sick = label["verdict"] != "healthy"
    row = {
        **{key: label[key] for key in ("number", "family", "data", "fault", "cured_by")},
        "label": label["verdict"],
        "verdict": found.verdict,
        "sick": sick,
        "found": found.verdict != HEALTHY,
        "baselines": {name: bool(rule(seen)) for name, rule in BASELINES.items()},
        "first": [finding.name for finding in found.findings[:2]],
        "cause": _right_cause(label, found) if sick else None,
        "steps": _steps(found),
        "batch_share": found.seconds.get("one batch", 0.0) / (step * 1500),
        "repaired": None,
    }
    if with_repair and sick and found.verdict != HEALTHY and case.fault != "labels_shuffled":
        row |= _repaired(case, label, model, images, found)
    return row


def _steps(found) -> int:
    """Of all that was probed; the longer look begins anew."""
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

    mended = repair(model, images[:2], found, budget=BUDGET)
    own = next(iter(label["runs"].values()))["accuracies"][-1]
    if not mended.succeeded:
        return {"repaired": False, "changes": [], "gain": 0.0}
    run = train_long(mended.model, images, [mended.rate], case)
    return {
        "repaired": learned(case, run),
        "changes": list(mended.changes),
        "gain": run[mended.rate]["accuracies"][-1] - own,
    }


def table(rows: list[dict]) -> list[str]:
    """Lines that tell recall, precision and the rest of the doctor and of each baseline."""
    healthy = [row for row in rows if not row["sick"]]
    lines = [
        f"{len(rows) - len(healthy)} sick, {len(healthy)} healthy",
        "rule | recall | precision | false alarms | missed",
    ]
    rules = {"doctor": lambda row: row["found"]}
    rules |= {name: lambda row, name=name: row["baselines"][name] for name in rows[0]["baselines"]}
    for name, rule in rules.items():
        alarms = [row for row in rows if rule(row)]
        right = sum(row["sick"] for row in alarms)
        sick = len(rows) - len(healthy)
        lines.append(
            f"{name} | {right / max(1, sick):.3f} | {right / max(1, len(alarms)):.3f} | {len(alarms) - right} of "
            f"{len(healthy)} | {sick - right} of {sick}"
        )
    causes = [row["cause"] for row in rows if row["sick"] and row["found"]]
    tried = [row for row in rows if row["repaired"] is not None]
    lines.append(f"right cause among the first two findings: {sum(causes)} of {len(causes)}")
    lines.append(f"one batch costs {median(row['batch_share'] for row in rows):.2%} of 1,500 steps, median")
    steps = [row["steps"] for row in rows]
    lines.append(f"steps of the probe: median {median(steps):.0f}, most {max(steps)}")
    for told, group in (("healthy", healthy), ("sick", [row for row in rows if row["sick"]])):
        lines.append(f"  of {told} nets: median {median(row['steps'] for row in group):.0f}")
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
