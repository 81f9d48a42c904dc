"""The tables of docs/benchmarks/training.md."""

from statistics import median

from benchmarks.tables.markdown import (
    bold_largest,
    each,
    figures,
    interval,
    median_and_interval,
    number,
    table,
)

NETS = {
    "vgg6": "VGG of 6 convolutions, 128",
    "vgg16": "VGG16, 128",
    "convnext": "3 ConvNeXt blocks of 96 at 16x16, 64",
}
# precision -> what is compared, in the order of the columns
KINDS = {
    "float32": ("stock", "ours", "eager", "channels_last", "compile"),
    "bfloat16": ("stock_bfloat16", "ours_bfloat16", "", "bfloat16", ""),
}


def throughput(result: dict) -> str:
    """Images per second by network, precision and framework."""
    torch = f"PyTorch {result['torch']}, eager"
    header = ["network, batch", "stock Keras `fit`", "keras-cnn", torch, "channels last", "compiled"]
    speeds = {(row["net"], row["kind"]): row for row in result["rows"]}
    rows = []
    for net, label in NETS.items():
        for precision, kinds in KINDS.items():
            found = [speeds.get((net, kind), {}) for kind in kinds]
            if any(found):
                name = f"{label}, float32" if precision == "float32" else f"the same in {precision}"
                rows.append([name, *_speeds(found)])
    return table(header, rows)


def _speeds(found: list[dict]) -> list[str]:
    medians = [row.get("median") for row in found]
    texts = bold_largest([number(value) for value in medians], medians)
    return [f"{text} ({interval(row)})" if row else "" for text, row in zip(texts, found, strict=True)]


def epoch_stall(result: dict) -> str:
    """Time of an epoch over the sum of its steps, by its length."""
    found = {(row["steps"], row["pipeline"]): median_and_interval(row, 3) for row in result["rows"]}
    steps = dict.fromkeys(row["steps"] for row in result["rows"])
    rows = [[number(count), found[count, "stock"], found[count, "ours"]] for count in steps]
    return table(["steps of an epoch", "stock", "keras-cnn"], rows, left=0)


def time_to_accuracy(result: dict) -> str:
    """Seconds until the accuracy is reached, ours and plain Keras."""
    goal = f"{100 * result['goal']:.0f} %"
    header = ["", f"seconds to {goal}, median", "times as long", "of each seed", "epochs", "test accuracy, %"]
    fastest = median(result["ours"]["seconds"])
    rows = []
    for label, found in (("keras-cnn", result["ours"]), ("plain Keras", result["stock"])):
        seconds, epochs = found["seconds"], sorted(set(found["epochs"]))
        percent = {name: 100 * value for name, value in found.get("accuracy", {}).items()}
        row = [number(median(seconds)), number(median(seconds) / fastest, 1), each(seconds, 1)]
        rows.append([label, *row, each(epochs), interval(percent, 1) if percent else ""])
    return table(header, rows)


def lr_find(result: dict) -> str:
    """How near the suggested learning rate is to the best of a sweep."""
    return figures(
        {
            "pairs of network and data": number(result["pairs"]),
            "suggestion within a factor of 3 of the best": number(result["within_factor_3"]),
            "suggestion / best": interval(result["ratio"], 2),
        }
    )


def batchnorm_statistics(result: dict) -> str:
    """Accuracy with batch statistics minus that in inference mode, in points, by method."""
    rows = [[row["method"], number(row["largest"], 1), number(row["mean"], 1)] for row in result["rows"]]
    return table(["method", "largest", "mean"], rows)


def batchnorm_short_runs(result: dict) -> str:
    """Rank correlation of short and long runs, by kind of batch normalization."""
    labels = {"stock": "stock batch normalization", "ours": "re-estimated statistics"}
    return figures({labels[kind]: f"{value:+.2f}" for kind, value in result["correlations"].items()})


def augmentation(result: dict) -> str:
    """Images per second, by augmentation."""
    return figures({row["augmentation"]: number(row["median"]) for row in result["rows"]})
