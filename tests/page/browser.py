"""A real browser without a window, which notes every request and every complaint of its own."""

from __future__ import annotations

import base64
import json
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium import webdriver
else:
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium (group browser)")

_ARGUMENTS = (
    "headless",
    "no-sandbox",  # CI runs as root
    "disable-gpu",
    "disable-quic",
    "no-first-run",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
    "disable-dev-shm-usage",
    "hide-scrollbars",
)


class Browser:
    """A page at a time, opened from disk."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, page: Path, *, width: int = 1000, scheme: str = "light") -> None:
        """Load a page, and wait until its charts are drawn."""
        self.driver.get("about:blank")
        self.complaints(), self.requests()  # of the page before
        self._set_width(width)
        self.in_scheme(scheme)
        self.driver.get(page.as_uri())
        self._drawn()

    def in_scheme(self, scheme: str) -> None:
        """What the reader prefers: `light` or `dark`."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.tell("Emulation.setEmulatedMedia", features=[feature])

    def resize(self, width: int) -> None:
        """Change the window's width, and wait until the charts are drawn anew."""
        self._set_width(width)
        self._drawn()

    def _set_width(self, width: int) -> None:
        self.tell(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=False,
        )

    def _drawn(self) -> None:
        self.driver.execute_async_script(
            "const done = arguments[0];"
            "requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def tell(self, command: str, **parameters: object) -> dict[str, Any]:
        """Carry out a command of the DevTools protocol."""
        answer: dict[str, Any] = self.driver.execute_cdp_cmd(command, parameters)
        return answer

    def ask(self, expression: str) -> Any:  # noqa: ANN401  # whatever JavaScript answers
        """The value of a JavaScript expression."""
        return self.driver.execute_script(f"return ({expression})")

    def count(self, selector: str) -> int:
        """How many elements a selector finds."""
        return len(self.driver.find_elements("css selector", selector))

    def point_at(self, selector: str, number: int = 0, *, aside: int = 0, up: int = 0) -> None:
        """Move the pointer to the middle of an element, or some pixels from there."""
        mark = self.driver.find_elements("css selector", selector)[number]
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", mark)
        webdriver.ActionChains(self.driver).move_to_element_with_offset(mark, aside, -up).perform()

    def press(self, key: str) -> None:
        """Press a key: by its name in Selenium."""
        webdriver.ActionChains(self.driver).send_keys(getattr(webdriver.Keys, key)).perform()

    def complaints(self) -> list[str]:
        """What the console said since it was asked last."""
        return [entry["message"] for entry in self._log("browser")]

    def requests(self) -> list[str]:
        """What was asked for since then, wherever."""
        events = [json.loads(it["message"])["message"] for it in self._log("performance")]
        return [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]

    def _log(self, name: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.driver.get_log(name)  # type: ignore[no-untyped-call]  # Selenium's
        return entries

    def picture(self, path: Path, *, height: float | None = None) -> None:
        """The whole page, or its top, as a PNG."""
        size = self.tell("Page.getLayoutMetrics")["cssContentSize"]
        clip = {**size, "height": height or size["height"], "scale": 1}
        taken = self.tell(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip
        )
        path.write_bytes(base64.b64decode(taken["data"]))


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """Chromium with an empty profile; skips the test where there is none."""
    programs = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in programs:
        pytest.skip("needs chromium and chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = str(programs[0])
    for argument in (*_ARGUMENTS, f"user-data-dir={profile}"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(str(programs[1])))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
