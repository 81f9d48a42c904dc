"""A figure of a page as plain data: Plotly's traces and layout, a message in words, and the same numbers as a table.

Figures are dicts and not `plotly.graph_objects`, whose import would take longer than a tiny training may; the tests
check them with that.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

FONT_SIZE = 12  # px
HEIGHT = 360  # px
DIGITS = 5  # significant digits of numbers in figures
TICKS = 8  # about so many on an axis of whole numbers
PHONE_WIDTH = 320  # px, what a figure gets on a phone


@dataclass(frozen=True)
class Figure:
    """One figure.

    Args:
        name: of its element, unique on the page: letters, digits and dashes.
        title: what it is.
        message: what it shows, in words and numbers; also read by screen readers.
        data: Plotly's traces.
        layout: Plotly's layout, beside that of all figures.
        header: names of the columns of its table.
        lines: cells of the rows of its table.
        height: px.
        min_width: px; on a narrower page the figure is scrolled.
    """

    name: str
    title: str
    message: str
    data: Sequence[dict]
    layout: dict = field(default_factory=dict)
    header: Sequence[str] = ()
    lines: Sequence[Sequence[str]] = ()
    height: int = HEIGHT
    min_width: int = 0

    @property
    def json(self) -> str:
        """Traces and layout for a script element; no text can end that element."""
        return to_json({"data": list(self.data), "layout": {**LAYOUT, **self.layout}})


LAYOUT: dict[str, Any] = {
    "font": {"size": FONT_SIZE, "family": "system-ui, sans-serif"},
    "margin": {"l": 10, "r": 10, "t": 34, "b": 46},  # above, the legend and the buttons of Plotly
    "hovermode": "closest",
    "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    "hoverlabel": {"align": "left"},
}


def axis(title: str, **options: Any) -> dict:
    """An axis with a title that is shown as it is."""
    return {"title": {"text": plot_text(title), "standoff": 8}, "automargin": True, **options}


def log_axis(title: str, low: float, high: float, **options: Any) -> dict:
    """A logarithmic axis of values from `low` to `high`: ticks are powers of ten, of a small range 2 and 5 times too.

    Plotly's own ticks between powers of ten are too small to read.
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    step = -(-len(powers) // TICKS)
    factors = (1,) if len(powers) > 3 else (1, 2, 5)
    ticks = [factor * 10.0**power for power in powers[::step] for factor in factors]
    labels = [f"{tick:,.0f}" if tick >= 1 else f"{tick:g}" for tick in ticks]
    return axis(title, type="log", tickvals=ticks, ticktext=labels, **options)


def integer_axis(title: str, values: Sequence[float], **options: Any) -> dict:
    """An axis of whole numbers from the least to the most of `values`: no tick is between two of them."""
    low, high = (min(values), max(values)) if len(values) else (0, 1)
    pad = max(0.5, 0.03 * (high - low))
    step = whole_step(high - low)
    return axis(title, tickformat=",d", dtick=step, tick0=0, range=[low - pad, high + pad], **options)


def whole_step(span: float) -> int:
    """Distance of two ticks: 1, 2 or 5 times a power of ten, at least 1."""
    least = max(1.0, span / TICKS)
    power = 10 ** math.floor(math.log10(least))
    return round(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least))


def plot_text(text: object) -> str:
    """`text` as Plotly shows it as it is: its labels can hold markup, and names of users may look like some."""
    return escape(str(text), quote=False)


def to_json(value: Any) -> str:
    """JSON for a script element: without <, > and &, and null for what is not finite."""
    text = json.dumps(_plain(value), allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _plain(value: Any) -> Any:
    """Lists, dicts and Python's numbers, rounded, of what may hold NumPy's."""
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, str | bool) or value is None:
        return value
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return [_plain(one) for one in value] if isinstance(value, list | tuple | range) else value
