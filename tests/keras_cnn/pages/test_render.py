"""A page from a template: escaped, whole, and without anything to fetch."""

import subprocess
import sys

from keras_cnn.pages.figures import Figure
from keras_cnn.pages.render import plotly_js, render
from tests.report_pages import check_page

HOSTILE = "</title><script>alert(1)</script>"


def test_page_is_escaped_and_fetches_nothing():
    text = render("page.html", title=HOSTILE)
    reader = check_page(text)
    assert "<script>alert" not in text and reader.words.startswith(HOSTILE)
    assert len(reader.scripts) == 2 and text.count(plotly_js()) == 1
    assert 'name="viewport" content="width=device-width' in text and "prefers-color-scheme: dark" in text


def test_figure_of_hostile_texts_is_escaped_with_its_table():
    from jinja2 import Environment

    figure = Figure("f", HOSTILE, HOSTILE, [{"x": [1], "name": HOSTILE}], {}, ("a",), [(HOSTILE,)])
    source = render_figure(figure, Environment)
    assert "<script>alert" not in source and source.count("&lt;script&gt;alert") == 6


def render_figure(figure: Figure, environment) -> str:
    from jinja2 import PackageLoader
    from markupsafe import Markup

    made = environment(loader=PackageLoader("keras_cnn.pages"), autoescape=True)
    return str(
        made.from_string('{% from "page.html" import show with context %}{{ show(f) }}').render(
            f=figure, safe=Markup
        )
    )


def test_importing_the_packages_imports_neither_plotly_nor_jinja2():
    code = "import sys, keras_cnn.cli, keras_cnn.pages.render, keras_cnn.training_run, tuning; "
    code += "assert not {'plotly', 'jinja2', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
