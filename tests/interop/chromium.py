"""Debian's Chromium, driven by Playwright, and pictures of what it shows."""

import contextlib
import os
import pathlib
import time

from playwright.sync_api import sync_playwright

DEADLINE_MILLISECONDS = 20_000

# What a person needs of these pages works without script.
CONTEXT = {"java_script_enabled": False}

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing but this machine is there, so that a page which needs more shows it.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]

SIZES = {"phone": (390, 844), "desktop": (1280, 800)}


@contextlib.contextmanager
def launched():
    # Playwright gives it a new, empty profile.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield browser
        browser.close()


def wait_until(condition, page):
    """Lets the browser go on until the condition holds."""
    deadline = time.monotonic() + DEADLINE_MILLISECONDS / 1000
    while not condition():
        assert time.monotonic() < deadline, "the browser did not get there in time"
        page.wait_for_timeout(20)


def picture(page, name):
    """Takes a page's picture on a phone and on a desktop, where nothing may stand out at the side."""
    directory = pathlib.Path(os.environ["AGENTCORE_INTEROP"], "screenshots")
    directory.mkdir(exist_ok=True)
    for device, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than a {device}"
        page.screenshot(path=directory / f"{name}-{device}.png", full_page=True)
