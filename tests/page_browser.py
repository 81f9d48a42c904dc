"""Headless Chromium on a page in a file, without a network."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NARROW = 390  # px, a phone's


@contextlib.contextmanager
def opened(path: Path, width: int = 1400, *, dark: bool = False) -> Iterator:
    """The page, when all its figures are drawn; fails if it asks for anything else or reports an error."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        scheme = "dark" if dark else "light"
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        requested: list[str] = []
        errors: list[str] = []
        page.on("request", lambda request: requested.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.context.set_offline(True)
        page.goto(path.as_uri())
        page.wait_for_selector("body[data-drawn]", timeout=60_000)
        yield page
        browser.close()
        assert [one for one in requested if not one.startswith(("data:", "blob:"))] == [path.as_uri()]
        assert errors == []


def small_labels(page) -> list:
    """Texts of figures of less than 11 px."""
    return page.evaluate(
        """[...document.querySelectorAll('.plot svg text')].filter(
            text => text.textContent && parseFloat(getComputedStyle(text).fontSize) < 11
        ).map(text => text.textContent)"""
    )


def is_scrolled_sideways(page) -> bool:
    """Whether a part of the page is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth > innerWidth")
