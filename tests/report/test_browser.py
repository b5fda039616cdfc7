"""The page in a real browser, where one is installed."""

import importlib.util
import os
import re
import shlex
import shutil
from itertools import pairwise

import pytest

from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.looking import Wish, look
from weak2strong.report.page import page

NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
NASTY = '<script>alert("$x$")</script> & <img src=x onerror=alert(1)>'
MISSING = (
    f"no browser: install one of {', '.join(NAMES)}, such as with `apt-get install chromium`"
    if BROWSER is None
    else "no Playwright: pip install playwright (it needs no browser of its own)"
)

pytestmark = [
    pytest.mark.skipif(
        BROWSER is None or importlib.util.find_spec("playwright") is None, reason=MISSING
    ),
    pytest.mark.usefixtures("drawn"),
]


@pytest.fixture(scope="module")
def report(page_of_a_run, tmp_path_factory):
    return written(page_of_a_run, tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def of_experiments(made_experiments, tmp_path_factory):
    """Of experiments, without sections of their runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("weak2strong.report.page.FEW_RUNS", 0)
        text = page(made_experiments)
    return written(text, tmp_path_factory.mktemp("experiments"))


def written(text, folder):
    """The file of a page."""
    (folder / "report.html").write_text(text)
    return folder / "report.html"


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    # In a container the user is root, whom the browser's sandbox refuses.
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox"] if root else []
        )
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser, report):
    """Opens the page; whatever it logs or asks for beside itself fails the test."""
    contexts, trouble = [], []

    def opened(width=1280, report=report, **context):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **context))
        page = contexts[-1].new_page()
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on(
            "request",
            lambda request: request.url == report.as_uri() or trouble.append(request.url),
        )
        page.goto(report.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert trouble == []


MEANS = "[aria-label^='Every task and method'] table"


def column(page, number):
    return page.eval_on_selector_all(
        "#all tbody tr:not([hidden])", f"rows => rows.map(row => row.cells[{number}].textContent)"
    )


def test_the_table_of_cells_sorts_by_mouse_and_keyboard(opened):
    page = opened()
    assert len(column(page, 0)) == 12
    head = page.locator("#all th", has_text="student")
    head.locator("button").click()
    scores = [float(x) for x in column(page, 4)]
    assert scores == sorted(scores)
    assert head.get_attribute("aria-sort") == "ascending"
    head.locator("button").focus()
    page.keyboard.press("Enter")
    assert [float(x) for x in column(page, 4)] == sorted(scores, reverse=True)
    assert head.get_attribute("aria-sort") == "descending"
    assert page.locator("#all [aria-sort]").count() == 1


def test_the_table_of_cells_filters(opened):
    page = opened()
    page.select_option("#filter select[name=task]", "b-task")
    assert set(column(page, 0)) == {"b-task"}
    page.select_option("#filter select[name=method]", "naive")
    assert column(page, 1) == ["naive"] * 3
    assert page.locator("#filter output").text_content() == "3 of 12 cells"
    page.select_option("#filter select[name=task]", "")
    page.select_option("#filter select[name=method]", "")
    page.fill("#filter input[name=text]", "CONFID")
    assert set(column(page, 1)) == {"confidence"}


def test_the_table_of_means_sorts(opened):
    page = opened()
    page.locator(f"{MEANS} th button", has_text="method").click()
    cells = page.eval_on_selector_all(
        f"{MEANS} tbody tr", "rows => rows.map(row => row.cells[1].textContent)"
    )
    assert cells == sorted(cells)


def test_dark_and_light_follow_the_system_and_the_button_but_on_paper(opened):
    backgrounds, printed = {}, []
    for scheme in ("light", "dark"):
        page = opened(color_scheme=scheme)

        def look(page=page):
            return page.evaluate(
                "[getComputedStyle(document.body).backgroundColor,"
                " getComputedStyle(document.querySelector('.picture svg text')).fill,"
                " getComputedStyle(document.querySelector('.mark rect')).fill]"
            )

        backgrounds[scheme] = look()
        page.click("#theme")
        backgrounds[f"{scheme} pressed"] = look()
        page.emulate_media(media="print", color_scheme=scheme)
        printed.append(look())
        ink = page.evaluate("getComputedStyle(document.querySelector('.number')).color")
        assert ink == "rgb(0, 0, 0)"
    assert printed == [backgrounds["light"]] * 2
    assert backgrounds["light"] == backgrounds["dark pressed"]
    assert backgrounds["dark"] == backgrounds["light pressed"]
    for colours in zip(*backgrounds.values(), strict=True):
        assert len(set(colours)) == 2


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("shown", ["report", "of_experiments"])
def test_nothing_overlaps_or_sticks_out(opened, width, shown, request):
    page = opened(width, request.getfixturevalue(shown))
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # Blocks in the flow of the page stand beneath each other.
    boxes = page.eval_on_selector_all(
        "main > section > *:not([hidden])",
        "all => all.map(e => e.getBoundingClientRect()).filter(b => b.height)"
        ".map(b => [b.top, b.bottom])",
    )
    assert len(boxes) > 15
    assert all(b[0] >= a[1] - 1 for a, b in pairwise(boxes))
    # Nor do the words within a figure lie on each other.
    overlaps = page.evaluate(
        """() => [...document.querySelectorAll('.picture svg')].flatMap(svg => {
          const words = [...svg.querySelectorAll('text')].map(t => [t.textContent,
            t.getBoundingClientRect()]).filter(w => w[0].trim());
          return words.flatMap(([a, x], i) => words.slice(i + 1).filter(([b, y]) =>
            Math.min(x.right, y.right) - Math.max(x.left, y.left) > 1 &&
            Math.min(x.bottom, y.bottom) - Math.max(x.top, y.top) > 3).map(([b]) => [a, b]));
        })"""
    )
    assert overlaps == []


def ids(page):
    return page.locator(".seen > li > p code").all_text_contents()


def test_examples_are_those_of_the_command_beneath_the_form(opened, small_run):
    page, run = opened(), FinishedRun(small_run)
    form, command = page.locator(".viewer form"), page.locator(".viewer .command")
    form.locator("[name=task]").select_option(label="b-task")
    form.locator("[name=method]").select_option(label="confidence")
    form.get_by_role("button", name="weak wrong, student right").click()
    form.locator("[name=label]").select_option(label=NASTY)
    words = shlex.split(command.text_content())
    assert words[:3] == ["w2s", "examples", str(small_run.resolve())]
    where = "weak wrong, student right, label 1"
    assert words[3:] == ["--task", "b-task", "--method", "confidence", "--where", where]
    found = look(run, Wish(where, "confidence", ("b-task",)))
    assert ids(page) == [row["id"] for row in found.rows[:10]]
    assert form.locator("output").text_content() == f"{found.matched} of 300 test examples"
    page.locator(".viewer").get_by_role("button", name="Next").first.click()
    assert ids(page) == [row["id"] for row in found.rows[10:20]]
    # What data hold is text.
    rows = page.locator(".seen tr").all_text_contents()
    assert any(NASTY in row for row in rows)
    assert page.locator(".seen img, .seen script").count() == 0
    form.locator("[name=sort]").select_option("difficulty")
    hardest = look(run, Wish(where, "confidence", ("b-task",), sort="difficulty"))
    assert ids(page) == [row["id"] for row in hardest.rows[:10]]
    one = hardest.rows[3]["id"]
    form.locator("[name=search]").fill(f"{one} ")
    assert ids(page) == [one]
    assert shlex.split(command.text_content())[-4:] == ["--search", one, "--sort", "difficulty"]
    form.locator("[name=search]").fill("")
    form.locator("[name=seed]").select_option("2")
    assert shlex.split(command.text_content())[-4:] == ["--seed", "2", "--sort", "difficulty"]
    of_seed = look(run, Wish(where, "confidence", ("b-task",), sort="difficulty", seed=2))
    assert of_seed.matched != found.matched
    assert form.locator("output").text_content() == f"{of_seed.matched} of 300 test examples"
    assert ids(page) == [row["id"] for row in of_seed.rows[:10]]
    shown = page.locator(".seen > li").first.locator("tr").nth(2).text_content()
    student = of_seed.rows[0]["students"]["confidence"]
    told = [float(n) for n in re.search(r"right(.*)moved (.*)", shown).groups()]
    assert told == pytest.approx([student["truth_probability"], student["change"]], abs=0.006)


def test_examples_are_walked_through_by_keys(opened):
    page = opened()
    focused = "document.activeElement.querySelector('code').textContent"
    page.locator(".seen").focus()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("j")
    assert page.evaluate(focused) == ids(page)[1]
    first = ids(page)
    page.keyboard.press("n")
    assert not set(first) & set(ids(page))
    assert page.evaluate(focused) == ids(page)[0]
    page.keyboard.press("p")
    assert ids(page) == first
    page.keyboard.press("/")
    page.keyboard.type("jn/p")
    assert page.locator(".viewer [name=search]").input_value() == "jn/p"


def test_without_scripts_the_means_are_there_and_the_cells_are_explained(opened):
    page = opened(java_script_enabled=False)
    assert page.locator(f"{MEANS} tbody tr").count() == 4
    # In the place of the viewer stand some examples, and in that of the table a sentence.
    assert page.locator("noscript").count() == 2
    assert page.locator(".cases li").count() > 8
    assert not page.locator(".viewer").is_visible()
    assert "This table needs JavaScript" in page.content()
