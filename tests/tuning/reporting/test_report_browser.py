"""report.html as a browser shows it: without network, on a wide page and on a phone, in light and dark."""

import pytest

from tests.page_browser import CHROMIUM, NARROW, is_scrolled_sideways, opened, small_labels
from tests.report_studies import HOSTILE, made_study
from tuning.reporting.report import write_report
from tuning.storage.trials import trials

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return made_study(tmp_path_factory.mktemp("shown") / "study", 12, name=HOSTILE, further=("parameters",))


@pytest.fixture(scope="module")
def report(study):
    return write_report(study).with_name("report.html")


@pytest.mark.parametrize("width", [1400, NARROW])
def test_page_is_drawn_without_network_in_readable_labels(report, width):
    with opened(report, width) as page:
        assert page.locator(".plot .main-svg").count() > 0
        assert page.evaluate("document.body.dataset.drawn") == str(page.locator(".plot").count())
        assert small_labels(page) == [] and not is_scrolled_sideways(page)
        assert page.locator("img").count() == 0  # as the hostile name would make one


def test_page_in_dark_mode_has_light_text_also_in_figures(report):
    with opened(report, dark=True) as page:
        color = "getComputedStyle(document.querySelector('{}')).{}"
        assert page.evaluate(color.format("body", "backgroundColor")) == "rgb(22, 25, 30)"
        assert page.evaluate(color.format(".plot .xtick text", "fill")) == "rgb(231, 233, 236)"


def test_page_in_print_is_black_on_white_also_from_dark_mode_and_fits(report):
    with opened(report, 1000, dark=True) as page:
        page.emulate_media(media="print")
        color = "getComputedStyle(document.querySelector('{}')).{}"
        assert page.evaluate(color.format("body", "backgroundColor")) == "rgb(255, 255, 255)"
        assert page.evaluate(color.format(".plot .xtick text", "fill")) == "rgb(0, 0, 0)"
        assert not is_scrolled_sideways(page)


def test_a_click_on_a_row_marks_its_trial_in_figures_and_a_second_one_ends_that(study, report):
    name = trials(study)[3]["trial"]
    marked = "[...document.querySelectorAll('.plot')].filter(plot => plot.data.length > plot.traces).length"
    with opened(report) as page:
        row = page.locator(f"tr[data-name='{name}']")
        row.click()
        assert page.evaluate(marked) >= 5 and "chosen" in row.get_attribute("class")
        row.click()
        assert page.evaluate(marked) == 0


def test_a_click_on_a_column_sorts_trials_by_number(report):
    with opened(report) as page:
        page.locator("th button", has_text="trial").click()
        names = page.locator("tr[data-name] td:first-child").all_text_contents()
        assert names == [f"{number:04d}" for number in range(12)]
        page.locator("th button", has_text="parameters").click()
        column = page.locator("tr[data-name] td:nth-child(7)").all_text_contents()
        assert [float(text) for text in column] == sorted(float(text) for text in column)
