"""The button that brings the networks of the built-in brain extraction onto this computer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.preprocessing.steps.brain_extraction import is_brain_extractor_installed
from PCNSLSurvivalUI.install import packages
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.process import job


class BrainExtractorButton:
    """Asks where from, fetches the networks in a process of its own, and goes away when they are there.

    Args:
        button: The button.
        say: Shows a sentence in the panel.
    """

    def __init__(self, button: Any, say: Callable[[str], None]) -> None:
        self._button, self._say = button, say
        self._download: job.Job | None = None
        self.show()

    def show(self) -> None:
        """Offer the networks where they are missing."""
        if self._download is None:
            self._button.text = _("Download brain extraction model (10 MB)")
            self._button.setEnabled(True)
        self._button.setVisible(not is_brain_extractor_installed())

    def fetch(self) -> None:
        """Bring the networks onto this computer."""
        source = packages.askForSource(
            _("The built-in brain extraction needs its trained networks (deepbet 1.0.2, MIT license)."),
            _("The download is 10 MB. Without internet access, choose a folder that contains the deepbet wheel."),
        )
        if source is None:
            return
        self._button.setEnabled(False)
        self._button.text = _("Downloading the brain extraction model …")
        words = ["install-brain-extractor", *(["--wheels", source] if source else [])]
        try:
            self._download = job.Job(words, lambda event: None, self._ended)
        except PCNSLSurvivalError as problem:
            self._ended(shown(problem))

    def close(self) -> None:
        """The module is unloaded."""
        if self._download is not None:
            self._download.cancel()
            self._download = None

    def _ended(self, sentence: str | None) -> None:
        self._download = None
        self._say(sentence or "")
        self.show()
