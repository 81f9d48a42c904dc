"""The tables of docs/benchmarks/diagnosis.md."""

from benchmarks.tables.markdown import bold, figures, interval, number, table

FRESH, EXAMINED = (
    "fresh",
    "examined",
)  # groups of held-out families; only the fresh ones were not looked at before
REPORTS = {
    "kinds": "kinds of mistakes, for which the checks were written",
    "development": "development, from question sites and forums",
    "held-out": "**held out, from GitHub issues**",
}


def diagnosis(result: dict) -> str:
    """Diagnosis and baselines on fresh families, each held-out family, and what a diagnosis costs."""
    groups = result["groups"]
    return "\n\n".join([_rules(groups[FRESH]), _families(groups), _cost(result["cost"])])


def _rules(group: dict) -> str:
    rows = [_rule(rule, group["untrainable"], group["healthy"]) for rule in group["rules"]]
    rows[0] = [bold(text) for text in rows[0]]
    return table(["on the fresh families", "recall", "precision", "false alarms", "missed"], rows)


def _rule(rule: dict, untrainable: int, healthy: int) -> list[str]:
    found = untrainable - rule["missed"]
    recall, precision = found / untrainable, found / max(1, found + rule["false_alarms"])
    counts = [f"{rule['false_alarms']} of {healthy}", f"{rule['missed']} of {untrainable}"]
    return [rule["rule"], number(recall, 3), number(precision, 3), *counts]


def _families(groups: dict) -> str:
    rows = []
    for group, label in ((FRESH, "the fresh ones together"), (EXAMINED, "those together")):
        families = groups[group]["families"]
        total = [bold(text) for text in (label, *_total(families))]
        rows += [*map(_family, families), total]
    header = ["held out", "recall", "precision", "right cause", "repaired, gain in points of accuracy"]
    return table(header, rows)


def _family(row: dict) -> list[str]:
    repaired = f"{row['repaired']} of {row['repairs']}, {row['gain_points']:+.1f}"
    found = [f"{row['found']} of {row[name]}" for name in ("untrainable", "alarms")]
    return [row["family"], *found, f"{row['right_cause']} of {row['found']}", repaired]


def _total(families: list[dict]) -> list[str]:
    def share(part: str, whole: str) -> str:
        return number(sum(row[part] for row in families) / max(1, sum(row[whole] for row in families)), 3)

    repairs = sum(row["repairs"] for row in families)
    gain = sum(row["repairs"] * row["gain_points"] for row in families) / max(1, repairs)
    shares = [share("found", "untrainable"), share("found", "alarms"), share("right_cause", "found")]
    return [*shares, f"{share('repaired', 'repairs')}, {gain:+.1f}"]


def _cost(cost: dict) -> str:
    return figures(
        {
            "steps of healthy networks, median": number(cost["steps_healthy"]),
            "of untrainable ones, median": number(cost["steps_untrainable"]),
            "at most": number(cost["steps_most"]),
            "one batch, % of 1,500 steps, median": number(100 * cost["batch_share"], 1),
        }
    )


def reports(result: dict) -> str:
    """How often the right cause of a public report was named, by set."""
    rows = []
    for found in result["sets"]:
        limit = f", {found['seconds']:g} s each" if found["seconds"] else ""
        counts = [found[name] for name in ("reports", "first", "first_two", "crashes")]
        rows.append([REPORTS[found["set"]] + limit, *map(number, counts)])
    return table(["set", "reports", "right cause first", "among the first two", "crashes"], rows)


def monitor(result: dict) -> str:
    """The time that HealthMonitor adds to a training, and that of measuring one batch."""
    percent = {name: 100 * value for name, value in result["overhead"].items()}
    return figures(
        {
            "step, ms": number(result["step_milliseconds"]),
            "runs": number(result["runs"]),
            "more time with `HealthMonitor`, %, median": number(percent["median"], 1),
            "smallest and largest": interval(percent, 1),
            "one batch, % of 1,500 steps": number(100 * result["batch_share"], 1),
        }
    )


def learning_probability(result: dict) -> str:
    """Quality of the probability after each number of steps, and its reliability after the last."""
    rows = [
        [
            str(one["steps"]),
            one["group"],
            number(one["networks"]),
            number(one["brier"], 3),
            number(one["wrong"]),
            number(one["decisive"]),
            number(one["decisive_wrong"]),
        ]
        for one in result["figures"]
    ]
    header = [
        "steps",
        "families",
        "networks",
        "Brier score",
        "wrong",
        "below 2 % or above 98 %",
        "wrong of those",
    ]
    last = [one for one in result["figures"] if one["group"] == "development"][-1]
    reliability = [
        [f"{one['from']:.0%} to {one['to']:.0%}", number(one["networks"]), number(one["learned"])]
        for one in last["reliability"]
    ]
    return "\n\n".join(
        [
            table(header, rows, left=2),
            table([f"probability after {last['steps']} steps", "networks", "learned"], reliability),
        ]
    )
