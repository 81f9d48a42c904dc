"""Pages from templates: one file with its style, its scripts and its numbers, that fetches nothing."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

OWN = "keras_cnn.pages"


def render(template: str, package: str = OWN, **context: Any) -> str:
    """The page that a template makes; every value is escaped.

    Args:
        template: its file name.
        package: whose `templates` folder holds it; that of this package is searched as well, for page.html.
        context: the values of the template.

    Returns:
        HTML. Its content security policy lets a browser run the page's own scripts and load nothing.
    """
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    loaders = [PackageLoader(name) for name in dict.fromkeys((package, OWN))]
    environment = Environment(
        loader=ChoiceLoader(loaders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    scripts = [plotly_js(), _own("page.js")]
    return environment.get_template(template).render(
        style=Markup(_own("page.css")),
        scripts=[Markup(script) for script in scripts],
        policy=_policy(scripts),
        safe=Markup,
        **context,
    )


@cache
def plotly_js() -> str:
    """The script that draws the figures, 4.8 MB."""
    return files("plotly").joinpath("package_data/plotly.min.js").read_text(encoding="utf-8")


def _own(name: str) -> str:
    return files(OWN).joinpath("templates", name).read_text(encoding="utf-8")


def _policy(scripts: Sequence[str]) -> str:
    """Only scripts with these hashes run; styles and images come with the page."""
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{one}'" for one in hashes)
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:"
