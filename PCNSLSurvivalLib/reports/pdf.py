"""The report as PDF, printed by a web browser that is on the computer.

The page is laid out for A4 by its own style sheet. Chromium, Chrome and Edge print such a page without a window; one
of them is on nearly every computer, so no PDF library of our own has to draw the page a second time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from PCNSLSurvivalLib.core.errors import MissingFilesError, OutputFolderError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.files import whole_file
from PCNSLSurvivalLib.core.storage.leftovers import scratch_folder

_NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
    "microsoft-edge",
    "microsoft-edge-stable",
)
_WINDOWS = ("Microsoft/Edge/Application/msedge.exe", "Google/Chrome/Application/chrome.exe")
_MACOS = (
    "Google Chrome.app/Contents/MacOS/Google Chrome",
    "Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "Chromium.app/Contents/MacOS/Chromium",
)
_SECONDS = 120


def find_browser() -> Path | None:
    """A browser that can print without a window; None when there is none."""
    for name in _NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    programs = [os.environ[key] for key in ("PROGRAMFILES", "PROGRAMFILES(X86)") if key in os.environ]
    places = [Path(folder) / name for folder in programs for name in _WINDOWS]
    places += [Path("/Applications") / name for name in _MACOS]
    return next((place for place in places if place.is_file()), None)


def print_to_pdf(page: Path, pdf: Path) -> None:
    """Print a page that loads nothing.

    Args:
        page: An HTML file.
        pdf: File to make; it is there whole or not at all.

    Raises:
        MissingFilesError: There is no such browser.
        OutputFolderError: The browser did not make the file.
    """
    browser = find_browser()
    if browser is None:
        raise MissingFilesError(Message("export.no_browser"))
    with scratch_folder() as folder:
        made = folder / "report.pdf"
        words = [
            str(browser),
            "--headless",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-pdf-header-footer",
            f"--user-data-dir={folder}/profile",
            f"--print-to-pdf={made}",
            page.resolve().as_uri(),
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            words.insert(1, "--no-sandbox")  # root has none, and the page runs no script
        try:
            subprocess.run(words, check=False, capture_output=True, timeout=_SECONDS)
            with whole_file(pdf) as partial:
                shutil.copyfile(made, partial)
        except (OSError, subprocess.TimeoutExpired) as problem:
            raise OutputFolderError(Message("export.pdf_not_written")) from problem
