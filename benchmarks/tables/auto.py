"""The tables of docs/benchmarks/search.md about the tuner `auto`."""

from benchmarks.tables.markdown import each, figures, number, table


def search_race(result: dict) -> str:
    """Seconds and accuracies of each search, by round."""
    kinds = list(dict.fromkeys(row["kind"] for row in result["rows"]))
    names = {"stock": "KerasTuner's Hyperband, plain Keras"}
    rows = []
    for kind in kinds:
        found = [row for row in result["rows"] if row["kind"] == kind]
        label = names.get(kind, f"`auto`, {kind.split()[-1]} of its time")
        cells = (
            each(row["seconds"] for row in found),
            each((100 * row["val_accuracy"] for row in found), 1),
            each((100 * row["test_accuracy"] for row in found), 1),
        )
        rows.append([label, *cells])
    return table(["", "seconds", "validation accuracy, %", "test accuracy, %"], rows)


def search_table(result: dict) -> str:
    """How well short trainings rank configurations."""
    named = {name: number(value, 2) for name, value in result.items() if name.startswith(("whole", "first"))}
    return figures({"configurations": number(result["configurations"])} | named)


def search_simulation(result: dict) -> str:
    """How soon each tuner reached what KerasTuner's Hyperband ended with."""
    header = [
        "",
        "times as soon, median",
        "geometric mean",
        "reached it, %",
        "accuracy after its time, points",
    ]
    rows = [
        [
            f"`{tuner}`" if " " not in tuner else tuner,
            number(row["median_factor"], 2),
            number(row["geometric_mean_factor"], 2),
            number(100 * row["reached"]),
            number(100 * row["mean_difference"], 2),
        ]
        for tuner, row in result["tuners"].items()
    ]
    return table(header, rows)
