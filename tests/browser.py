# SPDX-License-Identifier: Apache-2.0
"""A real browser without a screen: Debian's Chromium, driven by selenium."""

from __future__ import annotations

import shutil

import fixtures
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

LOAD_SECONDS = 120


class Browser(fixtures.Fixture):
    """A browser with nothing remembered.

    :param width: of its window in pixels.
    :ivar driver: selenium's, for all that is not here.
    """

    def __init__(self, *, width: int = 1200) -> None:
        super().__init__()
        self._width = width

    def _setUp(self) -> None:
        # Chromium keeps its profile, and its driver what it unpacks, below these.
        home = self.useFixture(fixtures.TempDir()).path
        self.useFixture(fixtures.EnvironmentVariable("HOME", home))
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
        for argument in (
            "headless=new",
            "no-sandbox",  # which root cannot have
            "disable-dev-shm-usage",  # /dev/shm is small in containers
            "disable-gpu",
            "no-proxy-server",  # what is tested is on this machine
            f"user-data-dir={home}/profile",
            f"window-size={self._width},900",
        ):
            options.add_argument(f"--{argument}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(executable_path=shutil.which("chromedriver"), options=options)
        self.addCleanup(self.driver.quit)
        self.driver.set_page_load_timeout(LOAD_SECONDS)

    def open(self, url: str) -> None:
        """Go to a page; credentials for Basic authentication may be in its URL."""
        self.driver.get(url)

    def all(self, selector: str) -> list[WebElement]:
        """Return the elements that a CSS selector finds."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        """Return the first element that a CSS selector finds.

        :raises selenium.common.exceptions.NoSuchElementException: there is none.
        """
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def follow(self, selector: str) -> None:
        """Go where a link leads."""
        self.open(self.one(selector).get_attribute("href"))

    def text(self) -> str:
        """Return what a reader of the page sees."""
        return self.one("body").text

    def complaints(self) -> list[str]:
        """Return what the browser's console has said since the last time: what failed to load or to run."""
        return [entry["message"] for entry in self.driver.get_log("browser")]
