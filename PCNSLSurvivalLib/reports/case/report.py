"""The report of one prediction: one self-contained page for screen and A4 paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import SimpleITK as sitk

from PCNSLSurvivalLib.clinical.scores import IELSG_SOURCE, MSKCC_SOURCE
from PCNSLSurvivalLib.core.findings import Finding
from PCNSLSurvivalLib.core.messages import step_words
from PCNSLSurvivalLib.core.progress import StepEvent
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY, MRSequence
from PCNSLSurvivalLib.explain.evidence_map import FULL_SCALE, evidence_on_grid
from PCNSLSurvivalLib.imaging.geometry import Grid, place_in_words, resample
from PCNSLSurvivalLib.imaging.lesion_measures import measure_foci, volume_ml
from PCNSLSurvivalLib.inference.predict import CaseResult
from PCNSLSurvivalLib.models.familiarity import FamiliarityVerdict
from PCNSLSurvivalLib.reports.colors import evidence_stops, gradient_stops
from PCNSLSurvivalLib.reports.pages import rendered_page
from PCNSLSurvivalLib.reports.pictures import (
    FAINTEST,
    PIXEL_MM,
    Display,
    View,
    axial_strip,
    make_display,
    orthogonal_views,
    strongest_point_lps_mm,
)
from PCNSLSurvivalLib.results.second_thoughts import second_thoughts_html

_STRIP_COLUMNS = 6
_GAUGE_LEFT, _GAUGE_WIDTH = 10.0, 400.0

_LIMITS = (
    "The map shows which regions contribute to the prediction. It is not a tumor segmentation, resolves nothing finer "
    "than one map cell, and does not imply causation. Colors are scaled to the maximum of this patient, so they cannot "
    "be compared between patients."
)


def case_report_html(result: CaseResult, versions: Mapping[str, str]) -> str:
    """The report as HTML with all pictures inside; it loads nothing and runs no script.

    Args:
        result: What was predicted.
        versions: Software and package versions for the provenance table.
    """
    network, model = result.network, result.model
    brain = _in_pixels(result.prepared.brain_mask)
    display = make_display(
        result.prepared.native[MRSequence.T1GD], result.activation_in(brain), result.prepared.brain_mask
    )
    return rendered_page(
        "case_report.html",
        research_use_only=RESEARCH_USE_ONLY,
        model={
            "banner": str(model.warning or ""),
            "card_line": f"Model {model.name} {model.version}: {model.training_cohort}",
            "rows": _model_rows(result),
        },
        probability=f"{network.probability_over_one_year:.2f}",
        class_label=network.os_class.label,
        doubtful=network.familiarity.verdict is FamiliarityVerdict.UNLIKE,
        threshold_sentence=f"Decision threshold: {network.decision_threshold:.2f}.",
        spread_sentence=_spread_sentence(result),
        survival_sentence=_survival_sentence(result),
        gauge=_gauge(result),
        warnings=[str(warning) for warning in result.warnings if warning != model.warning],  # that is the banner
        target_label=network.target.label,
        map_sentence=_map_sentence(result),
        views=orthogonal_views(display, strongest_point_lps_mm(display)),
        strip=_strip_layout(axial_strip(display)),
        stops=gradient_stops(),
        bar_sentence=f"Fraction of the maximum, which is {network.map_scale:.3g} logits",
        faintest=f"{FAINTEST:g}",
        limits_sentence=_LIMITS,
        lesion=_lesion(result),
        attribution=_attribution_rows(result),
        evidence_views=_evidence_views(result, display),
        evidence_stops=evidence_stops(),
        evidence_full=f"{FULL_SCALE:g}",
        familiarity=str(network.familiarity.message),
        checks=None if result.checks is None else result.checks.to_json(),
        second_thoughts=_second_thoughts(result),
        clinical=_clinical(result),
        steps=[(StepEvent.of_key(name).title, one) for name, one in result.seconds.items() if round(one, 1) > 0],
        findings=[_finding_row(finding) for finding in result.prepared.findings],
        provenance=[
            ("Model checksum (SHA-256)", model.checksum),
            ("Preprocessing recipe (SHA-256)", result.prepared.recipe.sha256),
            ("Prepared by", _prepared_by(result)),
            ("Computed on", f"{network.device}, {network.precision}"),
            ("Software", ", ".join(f"{name} {version}" for name, version in versions.items())),
        ],
    )


def _evidence_views(result: CaseResult, display: Display) -> list[View]:
    """Three slices through the strongest evidence in the brain, on the full scale that all patients share."""
    brain = _in_pixels(display.brain_mask)
    density = evidence_on_grid(
        result.network.evidence,
        result.prepared.network_grid,
        Grid.of(brain),
        brain,
        stride_voxels=result.network.evidence_stride_voxels,
    )
    shown = replace(display, activation=density / FULL_SCALE, signed=True)
    return orthogonal_views(shown, strongest_point_lps_mm(shown))


def _in_pixels(brain_mask: sitk.Image) -> sitk.Image:
    """The mask with no voxel smaller than a picture's pixel, and itself where it has none."""
    grid = Grid.of(brain_mask)
    i, j, k = (max(mm, PIXEL_MM) for mm in grid.spacing_mm)
    if (i, j, k) == grid.spacing_mm:
        return brain_mask
    return resample(brain_mask, grid.with_spacing((i, j, k)), interpolation="nearest")


def _lesion(result: CaseResult) -> dict[str, Any] | None:
    """Volume and foci of the lesion mask as the template shows them; None without a mask."""
    if result.lesion is None:
        return None
    proposal = result.proposal if result.lesion_is_proposed else None
    foci = measure_foci(result.lesion, result.prepared.brain_mask) if proposal is None else proposal.foci
    rows = [
        (
            f"{focus.volume_ml:.1f}",
            f"{focus.diameters.longest_mm:.0f} × {focus.diameters.perpendicular_mm:.0f}",
            place_in_words(2, focus.diameters.superior_mm),
            focus.side,
            f"{evidence:+.3f}",
        )
        for focus, evidence in zip(foci, result.attribution.foci, strict=True)
    ]
    told = f"Lesion mask as given: {volume_ml(result.lesion):.1f} mL, foci: {len(foci)}."
    return {"sentence": told if proposal is None else str(proposal.message), "foci": rows}


def _attribution_rows(result: CaseResult) -> list[tuple[str, str]]:
    regions = result.attribution
    brain = "In the brain" if regions.lesion is None else "In the rest of the brain"
    parts = [
        ("Constant of the model", regions.constant),
        (brain, regions.brain),
        ("Outside the brain", regions.outside),
    ]
    if regions.lesion is not None:
        lesion = "In the proposed outline of the lesion" if result.lesion_is_proposed else "In the lesion"
        parts.insert(1, (lesion, regions.lesion))
    return [(name, f"{part:+.3f}") for name, part in [*parts, ("Log-odds of OS > 1 year", regions.log_odds)]]


def _clinical(result: CaseResult) -> dict[str, Any] | None:
    """The published scores as the template shows them; None where no findings were given."""
    scores = result.clinical
    if scores is None:
        return None
    told = [str(sentence) for sentence in scores.sentences]
    comparison = scores.comparison(result.network.os_class, prognostic_meaning=not result.model.demonstration)
    given = [(name.replace("_", " "), _given(value)) for name, value in scores.findings.to_json().items()]
    return {"sentences": [*told, str(comparison)], "findings": given, "sources": (IELSG_SOURCE, MSKCC_SOURCE)}


def _second_thoughts(result: CaseResult) -> str:
    """What became of the prediction without the lesion, and under disturbances, where this was asked for."""
    asked = (result.without_lesion, result.robustness)
    return second_thoughts_html([str(answer.message) for answer in asked if answer is not None])


def _given(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _prepared_by(result: CaseResult) -> str:
    """Each step with the program that did it."""
    told = [
        f"{step_words(step)}: {'done before' if engine is None else f'{engine.name} {engine.version}'}"
        for step, engine in result.engines.items()
    ]
    return "; ".join(told)


def _spread_sentence(result: CaseResult) -> str:
    members = result.network.member_probabilities
    if len(members) < 2:
        return "Single network: no range between networks is available."
    over = sum(member >= result.network.decision_threshold for member in members)
    sides = f" They disagree about the class: OS > 1 year is predicted by {over}, OS ≤ 1 year by {len(members) - over}."
    return (
        f"Circles: the {len(members)} networks of the model, from {min(members):.2f} to {max(members):.2f} "
        f"(standard deviation {result.network.probability_spread:.2f}). This shows how far they disagree. It is "
        "not a confidence interval, because they share most training patients."
        + (sides if 0 < over < len(members) else "")
    )


def _survival_sentence(result: CaseResult) -> str:
    """The survival curve of a model with a time head; empty without one."""
    curve = result.network.survival
    if curve is None:
        return ""
    points = zip(curve.days[1:], curve.survival_probability[1:], strict=True)
    return f"Predicted survival: {', '.join(f'{p:.2f} at {days:g} days' for days, p in points)}."


def _map_sentence(result: CaseResult) -> str:
    network = result.network
    if network.map_is_empty:
        return f"The map for {network.target.label} is empty: no region contributes to it."
    edge = " × ".join(f"{mm:.0f}" for mm in result.cell_size_mm)
    return (
        f"Computed on {' × '.join(map(str, network.raw_map.shape))} map cells of {edge} mm at {network.block} "
        "and interpolated smoothly over T1Gd. The crosshair marks the strongest activation."
    )


def _model_rows(result: CaseResult) -> list[tuple[str, str]]:
    model = result.model
    members = f", {len(model.members)} members" if len(model.members) > 1 else ""
    return [
        ("Name and version", f"{model.name} {model.version}"),
        ("Network", f"3D {model.architecture.name}{members}, input: {', '.join(s.label for s in model.sequences)}"),
        ("Training cohort", model.training_cohort.replace("`", "")),
        ("Training patients", str(model.training_patients)),
        ("Intended use", model.intended_use),
        ("License", model.license),
    ]


def _finding_row(finding: Finding) -> dict[str, str]:
    return {
        "subject": finding.sequence.label if finding.sequence else "brain mask",
        "verdict": finding.verdict.value,
        "sentence": finding.sentence,
    }


def _gauge(result: CaseResult) -> dict[str, Any]:
    def place(probability: float) -> float:
        return round(_GAUGE_LEFT + _GAUGE_WIDTH * probability, 1)

    ends = {0.0: "start", 0.5: "middle", 1.0: "end"}
    members = result.network.member_probabilities
    return {
        "probability": place(result.network.probability_over_one_year),
        "threshold": place(result.network.decision_threshold),
        "members": [place(p) for p in members] if len(members) > 1 else [],
        "ticks": [{"x": place(p), "text": f"{p:g}", "anchor": anchor} for p, anchor in ends.items()],
    }


def _strip_layout(views: list[View]) -> dict[str, Any]:
    """Tiles in rows of ``_STRIP_COLUMNS``, all of one size since they come from one grid."""
    if not views:
        return {"width": 1, "height": 1, "tiles": []}
    gap = 4
    width, height = views[0].width + gap, views[0].height + gap
    rows = -(-len(views) // _STRIP_COLUMNS)
    tiles = [
        {"view": view, "x": width * (n % _STRIP_COLUMNS), "y": height * (n // _STRIP_COLUMNS)}
        for n, view in enumerate(views)
    ]
    return {"width": width * _STRIP_COLUMNS, "height": height * rows, "tiles": tiles}
