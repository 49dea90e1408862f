"""The button that checks this installation and shows text for a bug report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.process import job


class SelfCheckButton:
    """Runs ``pcnsl-survival doctor`` in a process of its own and shows its text, which can be selected and copied.

    Args:
        button: The button.
        label: Shows the text.
        say: Shows a sentence in the panel.
    """

    def __init__(self, button: Any, label: Any, say: Callable[[str], None]) -> None:
        self._button, self._label, self._say = button, label, say
        self._check: job.Job | None = None
        self._text = ""
        button.connect("clicked(bool)", self._onClicked)
        self.show()

    def show(self) -> None:
        """Show the text of the last check; nothing before the first one."""
        self._button.setEnabled(self._check is None)
        self._button.text = _("Check this installation") if self._check is None else _("Checking …")
        self._label.text = self._text
        self._label.setVisible(bool(self._text))

    def close(self) -> None:
        """The module is unloaded."""
        if self._check is not None:
            self._check.cancel()
            self._check = None

    def _onClicked(self, checked: bool = False) -> None:
        self._text = ""
        try:
            self._check = job.Job(["doctor", "--json"], self._onEvent, self._onEnded)
        except PCNSLSurvivalError as problem:
            self._onEnded(shown(problem))
        self.show()

    def _onEvent(self, event: dict[str, Any]) -> None:
        if event.get("type") == "self_check":
            self._text = str(event.get("text", ""))

    def _onEnded(self, sentence: str | None) -> None:
        self._check = None
        if sentence:
            self._say(sentence)
        self.show()
