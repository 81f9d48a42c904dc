"""The tables of docs/benchmarks/search.md."""

from benchmarks.tables.markdown import bold_largest, each, figures, interval, number, table

DAMAGED = {
    "run": "a run, finished or interrupted",
    "study": "a finished study",
    "export": "an exported model",
}
OUTCOMES = {
    "same results": "same results",
    "refused": "refused in one line",
    "other results": "other results",
    "traceback": "tracebacks",
}


def search_cost(result: dict) -> str:
    """Speed, processor time and memory of searches."""
    found, cores = result["contestants"], result["machine"]["processors"]
    labels = {
        "plain": "plain Keras loop",
        "stock": "stock KerasTuner, `HyperCNN`",
        "one worker": f"one worker of {cores} threads",
        "a worker a core": f"{cores} workers of one thread",
    }
    header = ["", "trials an hour", "of stock", "CPU s a trial", "memory grows by, MB a trial", "at most, GB"]
    rates = [found[name]["trials_per_hour"] for name in labels]
    ratios = [rate / found["stock"]["trials_per_hour"] for rate in rates]
    columns = [
        list(labels.values()),
        bold_largest([number(rate) for rate in rates], rates),
        bold_largest([number(ratio, 2) for ratio in ratios], ratios),
        [number(found[name]["cpu_seconds_per_trial"], 2) for name in labels],
        [number(found[name].get("growth_megabytes_per_trial"), 1) for name in labels],
        [number(_gigabytes(found[name].get("peak_megabytes")), 1) for name in labels],
    ]
    seconds = number(result["import_cpu_seconds"], 1)
    text = f"The import of TensorFlow, {seconds} CPU seconds a process, is included."
    return f"{table(header, zip(*columns, strict=True))}\n\n{text}"


def _gigabytes(megabytes: float | None) -> float | None:
    return None if megabytes is None else megabytes / 1000


def many_trials(result: dict) -> str:
    """What the coordinator does for each of many trivial trials."""
    return figures(
        {
            "trials": number(result["trials"]),
            "ms a trial, means of every hundred": interval(result["milliseconds_per_trial"]),
            "memory of the coordinator at most, MiB": number(result["peak_mebibytes"]),
        }
    )


def keras_tuner_search(result: dict) -> str:
    """A user's search by KerasTuner and here, in alternating rounds; and the same search killed."""
    header = ["", "seconds", "trials an hour", "of stock", "memory, GB", "it grows by, MB"]
    labels = {"stock": "stock KerasTuner", "ours": "`from tuning import RandomSearch`"}
    rows = [[label, *_rounds(result["rounds"][kind])] for kind, label in labels.items()]
    rates = [[one["trials_per_hour"] for one in result["rounds"][kind]] for kind in ("stock", "ours")]
    rows[0].insert(3, "1")
    rows[1].insert(3, each((ours / stock for stock, ours in zip(*rates, strict=True)), 2))
    killed = {
        "kills": number(result["killed"]["kills"]),
        "trials at the end": number(result["killed"]["trials"]),
        "with another score than in the search left alone": number(result["killed"]["other_scores"]),
    }
    return f"{table(header, rows)}\n\n{figures(killed)}"


def _rounds(rounds: list[dict]) -> list[str]:
    return [
        each(one["seconds"] for one in rounds),
        each(one["trials_per_hour"] for one in rounds),
        each((one["megabytes_most"] / 1000 for one in rounds), 1),
        each(one["megabytes_most"] - one["megabytes_early"] for one in rounds),
    ]


def crash(result: dict) -> str:
    """What kills did to studies and runs, and how pairs started together ended."""
    names = {
        "kills": "kills",
        "studies": "studies",
        "lost": "trials lost",
        "other": "other scores",
        "run_twice": "trials run twice",
        "epochs_repeated": "epochs repeated",
    }
    rows = [[tuner, *(number(found[name]) for name in names)] for tuner, found in result["studies"].items()]
    runs, pairs = result["runs"], result["pairs"]
    more = {
        "plain runs": number(runs["runs"]),
        "kills": number(runs["kills"]),
        "lost, or with other weights": number(runs["lost_or_other"]),
        "pairs of runs": number(pairs["pairs"]),
        "without a directory: both kept": number(pairs["both_kept"]),
        "with the same directory: one refused": number(pairs["one_refused"]),
    }
    return f"{table(['tuner', *names.values()], rows)}\n\n{figures(more)}"


def damage(result: dict) -> str:
    """What a damaged file did, by what it belonged to."""
    rows = [
        [DAMAGED[kind], number(sum(counts.values())), *(number(counts.get(name, 0)) for name in OUTCOMES)]
        for kind, counts in result["outcomes"].items()
    ]
    return table(["damaged file of", "files", *OUTCOMES.values()], rows)
