"""Pages on a prepared cohort: a contact sheet to look through, and the report on its data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PCNSLSurvivalLib.cohorts.data_report import DataReport
from PCNSLSurvivalLib.cohorts.prepared_cohort import CASES_FOLDER, EXCLUDED_FILE
from PCNSLSurvivalLib.core.storage.files import write_whole_text
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY, MRSequence
from PCNSLSurvivalLib.reports.cohort.contact_picture import BRAIN_RGB, CONTACT_PICTURE, LESION_RGB, tiles_of
from PCNSLSurvivalLib.reports.pages import rendered_page

CONTACT_SHEET = "contact_sheet.html"
DATA_REPORT = "data_report.html"

_ORDER = {"unusable": 0, "check": 1, "good": 2}


def write_contact_sheet(cases: tuple[dict[str, Any], ...], out: Path) -> None:
    """Write ``contact_sheet.html``: one strip per patient, failed checks first, with check boxes for exclusion.

    The pictures stay in the folders of the cases; the page shows them from there.

    Args:
        cases: What ``prepare_cohort`` returned.
        out: Folder of the prepared cohort.
    """
    shown = [_shown(case) for case in cases if case["record"] is not None]
    shown.sort(key=lambda case: (_ORDER[case["verdict"]], case["name"]))
    _write(
        "contact_sheet.html",
        out / CONTACT_SHEET,
        cases=shown,
        missing=[case for case in cases if case["record"] is None],
        excluded_file=EXCLUDED_FILE,
        colors={"brain": _css(BRAIN_RGB), "lesion": _css(LESION_RGB)},
        data_report=DATA_REPORT,
    )


def write_data_report(report: DataReport, out: Path) -> None:
    """Write ``data_report.html``: what was found, what is missing, and who is left out and why."""
    _write("data_report.html", out / DATA_REPORT, report=report, contact_sheet=CONTACT_SHEET)


def _shown(case: dict[str, Any]) -> dict[str, Any]:
    record = case["record"]
    tiles = tiles_of(tuple(MRSequence(value) for value in record["sequences"]))
    return {
        "name": case["name"],
        "verdict": record["verdict"],
        "picture": f"{CASES_FOLDER}/{case['name']}/{CONTACT_PICTURE}",
        "tiles": tiles,
        "width": sum(tile.width for tile in tiles),
        "height": max(tile.height for tile in tiles),
        "findings": [finding for finding in record["findings"] if finding["verdict"] != "good"],
        "brain_ml": record["brain_ml"],
        "lesion_ml": record["lesion_ml"],
        "brain_mask": record["brain_mask"],
        "manual_exclusion": case["manual_exclusion"],
        "reason": case["reason"],
    }


def _css(rgb: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def _write(template: str, path: Path, **values: Any) -> None:
    page = rendered_page(template, research_use_only=RESEARCH_USE_ONLY, **values)
    write_whole_text(path, page)
