"""Results that schema 1 wrote, read as those of today."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PCNSLSurvivalLib.core.findings import upgraded_finding
from PCNSLSurvivalLib.core.terms import MRSequence, OSClass, Step

SCHEMA_VERSION = "2.0"
"""Changes in the first place when a reader of an earlier file would misread a later one."""


def upgraded(prediction: Mapping[str, Any]) -> dict[str, Any]:
    """The content of ``prediction.json`` as schema 2 has it; a result of today is returned as it is.

    Schema 1 kept English sentences where schema 2 keeps code, values and sentence, and labels where schema 2 keeps
    stable names. The sentences stay, without code and values.

    Args:
        prediction: Of schema 1 or 2; an entry may be missing.
    """
    made = dict(prediction)
    if str(made.get("schema_version", "1")).partition(".")[0] != "1":
        return made
    made["schema_version"] = SCHEMA_VERSION
    made["warnings"] = [_sentence(warning) for warning in made.get("warnings", [])]
    if "class" in made:
        made["class"] = _class_key(made["class"])
    for name in ("activation_map", "activation_map_other_class"):
        if "explains" in made.get(name, {}):
            made[name] = {**made[name], "explains": _class_key(made[name]["explains"])}
    if made.get("familiarity"):
        old = made["familiarity"]
        verdict = str(old.get("verdict", "unknown")).partition(" ")[0]  # "unlike anything the model has seen"
        furthest = None if old.get("furthest") is None else _sentence(old["furthest"])
        made["familiarity"] = {**old, **_sentence(old.get("sentence", "")), "verdict": verdict, "furthest": furthest}
    if made.get("explanation_checks"):
        made["explanation_checks"] = {**made["explanation_checks"], "code": None, "values": {}}
    evidence = dict(made.get("evidence", {}))
    if evidence.get("ledger"):  # its name before
        evidence["regional_attribution"] = evidence.pop("ledger")
    attribution = evidence.get("regional_attribution")
    if attribution:
        warning = None if attribution.get("warning") is None else _sentence(attribution["warning"])
        made["evidence"] = {**evidence, "regional_attribution": {**attribution, "warning": warning}}
    if "preprocessing" in made:
        findings = [upgraded_finding(finding) for finding in made["preprocessing"].get("findings", [])]
        made["preprocessing"] = {**made["preprocessing"], "findings": findings}
    if "seconds" in made:
        made["seconds"] = {_step_key(name): seconds for name, seconds in made["seconds"].items()}
    return made


def options_record(prediction: Mapping[str, Any]) -> dict[str, Any]:
    """The record of the options, as ``CaseOptions.of_record`` reads it; where there is none, from other entries."""
    if "options" in prediction:
        return dict(prediction["options"])
    preparation, shown = prediction.get("preprocessing", {}), prediction.get("activation_map", {})
    told = {
        "already_stripped": preparation.get("already_stripped"),
        "already_corrected": preparation.get("already_corrected"),
        "already_registered": preparation.get("already_registered"),
        "override_quality": preparation.get("quality_overridden"),
        "precision": prediction.get("precision"),
        "tta": prediction.get("test_time_augmentation"),
        "target": shown.get("explains"),
        "block": shown.get("block"),
        "method": shown.get("method"),
        "segment": Step.LESION_OUTLINE in prediction.get("seconds", {}),
    }
    return {name: value for name, value in told.items() if value is not None}


def _sentence(text: Any) -> dict[str, Any]:
    return {"code": None, "values": {}, "sentence": str(text)}


def _class_key(label: Any) -> str:
    return next((each.key for each in OSClass if each.label == label), str(label))


def _step_key(name: str) -> str:
    """ "registration T2, rough" of schema 1 is "registration t2 rough" today."""
    labels = {sequence.label: sequence.value for sequence in MRSequence}
    return " ".join(labels.get(part, part) for part in name.replace(",", "").split(" "))
