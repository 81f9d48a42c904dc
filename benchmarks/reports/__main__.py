"""Diagnose rebuilt reports: `python -m benchmarks.reports [NAME ...] [--fixed] [--held-out]`.

Without names and without --fixed it writes results/reports.json, or results/reports_held_out.json.
"""

import argparse
import json
import logging
import math
import time

import keras

from benchmarks.reports import (  # noqa: F401
    data_cases,
    dev_data,
    dev_outputs,
    dev_training,
    dev_weights,
    heldout_data,
    heldout_outputs,
    heldout_training,
    output_cases,
    training_cases,
)
from benchmarks.reports.report import REPORTS, Report
from benchmarks.result_files import result_options, write_result
from keras_cnn.diagnosis.diagnose import diagnose
from keras_cnn.diagnosis.report import text


def examine(report: Report, fixed: bool, limit: float) -> dict:
    keras.utils.set_random_seed(0)
    model, data = (report.fixed if fixed else report.broken)()
    started = time.perf_counter()
    try:
        found = diagnose(model, data, seconds=limit)
        names = [f"{one.name}:{one.confidence:.2f}" for one in found.findings]
        full = text(found)
        verdict = found.verdict
    except Exception as error:
        verdict, names, full = f"CRASH {type(error).__name__}: {error}"[:200], [], ""
    seconds = time.perf_counter() - started
    ranked = [name.partition(":")[0] for name in names]
    place = next((i + 1 for i, name in enumerate(ranked) if name in report.causes), 0)
    return {"name": report.name, "set": report.set_name, "fixed": fixed, "verdict": verdict, "place": place,
            "findings": names, "seconds": round(seconds, 1), "text": full}  # fmt: skip


def summary(rows: list[dict], limit: float) -> list[dict]:
    """Of each set: how many reports, right causes in first and in the first two places, and crashes."""
    found = []
    for name in dict.fromkeys(row["set"] for row in rows):
        chosen = [row for row in rows if row["set"] == name]
        places = [row["place"] for row in chosen]
        counts = {"first": places.count(1), "first_two": places.count(1) + places.count(2)}
        counts["crashes"] = sum(row["verdict"].startswith("CRASH") for row in chosen)
        seconds = limit if math.isfinite(limit) else None
        found.append({"set": name, "seconds": seconds, "reports": len(chosen), **counts})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], parents=[result_options()])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--fixed", action="store_true")
    parser.add_argument("--held-out", action="store_true", help="only the reports kept for evaluation")
    parser.add_argument("--text", action="store_true")
    parser.add_argument("--out", default="")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="of a diagnosis")
    options = parser.parse_args()
    logging.disable(logging.INFO)
    chosen = [name for name, report in REPORTS.items() if report.held_out == options.held_out]
    rows = []
    for name in options.names or chosen:
        row = examine(REPORTS[name], options.fixed, options.seconds)
        print(
            f"{row['place']} {name:38} {row['verdict'][:90]:24} {row['seconds']:6.1f}s  {' '.join(row['findings'])}",
            flush=True,
        )
        if options.text:
            print(row["text"])
        if options.out:
            with open(options.out, "a") as file:
                file.write(json.dumps(row) + "\n")
        rows.append({key: value for key, value in row.items() if key != "text"})
    if not options.names and not options.fixed:
        name = "reports_held_out" if options.held_out else "reports"
        write_result(name, {"sets": summary(rows, options.seconds), "rows": rows})


if __name__ == "__main__":
    main()
