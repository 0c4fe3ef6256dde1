"""A real browser without a window."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

# Nothing is looked up or fetched at the start; as root, which a build machine's user may be, there is no sandbox.
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """Chromium, as Debian and others package it."""
    paths = [shutil.which("chromium") or shutil.which("chromium-browser"), shutil.which("chromedriver")]
    if not all(paths):
        pytest.skip("there is no Chromium with its ChromeDriver; on Debian: apt-get install chromium chromium-driver")
    options = ChromeOptions()
    options.binary_location = str(paths[0])
    for option in (*_OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(option)
    driver = Chrome(options=options, service=ChromeService(executable_path=str(paths[1])))
    try:
        yield driver
    finally:
        driver.quit()
