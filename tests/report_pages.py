"""What tests of every HTML page share: a reader of its elements, and of the figures inside."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

VOID = ("meta", "img", "br", "link", "input", "path")
FETCHING = ("src", "href", "srcset", "data", "poster", "action", "background")


class PageReader(HTMLParser):
    """Collects open elements, what a browser would fetch, figures and text, of a page it is fed."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.scripts: list[str] = []
        self.figures: dict[str, dict] = {}
        self.labels: list[str] = []
        self.texts: list[str] = []
        self._figure = self._script = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        self.fetched += [value for name, value in attributes if name in FETCHING]
        self.labels += [value for name, value in attributes if name in ("aria-label", "alt")]
        if tag == "figure":
            self._figure = named.get("id", "")
        if tag == "script":
            self._script = named.get("type", "text/javascript")

    def handle_endtag(self, tag):
        self._script = "" if tag == "script" else self._script
        assert self.open and self.open.pop() == tag, f"{tag} is not the last open element"

    def handle_data(self, data):
        if self._script == "application/json":
            self.figures[self._figure] = json.loads(data)
        elif self._script:
            self.scripts.append(data)
        elif self.open and self.open[-1] != "style":
            self.texts.append(data)

    @property
    def words(self) -> str:
        """The text of the page, without scripts and styles."""
        return " ".join(" ".join(self.texts).split())


def check_page(text: str) -> PageReader:
    """Read a page, and check what holds of every one: well formed, fetches nothing, and runs its own scripts alone."""
    reader = PageReader(text)
    assert reader.open == []
    assert not [one for one in reader.fetched if not one.startswith(("#", "data:image/"))]
    assert not re.search(r"@import|url\((?!data:)", text.partition("<style>")[2].partition("</style>")[0])
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1].replace("&#39;", "'")
    hashes = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in reader.scripts]
    allowed = " ".join(f"'sha256-{one}'" for one in hashes)
    assert f"default-src 'none'; script-src {allowed};" in policy
    return reader


def check_figure(figure: dict) -> None:
    """Check what holds of every figure: Plotly knows all its settings, and its labels are 11 px or larger."""
    from plotly.graph_objects import Figure

    Figure(figure)  # raises ValueError
    sizes = [
        int(size) for size in re.findall(r'"size":(\d+)', json.dumps(figure["layout"], separators=(",", ":")))
    ]
    assert min(sizes) >= 11
