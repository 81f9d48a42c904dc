"""Summarize rows of `python -m benchmarks.reports --out FILE`: `python -m benchmarks.reports.results FILE ...`."""

import json
import sys
from pathlib import Path

FALSE_FROM = 0.5  # confidence from which on a finding counts as a statement


def summary(rows: list[dict]) -> dict:
    """Counts over reports: cause named first or among the first two, crashes; false statements on corrected nets."""
    broken, fixed = ([row for row in rows if row["fixed"] == value] for value in (False, True))
    false = sum(
        float(finding.partition(":")[2]) >= FALSE_FROM for row in fixed for finding in row["findings"]
    )
    return {
        "reports": len(broken),
        "cause_first": sum(row["place"] == 1 for row in broken),
        "cause_among_two": sum(row["place"] in (1, 2) for row in broken),
        "crashes": sum(row["verdict"].startswith("CRASH") for row in rows),
        "corrected_nets": len(fixed),
        "corrected_healthy": sum(row["verdict"] == "healthy" for row in fixed),
        "statements_on_corrected": false,
        "median_seconds": sorted(row["seconds"] for row in broken)[len(broken) // 2] if broken else 0.0,
    }


def main() -> None:
    latest: dict[tuple[str, bool], dict] = {}
    for path in sys.argv[1:]:
        for line in Path(path).read_text().splitlines():
            row = json.loads(line)
            latest[row["name"], row["fixed"]] = row
    for subset in ("dev", "held-out"):
        rows = [row for row in latest.values() if row.get("set", "dev") == subset]
        print(json.dumps({"set": subset, **summary(rows)}))


if __name__ == "__main__":
    main()
