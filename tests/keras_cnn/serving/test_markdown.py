"""Names of classes, files and data are shown as they are written, in Markdown and in the card's tables."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from keras_cnn.records import read_json
from keras_cnn.serving.markdown import WORD_JOINER, escape
from keras_cnn.serving.readme import data_name, readme

HOSTILE = [
    "![x](http://127.0.0.1:9/p.png)",
    "[link](https://x.example)",
    "a $x^2$ $$y$$",
    "**b** *i* _u_ ~~s~~ `code` \\ back",
    ":red[hot] :smile: :material/home:",
    "a|b",
    "<img src=x onerror=alert(1)> &amp;",
    "# head",
    "1. one",
    "> quote",
    "+ item",
    "- item",
    "---",
    "    code",
]


def shown(markdown: str) -> str:
    """The text that is shown for Markdown; it must be one paragraph without any element in it."""
    found = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown)
    inner = re.fullmatch(r"<p>([^<>]*)</p>\n", found)
    assert inner, found
    return html.unescape(inner[1]).replace(WORD_JOINER, "")


@pytest.mark.parametrize("name", HOSTILE)
def test_escaped_name_is_shown_as_it_is_written(name):
    assert shown(escape(name)) == name.strip()


@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Z"]), min_size=1))
def test_escaped_text_is_shown_as_it_is_written(text):
    assert shown(escape(text)) == text


def test_escaped_text_stays_in_one_line_and_keeps_its_direction():
    assert escape("a\n\n b\r\tc\x0b") == "a b c"
    assert escape("safe\u202egnp.exe") == "safegnp.exe"


@pytest.mark.parametrize(
    "text",
    [
        "http://x.example",
        "www.x.example",
        "me@x.example",
        ":streamlit:",
        ":smile:",
        ":material/home:",
        "a->b",
        "a--b",
    ],
)
def test_what_a_page_replaces_in_spite_of_backslashes_is_taken_apart(text):
    assert WORD_JOINER in escape(text) and shown(escape(text)) == text


def test_readme_of_hostile_names_has_a_whole_table_and_no_picture(exported):
    card = read_json(exported / "card.json")
    card["classes"] = ["![x](http://x.example/y.png)", "a|b"]
    card["data"]["name"] = "folder:/home/me/secret/photos"
    card["limits"] = ["few images of a|b in folder:/home/me/secret/photos"]
    page = MarkdownIt("commonmark").enable("table").render(readme(card))
    assert "<img" not in page and "<a " not in page and "secret" not in page
    rows = [
        re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)
        for row in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    ]
    assert [len(row) for row in rows] == [3, 3, 3] and rows[2][0] == "<strong>a|b</strong>"
    assert "few images of a|b in folder:photos" in page


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cifar10", "cifar10"),
        ("mnist:3.0.1", "mnist:3.0.1"),
        ("folder:/home/me/photos/", "folder:photos"),
        ("pairs:../cells", "pairs:cells"),
    ],
)
def test_data_is_named_without_its_path(name, expected):
    assert data_name({"data": {"name": name}}) == expected
