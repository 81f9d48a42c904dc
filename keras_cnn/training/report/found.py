"""What `diagnose` and `HealthMonitor` found of a run, from the files they left in its directory."""

from dataclasses import dataclass
from pathlib import Path

from keras_cnn.errors import InputError
from keras_cnn.records import read_record

FILES = ("diagnosis.json", "health.json")


@dataclass(frozen=True)
class FoundReport:
    """source: the file. summary: the verdict, or that of the monitor. findings: (name, message, suggestion)."""

    source: str
    summary: str
    findings: list[tuple[str, str, str]]


def found_reports(directory: Path) -> list[FoundReport]:
    """Those of the run in `directory`, in itself or a folder in it; a damaged one is left out."""
    paths = [path for name in FILES for path in sorted([*directory.glob(name), *directory.glob(f"*/{name}")])]
    return [report for path in paths if (report := _read(path, directory)) is not None]


def _read(path: Path, directory: Path) -> FoundReport | None:
    try:
        record = read_record(path)
    except InputError:
        return None
    findings = record.get("findings", [])
    summary = f"verdict: {record['verdict']}" if "verdict" in record else _health(record, len(findings))
    shown = [(one["name"], one["message"], _suggestion(one)) for one in findings]
    return FoundReport(str(path.relative_to(directory)), summary, shown)


def _health(record: dict, findings: int) -> str:
    stopped = f"; stopped: {record['reason']}" if record.get("reason") else ""
    return f"{findings or 'no'} findings in {record.get('steps', 0)} steps{stopped}"


def _suggestion(finding: dict) -> str:
    suggestions = finding.get("suggestions") or []
    first = suggestions[0] if suggestions else ""
    return first.get("what", "") if isinstance(first, dict) else str(first)
