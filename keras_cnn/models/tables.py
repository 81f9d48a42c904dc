"""Descriptions of models as text."""

import json
from collections.abc import Iterator, Sequence

from keras_cnn.models.build import build_model
from keras_cnn.models.describe import describe
from keras_cnn.models.registry import ARCHITECTURES
from keras_cnn.models.spec import ModelSpec
from keras_cnn.models.unallocated import unallocated

COLUMNS = ("layer", "kind", "kernel", "stride", "padding", "output", "parameters", "MACs", "field")
# the images of the papers, where they are not 224x224x3 of 1,000 classes
PUBLISHED = {
    "mlp": ((28, 28, 1), 10),
    "lenet5": ((28, 28, 1), 10),
    "alexnet": ((227, 227, 3), 1000),
    "alexnet_ungrouped": ((227, 227, 3), 1000),
    "vgg": ((32, 32, 3), 10),
    "convnext": ((32, 32, 3), 10),
    "resnet": ((32, 32, 3), 10),
    "resnet20_cifar": ((32, 32, 3), 10),
    "unet": ((512, 512, 1), 2),
    "unet_paper": ((572, 572, 1), 2),
}


def layer_table(description: dict) -> str:
    """The layers of `describe`, a line each, and the totals."""
    lines = _aligned([COLUMNS, *(_cells(row) for row in description["layers"])])
    shares = "; ".join(
        f"{kind} layers hold {share['parameters']:.1%} of the parameters and {share['macs']:.1%} of the MACs"
        for kind, share in description["shares"].items()
    )
    totals = (
        f"{description['parameters']:,} parameters, {description['trainable_parameters']:,} trainable; "
        f"{description['macs']:,} multiply-adds (MACs) an image"
    )
    return "\n".join([*lines, "", totals, shares])


def option_table(options: dict[str, dict]) -> str:
    """What `describe_options` found, a line each, as on the command line."""
    if not options:
        return "it has no options of its own"
    rows = [
        (f"--options.{name}", json.dumps(option["default"]), option["allowed"])
        for name, option in options.items()
    ]
    return "\n".join(_aligned([("option", "default", "allowed"), *rows]))


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _cells(row: dict) -> tuple[str, ...]:
    return (
        row["name"],
        row["kind"],
        _by(row["kernel"]),
        _by(row["strides"]),
        row["padding"] or "",
        _by(row["output_shape"]),
        f"{row['parameters']:,}",
        f"{row['macs']:,}" if row["macs"] else "",
        "image" if row["receptive_field"] is None else str(row["receptive_field"]),
    )


def _by(numbers: tuple[int, ...] | None) -> str:
    return "x".join(map(str, numbers)) if numbers else ""


def count_lines() -> Iterator[str]:
    """Every architecture with its counts, computed as each is built, at its paper's size."""
    yield f"{'architecture':20s} {'images':12s} {'classes':>7s} {'parameters':>12s}   with batch norm: trainable, all"
    for name in ARCHITECTURES:
        shape, classes = PUBLISHED.get(name, ((224, 224, 3), 1000))
        plain = normalized = _counts(name, shape, classes, batch_norm=True)
        both = ""
        if any(row["kind"] == "BatchNormalization" for row in normalized["layers"]):
            plain = _counts(name, shape, classes, batch_norm=False)
            both = f"   {normalized['trainable_parameters']:,}, {normalized['parameters']:,}"
        yield f"{name:20s} {_by(shape):12s} {classes:7d} {plain['parameters']:12,d}{both}"


def _counts(name: str, shape: tuple[int, int, int], classes: int, batch_norm: bool) -> dict:
    spec = ModelSpec(
        name,
        shape,
        classes,
        normalization="zero_one",
        batch_norm=batch_norm,
    )
    with unallocated():
        return describe(build_model(spec))
