"""Tables and numbers in Markdown."""

from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """A table.

    Args:
        header: the names of the columns.
        rows: the cells of each row.
        left: how many columns are aligned left; the others are aligned right.
    """
    alignment = ["---"] * left + ["---:"] * (len(header) - left)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, alignment, *rows))


def figures(values: dict[str, str]) -> str:
    """A table of one row."""
    return table(list(values), [list(values.values())], left=0)


def number(value: float | None, digits: int = 0) -> str:
    """With separators of thousands; empty if it was not measured."""
    return "" if value is None else f"{value:,.{digits}f}"


def interval(measured: dict[str, float], digits: int = 0) -> str:
    """From the smallest to the largest."""
    return f"{number(measured['min'], digits)} to {number(measured['max'], digits)}"


def median_and_interval(measured: dict[str, float], digits: int = 0) -> str:
    return f"{number(measured['median'], digits)} ({interval(measured, digits)})"


def each(values: Iterable[float], digits: int = 0) -> str:
    """All numbers, with commas between."""
    return ", ".join(number(value, digits) for value in values)


def bold(text: str) -> str:
    return f"**{text}**"


def bold_largest(texts: Sequence[str], values: Sequence[float | None], sign: int = 1) -> list[str]:
    """Texts, those of the largest value in bold.

    Args:
        texts: one for each value.
        values: None where nothing was measured.
        sign: -1 for the smallest value instead.
    """
    best = max(sign * value for value in values if value is not None)
    return [
        bold(text) if value is not None and sign * value == best else text
        for text, value in zip(texts, values, strict=True)
    ]
