"""Names in Markdown: whatever a class, a file or a data set is called, it is shown as it is written."""

import re

SPECIAL = re.compile(r"([\\`*_\[\]<|~$:&])")  # has a meaning anywhere in a line; $ and : are Streamlit's
LEADING = re.compile(r"^(\d*)([-+=#>.)])")  # begins a list, a heading or a quotation
# directions of writing that would reach beyond the name
BIDIRECTIONAL = re.compile("[\u202a-\u202e\u2066-\u2069]")
# what a page replaces in spite of backslashes: addresses by links, -- and -> and >= by signs, :smile: by a picture
REPLACED = re.compile(
    r"(?<=:)(?=//|[\w+/-]+:)|(?<=www)(?=\.)|(?<=@)(?=\w)|(?<=[-<>~])(?=[->=])", re.IGNORECASE
)
WORD_JOINER = "\u2060"  # has no width


def escape(text: object) -> str:
    """Text for any place in Markdown, tables and Streamlit's labels included, that shows `text` in one line."""
    line = " ".join(BIDIRECTIONAL.sub("", str(text)).split())
    joined = REPLACED.sub(WORD_JOINER, line)
    return LEADING.sub(r"\1\\\2", SPECIAL.sub(r"\\\1", joined))
