"""The button that checks the explanation, and the badge beside the map with what was found."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.terms import Verdict
from PCNSLSurvivalUI.choices import model_list
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.result.map_check import MapCheck
from PCNSLSurvivalUI.scene.output_nodes import SceneOutputs

_BADGE = "color: white; padding: 6px; border-radius: 3px; background-color: "
_PASSED, _FAILED = _BADGE + "#1f5f3a;", _BADGE + "#7a1f1f;"


class CheckControls:
    """Button, progress and badge of the checks of the explanation.

    Args:
        ui: The panel's widgets by name.
        context: Gives the stored choices, the outputs and the T1Gd of the result; None when there is no result.
        say: Shows a sentence in the panel.
    """

    def __init__(
        self,
        ui: Any,
        context: Callable[[], tuple[Any, SceneOutputs, Any, dict[str, Any]] | None],
        say: Callable[[str], None],
    ) -> None:
        self._ui, self._context, self._say = ui, context, say
        self.check: MapCheck | None = None
        """The checks under way."""
        self._of = ""
        """Mark of the result that they are of."""
        self._share = 0.0
        ui.checkMapButton.connect("clicked(bool)", self._onClicked)

    def show(self) -> None:
        """Bring button and badge in line with the shown result; checks of another result are stopped."""
        context = self._context()
        if self.check is not None and (context is None or _mark(context[3]) != self._of):
            self.forget()
        button, badge = self._ui.checkMapButton, self._ui.checksLabel
        if self.check is None:
            button.text = _("Check this map (some minutes)")
        else:
            button.text = _("Checking: {share:.0f} %. Cancel").format(share=100 * self._share)
        checks = None if context is None else _checksOf(context[0], context[3])
        badge.text = "" if checks is None else _inWords(checks)
        badge.setVisible(checks is not None)
        if checks is not None:
            badge.styleSheet = _PASSED if checks.get("verdict") == Verdict.GOOD else _FAILED

    def forget(self) -> None:
        """Stop the checks without a word."""
        if self.check is not None:
            self.check.cancel()
        self.check, self._share = None, 0.0

    def _onClicked(self, checked: bool = False) -> None:
        context = self._context()
        if self.check is not None:
            self.forget()
            self._say(_("The checks were cancelled."))
        elif context is not None:
            self._say("")
            parameters, outputs, _t1gd, result = context
            self._of = _mark(result)
            try:
                self.check = MapCheck(
                    outputs, result, model_list.installedModels(), parameters.device, self._onProgress, self._onEnded
                )
            except PCNSLSurvivalError as problem:
                self._say(shown(problem))
        self.show()

    def _onProgress(self, share: float) -> None:
        self._share = share
        self.show()

    def _onEnded(self, checks: dict[str, Any] | None, sentence: str) -> None:
        self.check, self._share = None, 0.0
        context = self._context()
        if checks is not None and context is not None and _mark(context[3]) == self._of:
            context[0].mapChecks = json.dumps({"of": self._of, "checks": checks})
        self._say(sentence)
        self.show()


def _mark(result: dict[str, Any]) -> str:
    """What tells one result from another: scan, model, answer and explained class."""
    scans = {name: one.get("voxels_sha256") for name, one in result.get("inputs", {}).items()}
    explains = result.get("activation_map", {}).get("explains")
    return json.dumps([scans, result["model"].get("checksum_sha256"), result.get("log_odds"), explains], sort_keys=True)


def _checksOf(parameters: Any, result: dict[str, Any]) -> dict[str, Any] | None:
    """The checks that were made of a result, by its own run or later; None where none were."""
    if result.get("explanation_checks"):
        return dict(result["explanation_checks"])
    try:
        stored = json.loads(parameters.mapChecks or "{}")
    except ValueError:
        return None
    return stored["checks"] if isinstance(stored, dict) and stored.get("of") == _mark(result) else None


def _inWords(checks: dict[str, Any]) -> str:
    signs = {Verdict.GOOD: "✓", Verdict.CHECK: "✗"}
    lines = [shown(checks)]
    lines += [f"{signs.get(one['verdict'], '–')} {one['name']}: {one['sentence']}" for one in checks["checks"]]
    return "\n".join(lines)
