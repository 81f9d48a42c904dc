"""Colors: the sequence is perceptual, its last color the best, and both stand out from either page."""

import itertools
import re
from pathlib import Path

import pytest

import keras_cnn.pages.palette as palette
from keras_cnn.pages.palette import BEST, KINDS, NEUTRAL, SEQUENTIAL, color_of, colorscale


def luminance(color: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(first: str, second: str) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def test_sequence_grows_lighter_in_even_steps():
    lightness = [116 * luminance(color) ** (1 / 3) - 16 for color in SEQUENTIAL]  # L* of CIELAB
    steps = [after - before for before, after in itertools.pairwise(lightness)]
    assert min(steps) > 3 and max(steps) < 3 * min(steps)


def test_color_of_ends_is_that_of_the_sequence_and_between_them_mixed():
    assert (color_of(-1), color_of(0), color_of(1), color_of(2)) == (SEQUENTIAL[0],) * 2 + (
        SEQUENTIAL[-1],
    ) * 2
    assert color_of(0.5) == SEQUENTIAL[3]
    assert luminance(SEQUENTIAL[0]) < luminance(color_of(0.08)) < luminance(SEQUENTIAL[1])


def test_colorscale_has_the_best_color_at_the_best_value():
    assert colorscale()[-1] == [1.0, SEQUENTIAL[-1]] and colorscale(-1)[0] == [0.0, SEQUENTIAL[-1]]


@pytest.mark.parametrize("color", [*KINDS, BEST, NEUTRAL])
def test_color_of_a_kind_stands_out_from_a_light_and_a_dark_page(color):
    style = (Path(palette.__file__).parent / "templates/page.css").read_text(encoding="utf-8")
    light, dark, _ = re.findall(r"--page: (#\w+)", style)
    assert contrast(color, light) > 2 and contrast(color, dark) > 2


def test_text_of_the_page_is_readable_in_both_modes():
    style = (Path(palette.__file__).parent / "templates/page.css").read_text(encoding="utf-8")
    for mode in re.findall(r":root \{ (.*?) \}", style):
        colors = dict(re.findall(r"--(\w+): (#\w+)", mode))
        for name in ("text", "muted", "best", "link"):
            assert (
                contrast(colors[name], colors["page"]) > 4.5 and contrast(colors[name], colors["panel"]) > 4.5
            )
