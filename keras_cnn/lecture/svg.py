"""The style sheet of ladder.html, and figures as SVG inside the page."""

import io

from matplotlib.axes import Axes
from matplotlib.figure import Figure

POINT = "#4477aa"
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2em auto; padding: 0 1em; color: #222 }
svg { max-width: 100%; height: auto } h2 { margin-top: 2em }
.table { overflow-x: auto } table { border-collapse: collapse; font-size: 13px }
th, td { padding: .25em .7em; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap }
th { background: #f4f4f4; position: sticky; top: 0 } tr.bad td { color: #a33 } pre { white-space: pre-wrap }
"""


def new_figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    ax = figure.subplots()
    ax.spines[["top", "right"]].set_visible(False)
    return figure, ax


def to_svg(figure: Figure) -> str:
    """The figure as an element of a page."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue().partition("<svg")[1] + text.getvalue().partition("<svg")[2]
