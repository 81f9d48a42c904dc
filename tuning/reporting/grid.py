"""A Markdown table that a terminal shows aligned."""

from collections.abc import Sequence


def grid(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """The table; its last column is long and is not padded."""
    widths = [max(len(cell) for cell in column) for column in zip(header, *lines, strict=True)]
    widths[-1] = 3
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
        for cells in [header, ["-" * width for width in widths], *lines]
    )


def short(value: object) -> str:
    """A hyperparameter's value."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def number_text(value: float | None) -> str:
    """A whole number with commas, any other with four decimals."""
    return "" if value is None else f"{value:,d}" if isinstance(value, int) else f"{value:.4f}"
