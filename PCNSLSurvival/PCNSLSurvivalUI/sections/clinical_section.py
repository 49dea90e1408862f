"""The section "Clinical findings": findings that may stay empty, and the published scores computed from them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from PCNSLSurvivalLib.clinical.findings import OLDEST, SURGERY, YOUNGEST, ClinicalFindings
from PCNSLSurvivalLib.clinical.scores import IELSG_SOURCE, MSKCC_SOURCE, clinical_scores
from PCNSLSurvivalLib.core.errors import ClinicalFindingsError
from PCNSLSurvivalUI.choices.parameters import PanelParameters
from PCNSLSurvivalUI.messages import shown

_GIVEN = "PCNSLSurvival.clinicalFindings"


def givenFindings(t1gd: Any) -> dict[str, Any]:
    """What was entered for the patient of a T1Gd, as it was entered; empty where nothing was.

    It is kept by the T1Gd node itself: chosen again it has its findings again, and another patient never gets them.
    """
    try:
        stored = json.loads((t1gd.GetAttribute(_GIVEN) if t1gd is not None else "") or "{}")
    except ValueError:
        return {}
    return stored if isinstance(stored, dict) else {}


def checkedFindings(t1gd: Any) -> ClinicalFindings | None:
    """The findings of a patient; None where nothing was entered.

    Raises:
        ClinicalFindingsError: What was entered for the age is none.
    """
    given = givenFindings(t1gd)
    if not given:
        return None
    try:
        return ClinicalFindings(**given)
    except (ClinicalFindingsError, TypeError) as problem:
        raise ClinicalFindingsError(
            _("The age must be {low} to {high} years. Correct it under Clinical findings, or leave it empty.").format(
                low=YOUNGEST, high=OLDEST
            )
        ) from problem


class ClinicalControls:
    """Everything in the section "Clinical findings".

    Args:
        ui: The panel's widgets by name.
        parameters: Gives the stored choices; None when there is no scene.
        result: Gives the result of the chosen T1Gd; None when there is none.
    """

    def __init__(
        self,
        ui: Any,
        parameters: Callable[[], PanelParameters | None],
        result: Callable[[], dict[str, Any] | None],
    ) -> None:
        self._ui, self._parameters, self._result = ui, parameters, result
        self._filling = False
        normal = [(_("normal"), False), (_("elevated"), True)]
        yes = [(_("no"), False), (_("yes"), True)]
        surgery = dict(zip(SURGERY, (_("none"), _("biopsy"), _("resection")), strict=True))
        self._selectors = {
            "ecog": (ui.ecogSelector, [(str(grade), grade) for grade in range(5)]),
            "karnofsky": (ui.karnofskySelector, [(f"{percent} %", percent) for percent in range(100, -1, -10)]),
            "ldh_elevated": (ui.ldhSelector, normal),
            "csf_protein_elevated": (ui.csfProteinSelector, normal),
            "deep_lesion": (ui.deepLesionSelector, yes),
            "steroids": (ui.steroidsSelector, yes),
            "surgery": (ui.surgerySelector, [(words, key) for key, words in surgery.items()]),
        }
        for selector, values in self._selectors.values():
            selector.addItem(_("not given"))
            for words, _value in values:
                selector.addItem(words)
            selector.connect("currentIndexChanged(int)", self._onChanged)
        ui.ageEdit.connect("textChanged(QString)", self._onChanged)

    def show(self) -> None:
        """Bring fields and scores in line with the chosen T1Gd."""
        ui, t1gd = self._ui, self._t1gd()
        given = givenFindings(t1gd)
        self._filling = True
        try:
            for name, (selector, values) in self._selectors.items():
                selector.setEnabled(t1gd is not None)
                rows = [value for _words, value in values]
                selector.setCurrentIndex(1 + rows.index(given[name]) if given.get(name) in rows else 0)
            ui.ageEdit.setEnabled(t1gd is not None)
            if _age(ui.ageEdit.text) != given.get("age_years"):
                ui.ageEdit.text = str(given.get("age_years", ""))
        finally:
            self._filling = False
        self._showScores(t1gd)

    def _t1gd(self) -> Any:
        parameters = self._parameters()
        return parameters.t1gdVolume if parameters is not None else None

    def _onChanged(self, _value: Any = None) -> None:
        t1gd = self._t1gd()
        if self._filling or t1gd is None:
            return
        entered = {"age_years": _age(self._ui.ageEdit.text)}
        for name, (selector, values) in self._selectors.items():
            row = selector.currentIndex
            entered[name] = values[row - 1][1] if row > 0 else None
        given = {name: value for name, value in entered.items() if value is not None}
        t1gd.SetAttribute(_GIVEN, json.dumps(given) if given else None)
        self._showScores(t1gd)

    def _showScores(self, t1gd: Any) -> None:
        label = self._ui.clinicalScoresLabel
        label.text = self._scoresInWords(t1gd)
        label.setVisible(bool(label.text))

    def _scoresInWords(self, t1gd: Any) -> str:
        if t1gd is None:
            return _("Choose a T1Gd first: the findings belong to its patient.")
        try:
            findings = checkedFindings(t1gd)
        except ClinicalFindingsError as problem:
            return shown(problem)
        lines = []
        if findings is not None:
            lines = [shown(sentence) for sentence in clinical_scores(findings).sentences]
            lines.append(
                _("The scores describe groups of patients in publications and do not use the image. {ielsg}; {mskcc}.")
                .format(ielsg=IELSG_SOURCE, mskcc=MSKCC_SOURCE)
            )  # fmt: skip
        result = self._result()
        kept = (result.get("clinical") or {}).get("findings", {}) if result is not None else None
        if kept is not None and kept != givenFindings(t1gd):
            lines.append(
                _("The shown result and its report do not hold these findings. Predict again to include them.")
            )
        return "\n".join(lines)


def _age(text: str) -> float | int | str | None:
    """What was typed: a number, or the text itself where it is none; None when the field is empty."""
    text = text.strip()
    if not text:
        return None
    try:
        years = float(text.replace(",", "."))
    except ValueError:
        return text
    if not math.isfinite(years):
        return text
    return int(years) if years.is_integer() else years
