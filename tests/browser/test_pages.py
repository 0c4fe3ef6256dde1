"""The pages of a class as a person sees them: in a real browser, light and dark, wide and narrow, and on paper."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from tests.made_class import HOSTILE, MADE_AT, made_class, special

from nestedlab.classroom.render import dashboard_html, student_html
from nestedlab.topology.svg import svg

SCREENS = ((360, "light"), (800, "light"), (1300, "dark"), (1920, "light"))
PAPER = {"paperWidth": 8.27, "paperHeight": 11.69, "preferCSSPageSize": True, "printBackground": False}

# What a person would stumble over. Colors are compared as WCAG 2.2 does (1.4.3): 4.5 to 1 for text of usual size.
FLAWS = Path(__file__).with_name("flaws.js").read_text(encoding="utf-8")


def students() -> dict[str, str]:
    """The hand-outs of the students with whom something is the matter."""
    return {f"{page.seat.id[:12]}.html": student_html(page, "windows-server-2025", MADE_AT) for page in special()}


def dashboards() -> dict[str, str]:
    return {f"of {size}.html": dashboard_html(made_class(size), linked=True) for size in (0, 30)}


def pictures() -> dict[str, str]:
    return {f"{page.seat.id[:12]}.svg": svg(page.topology) for page in special() if page.topology is not None}


def visited(browser: Chrome, folder: Path, pages: Mapping[str, str]) -> Iterator[str]:
    """Open the pages one after the other."""
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
        browser.get((folder / name).as_uri())
        yield name


def look(browser: Chrome, *, width: int = 1300, scheme: str = "light", media: str = "screen") -> None:
    """See the page on such a screen, or on paper."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})


def flaws(browser: Chrome) -> Sequence[str]:
    found: list[str] = browser.execute_script(FLAWS)
    return found


def test_every_page_can_be_read_on_every_screen(browser: Chrome, tmp_path: Path) -> None:
    found: dict[str, Sequence[str]] = {}
    for name in visited(browser, tmp_path, {**students(), **dashboards(), **pictures()}):
        for width, scheme in SCREENS if name.endswith(".html") else SCREENS[1:3]:
            look(browser, width=width, scheme=scheme)
            found[f"{name}, {width}, {scheme}"] = flaws(browser)
        log: list[dict[str, str]] = browser.get_log("browser")  # type: ignore[no-untyped-call]
        found[f"{name}, messages"] = [entry["message"] for entry in log]
    assert {where: what for where, what in found.items() if what} == {}


def test_every_page_is_light_or_dark_as_the_screen_is_and_light_on_paper(browser: Chrome, tmp_path: Path) -> None:
    pages = {**students(), **dashboards(), **pictures()}
    for name in visited(
        browser, tmp_path, {name: pages[name] for name in ("drifted.html", "of 30.html", "drifted.svg")}
    ):
        brightness = {}
        for scheme, media in product(("light", "dark"), ("screen", "print")):
            look(browser, scheme=scheme, media=media)
            brightness[scheme, media] = _brightness(browser)
        assert brightness["light", "screen"] > 240, name
        assert brightness["dark", "screen"] < 40, name
        assert brightness["dark", "print"] == brightness["light", "print"] > 240, name


def _brightness(browser: Chrome) -> float:
    """How bright what is behind a page or a picture is, from 0 to 255."""
    script = "const e = document.body ?? document.querySelector('.paper'); const s = getComputedStyle(e);"
    color: str = browser.execute_script(f"{script} return document.body ? s.backgroundColor : s.fill")
    red, green, blue = map(int, re.findall(r"\d+", color)[:3])
    return (red + green + blue) / 3


def test_pages_fit_on_paper(browser: Chrome, tmp_path: Path) -> None:
    lengths = {}
    for name in visited(browser, tmp_path, {**students(), **dashboards()}):
        # What a line of A4 has between the margins: of a dashboard, which is printed across, and of a hand-out.
        look(browser, width=1030 if name.startswith("of ") else 680, media="print")
        assert flaws(browser) == [], name
        printed = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", PAPER)["data"])
        assert printed.startswith(b"%PDF-")
        lengths[name] = len(re.findall(rb"/Type\s*/Page\b", printed))
    assert lengths["drifted.html"] == 1
    assert lengths["absent.html"] == 1
    assert lengths["of 30.html"] <= 4


def test_a_name_is_shown_as_it_is_whatever_it_would_mean_to_a_page(browser: Chrome, tmp_path: Path) -> None:
    (_,) = visited(browser, tmp_path, {"hostile.html": students()["hostile.html"]})
    assert browser.find_element(By.TAG_NAME, "h1").text == HOSTILE
    assert browser.find_element(By.CSS_SELECTOR, ".way bdi").text == f"rdp-net-{HOSTILE}"
    assert f"rdp-net-{HOSTILE}" in browser.execute_script("return document.querySelector('svg desc').textContent")


def test_the_dashboard_shows_the_students_that_are_chosen_without_a_script(browser: Chrome, tmp_path: Path) -> None:
    (_,) = visited(browser, tmp_path, {"dashboard.html": dashboards()["of 30.html"]})
    look(browser)
    assert len(_shown(browser)) == 30
    for choice, names in {
        "Failed 1": ["Anna Failed"],
        "Drifted 1": ["Ben Drifted"],
        "Not up 1": ["Farid Absent"],
    }.items():
        (label,) = [label for label in browser.find_elements(By.CSS_SELECTOR, ".filter label") if label.text == choice]
        label.click()
        assert _shown(browser) == names
    browser.find_element(By.LINK_TEXT, "Farid Absent").click()
    assert browser.current_url.endswith("/students/absent.html")


def _shown(browser: Chrome) -> list[str]:
    shown = "[...document.querySelectorAll('.students .name')].filter((name) => name.checkVisibility())"
    return list(browser.execute_script(f"return {shown}.map((name) => name.innerText)"))
