# SPDX-License-Identifier: Apache-2.0
"""Horizon as somebody in front of it uses it: forms that open over the page, tables, messages."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable
from typing import Any

from selenium.common import exceptions
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from lab import settings
from tests import browser

WAIT_SECONDS = 180
#: A directory that gets pictures for the documentation; without it none are taken.
SCREENSHOTS = "SCREENSHOTS"
#: The buttons beside the number of nodes are written for jQuery 1.8, and do nothing; the number can be typed.
KNOWN = "$(...).live is not a function"
#: Of a page: the form that is open over it.
FORM = "#modal_wrapper .modal.in"


class Horizon(browser.Browser):
    """A browser that is logged in as the lab's admin."""

    def __init__(self, lab: settings.Lab) -> None:
        super().__init__(width=1100)
        self._lab = lab

    def _setUp(self) -> None:
        super()._setUp()
        self.go("/auth/login/")
        self.fill("#id_username", "admin")
        self.fill("#id_password", self._lab.secrets["admin"])
        self.click("#loginBtn")
        self.until(lambda: not self.all("#id_password"), "logged in")

    def go(self, path: str) -> None:
        """Open a page of Horizon."""
        self.open(f"{self._lab.url('horizon')}{path}")

    def until(self, check: Callable[[], Any], what: str, timeout: float = WAIT_SECONDS) -> Any:
        """Wait for *check* to come true; elements that go while it looks are no failure.

        :raises AssertionError: with what the page says instead.
        """
        gone = (exceptions.StaleElementReferenceException, exceptions.NoSuchElementException)
        try:
            waiting = WebDriverWait(self.driver, timeout, poll_frequency=0.2, ignored_exceptions=gone)
            return waiting.until(lambda driver: check())
        except exceptions.TimeoutException:
            raise AssertionError(f"not {what} in {timeout:.0f} s; the page says:\n{self.text()}") from None

    def shown(self, selector: str) -> WebElement:
        """Wait for an element to be there and to be seen."""
        return self.until(
            lambda: next((one for one in self.all(selector) if one.is_displayed()), None), f"shown: {selector}"
        )

    def click(self, selector: str) -> None:
        """Click on an element as soon as nothing is in front of it."""

        def clicked() -> bool:
            try:
                self.shown(selector).click()
            except exceptions.ElementClickInterceptedException:  # a form on its way in or out
                return False
            return True

        self.until(clicked, f"clicked: {selector}")

    def fill(self, selector: str, text: str) -> None:
        """Replace what a field holds."""
        field = self.shown(selector)
        field.clear()
        field.send_keys(text)

    def choose(self, selector: str, text: str) -> None:
        """Choose from a list by what a reader sees of it."""
        Select(self.shown(selector)).select_by_visible_text(text)

    def open_form(self, button: str, title: str) -> None:
        """Click on what opens a form."""
        self.click(button)
        self.await_form(title)

    def await_form(self, title: str, field: str = "input[type=submit]") -> None:
        """Wait until a form is open that has *field*."""
        self.until(lambda: self.one(f"{FORM} .modal-title").text == title, f"open: {title}")
        self.until(lambda: self.all(f"{FORM} {field}"), f"open: {title}, {field}")

    def submit(self) -> None:
        """Send the form that is open."""
        self.click(f"{FORM} .modal-footer .btn-primary")

    def await_message(self, text: str) -> None:
        """Wait for one of the messages with which Horizon says that something is done."""
        self.until(lambda: any(text in one.text for one in self.all(".alert-success")), f"said: {text}")

    def errors(self) -> list[str]:
        """Return what the page, its form and the browser's console complain about."""
        marked = self.all(".alert-danger, .alert-warning, .has-error .help-block")
        console = self.driver.get_log("browser")  # with warnings of what Horizon uses and jQuery will not have one day
        return [one.text for one in marked if one.is_displayed()] + [
            entry["message"] for entry in console if entry["level"] == "SEVERE" and KNOWN not in entry["message"]
        ]

    def picture(self, name: str) -> None:
        """Take a picture for the documentation, where that was asked for."""
        if os.environ.get(SCREENSHOTS):
            self.driver.save_screenshot(str(pathlib.Path(os.environ[SCREENSHOTS]) / f"horizon-{name}.png"))
