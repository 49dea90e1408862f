"""The baselines as sentences for a methods section."""

from __future__ import annotations

from collections.abc import Sequence

from PCNSLSurvivalLib.evaluation.baselines.arms import BaselineArm
from PCNSLSurvivalLib.evaluation.baselines.classifiers import COSTS, INNER_FOLDS, KEPT_FEATURES, Classifier
from PCNSLSurvivalLib.evaluation.baselines.radiomics import FAMILIES, RadiomicsStep, Region
from PCNSLSurvivalLib.reports.sentences import listed

_CLASSIFIERS: dict[Classifier, str] = {
    "svm": "linear support vector machines",
    "logistic": "logistic regression",
    "cox": "Cox regression with a ridge penalty",
}
_FAMILY = {
    "firstorder": "first-order",
    "shape": "shape",
    "glcm": "GLCM",
    "glszm": "GLSZM",
    "gldm": "GLDM",
    "ngtdm": "NGTDM features",
}

_REGIONS: dict[Region, str] = {
    "lesion": "the lesion mask (1 mm)",
    "brain": f"the whole brain ({RadiomicsStep().brain_spacing_mm:g} mm)",
}


def clinical_predictors(arms: Sequence[BaselineArm]) -> tuple[str, ...]:
    """Predictors of the baselines besides scans."""
    return ("clinical variables of the IELSG score",) if any(arm.sequence is None for arm in arms) else ()


def radiomics_in_words(arms: Sequence[BaselineArm], region: Region = "lesion") -> str:
    """What the radiomics of the baselines were computed from, as part of a sentence; empty without radiomics.

    Args:
        arms: The baselines.
        region: What radiomics looked at in every patient.
    """
    sequences = list(dict.fromkeys(arm.sequence.label for arm in arms if arm.sequence is not None))
    if not sequences:
        return ""
    return (
        f"radiomics of {listed(sequences)} ({listed([_FAMILY[name] for name in FAMILIES])}; "
        f"{RadiomicsStep().bins} gray levels) in {_REGIONS[region]} of every patient"
    )


def selection_in_words() -> str:
    """Which radiomics are kept, in a sentence."""
    kept = " or ".join(str(number) for number in KEPT_FEATURES)
    return (
        f"Of radiomics, the {kept} with the highest F statistic (in Cox regression, the highest correlation with "
        "the martingale residuals) were kept."
    )


def baselines_in_words(arms: Sequence[BaselineArm], region: Region = "lesion") -> str:
    """Predictors and methods of the baselines, in sentences; empty without baselines.

    Args:
        arms: The baselines.
        region: What radiomics looked at in every patient.
    """
    if not arms:
        return ""
    used = list(dict.fromkeys(_CLASSIFIERS[arm.classifier] for arm in arms))
    radiomics = radiomics_in_words(arms, region)
    on = []
    if any(arm.sequence is None and not arm.score_only for arm in arms):
        on.append("the five IELSG variables (age, performance status, LDH, CSF protein, deep structures)")
    if any(arm.score_only for arm in arms):
        on.append("the IELSG score")
    if radiomics:
        on.append(radiomics)
    costs = listed([f"{cost:g}" for cost in COSTS])
    told = [
        f"Baselines were {listed(used)} on {listed(on)}. Missing values were imputed by the median of the training "
        "patients with a missingness indicator, and variables were standardized."
    ]
    if radiomics:
        told.append(selection_in_words())
    if any(arm.classifier != "cox" for arm in arms):
        told.append(f"C was chosen among {costs} by AUC in {INNER_FOLDS} inner folds, disjoint by patient.")
    if any(arm.classifier == "cox" for arm in arms):
        told.append(
            f"The penalty of Cox regression was chosen by the C-index in {INNER_FOLDS} inner folds; it trained on "
            "patients censored at any time."
        )
    if any(arm.classifier == "svm" for arm in arms):
        told.append(
            "Platt scaling with a slope that keeps their order, fitted on the inner folds, converted decision values "
            "to probabilities."
        )
    return " ".join(told)


def fusions_in_words(number: int) -> str:
    """How the log-odds of networks were combined with the clinical variables, in sentences; empty without fusions.

    Args:
        number: Of networks.
    """
    if not number:
        return ""
    networks = "a network were" if number == 1 else f"each of {number} networks were"
    return (
        f"In late fusion, the log-odds of {networks} added to the five IELSG variables of a logistic regression, tuned "
        "as above. The log-odds of a training patient came from a network trained without that patient's fold and "
        "without the held-out fold. So no outcome of a held-out patient reached the regression. The log-odds of a "
        "held-out patient came from the arm's own network."
    )
