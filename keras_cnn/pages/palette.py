"""The colors of every page and picture: a sequence for values, a set for kinds, and one color for the best."""

from collections.abc import Sequence

# viridis (van der Walt and Smith 2015) without its darkest and lightest parts, which do not stand out from a dark and
# a white page; perceptually uniform, and readable with any color vision. The last color is the best one's end.
SEQUENTIAL = ("#443983", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#a5d72e")
# Okabe and Ito 2008, Color Universal Design, without its yellow and black
KINDS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9")
BEST = "#d55e00"  # vermillion of the same set: the best trial or epoch, and mistakes
NEUTRAL = "#8c919a"  # what stands back; contrast 3 to 1 on white and on the dark page


def colorscale(sign: int = 1) -> list[list]:
    """SEQUENTIAL as Plotly's colorscale, with its last color at the best values.

    sign: 1 if the highest value is the best, -1 if the lowest is.
    """
    steps = len(SEQUENTIAL) - 1
    return [[place / steps, color] for place, color in enumerate(SEQUENTIAL[::sign])]


def color_of(share: float) -> str:
    """The color at `share` of SEQUENTIAL, in [0, 1]; 1 is the best."""
    place = min(max(share, 0.0), 1.0) * (len(SEQUENTIAL) - 1)
    low = min(int(place), len(SEQUENTIAL) - 2)
    pairs = zip(channels(SEQUENTIAL[low]), channels(SEQUENTIAL[low + 1]), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * (place - low)):02x}" for a, b in pairs)


def channels(color: str) -> Sequence[int]:
    """Red, green and blue of a color #rrggbb, 0..255."""
    return [int(color[place : place + 2], 16) for place in (1, 3, 5)]
