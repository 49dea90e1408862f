"""The functions behind ``from PCNSLSurvivalLib import …``: the only part of the library that promises stability.

Everything else may move between versions. Paths may be given as text. Every error is a ``PCNSLSurvivalError`` whose
text is meant for the user, also where an argument is wrong or an optional package is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from PCNSLSurvivalLib.core.arguments import (
    ArgumentError,
    choice_of,
    instance_of,
    number_of,
    options_of,
    path_of,
    scans_of,
    sequence_of,
)
from PCNSLSurvivalLib.core.optional_packages import package_advice
from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS, MRSequence

if TYPE_CHECKING:
    from PCNSLSurvivalLib.cohorts.case import CohortCase
    from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort, PreparedExam
    from PCNSLSurvivalLib.evaluation.baselines.classifiers import Classifier
    from PCNSLSurvivalLib.evaluation.out_of_fold import Estimate
    from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions
    from PCNSLSurvivalLib.imaging.io import Scan
    from PCNSLSurvivalLib.inference.predict import CaseOptions, CaseResult
    from PCNSLSurvivalLib.models.model_folder import ModelFolder

AnyPath = str | PathLike[str]


def load_model(path: AnyPath | None = None) -> ModelFolder:
    """Read and check a model folder; neither torch nor MONAI is loaded.

    Args:
        path: The folder of one model, or the name of an installed one; the bundled demonstration model if None.

    Raises:
        ArgumentError: ``path`` is neither text nor a path.
        ModelFolderError: It is no model folder of this version, or a file differs from what its metadata says.
    """
    from PCNSLSurvivalLib.models.installed_models import find_model

    return find_model(None if path is None else str(path_of(path, "path")))


def read_scan(path: AnyPath, sequence: MRSequence | str) -> Scan:
    """Read one 3-D MR volume from a file or from a folder with one DICOM series.

    Args:
        path: A NIfTI, NRRD or MetaImage file, or a folder that holds the files of one DICOM series.
        sequence: Which sequence the volume is, for messages: "t1gd".

    Returns:
        The scan: ``scan.image`` is a SimpleITK image in LPS, as acquired; its content is not judged.

    Raises:
        ArgumentError: ``path`` is no path, or there is no such sequence.
        UnreadableScanError: Nothing there, not a volume, more than one time point, color, or damaged.
    """
    from PCNSLSurvivalLib.imaging.io import read_scan as read

    return read(path_of(path, "path"), sequence_of(sequence))


@package_advice("predict_case")
def predict_case(
    scans: Mapping[MRSequence | str, AnyPath] | AnyPath,
    model: ModelFolder | None = None,
    options: CaseOptions | None = None,
) -> CaseResult:
    """Predict one-year overall survival of one patient and explain the prediction. Research use only.

    Args:
        scans: Volume file (NIfTI, NRRD, MetaImage) or folder of one DICOM series for each MR sequence:
            ``{"t1gd": "T1Gd.nii.gz"}``. T1Gd is required; a plain path is T1Gd.
        model: From ``load_model``; the bundled demonstration model if None.
        options: What is known about the scans (for example ``already_stripped``), and where to compute.

    Returns:
        Probability, warnings, and the maps on the voxels of T1Gd: ``result.network.probability_over_one_year``,
        ``result.warnings``, ``result.activation_map``.

    Raises:
        ArgumentError: An argument is not what it should be.
        PCNSLSurvivalError: A scan, the model or the computer does not allow a prediction.
    """
    from PCNSLSurvivalLib.inference.predict import CaseOptions
    from PCNSLSurvivalLib.inference.predict import predict_case as predict
    from PCNSLSurvivalLib.models.model_folder import ModelFolder

    paths = scans_of(scans)
    chosen = CaseOptions() if options is None else options_of(options, CaseOptions, "options")
    asked = load_model() if model is None else instance_of(model, ModelFolder, "model", "load_model")
    return predict(paths, asked, chosen)


def save_result(result: CaseResult, folder: AnyPath, *, overwrite: bool = False) -> Path:
    """Write the result folder that ``pcnsl-survival predict`` writes: ``prediction.json``, volumes, report.

    Args:
        result: From ``predict_case``.
        folder: The folder; it appears whole or not at all.
        overwrite: Replace an earlier result there.

    Returns:
        The folder.

    Raises:
        ArgumentError: ``result`` or ``folder`` is not what it should be.
        OutputFolderError: The folder holds something else or cannot be written.
    """
    from PCNSLSurvivalLib.core.storage.files import whole_folder
    from PCNSLSurvivalLib.inference.predict import CaseResult
    from PCNSLSurvivalLib.reports.case.report import case_report_html
    from PCNSLSurvivalLib.results.case_folder import write_case_folder

    made, target = instance_of(result, CaseResult, "result", "predict_case"), path_of(folder, "folder")
    with whole_folder(target, overwrite=overwrite) as staging:
        write_case_folder(made, staging, page=case_report_html)
    return target


def read_cohort(path: AnyPath) -> tuple[CohortCase, ...]:
    """The exams of a cohort with their scans, survival and clinical variables, in the order of their names.

    Args:
        path: A CSV or TSV table, a BIDS, UCSF-PCNSL or BraTS2020 folder, or a folder with one folder per patient.

    Raises:
        ArgumentError: ``path`` is no path.
        CohortError: Nothing there, no exam in it, or a table that cannot be read.
    """
    from PCNSLSurvivalLib.cohorts.cohort import read_cohort as read

    return read(path_of(path, "path"))


@package_advice("prepare_cohort")
def prepare_cohort(
    cohort: AnyPath, out: AnyPath, *, sequences: Sequence[MRSequence | str] | None = None, jobs: int = 1
) -> PreparedCohort:
    """Prepare the scans of a cohort for training, with contact sheet and data report; continues an earlier run.

    Args:
        cohort: As for ``read_cohort``.
        out: Folder of the prepared cohort.
        sequences: The scans to prepare; all that are found if None. T1Gd always is.
        jobs: Exams at the same time, each in its own process (about 1.2 GB). With more than one, a script needs the
            usual guard ``if __name__ == "__main__":``.

    Returns:
        The prepared exams with their survival, as ``read_prepared_cohort`` reads them.

    Raises:
        ArgumentError: An argument is not what it should be.
        CohortError: The cohort cannot be read, or none of its exams could be prepared.
        OutputFolderError: ``out`` holds something else or cannot be written.
    """
    from PCNSLSurvivalLib.cohorts.cohort import find_cohort
    from PCNSLSurvivalLib.cohorts.cohort_preparation import PreparationOptions
    from PCNSLSurvivalLib.cohorts.cohort_preparation import prepare_cohort as prepare
    from PCNSLSurvivalLib.cohorts.data_report import data_report
    from PCNSLSurvivalLib.reports.cohort.contact_picture import draw_contact_picture
    from PCNSLSurvivalLib.reports.cohort.contact_sheet import write_contact_sheet, write_data_report

    source, target = path_of(cohort, "cohort"), path_of(out, "out")
    if sequences is not None and (isinstance(sequences, str) or not isinstance(sequences, Sequence)):
        raise ArgumentError("'sequences' must be a list such as ['t1gd', 't2'], or None for all that are found.")
    wanted = None if sequences is None else tuple(sequence_of(sequence) for sequence in sequences)
    number_of(jobs, "jobs", least=1)
    found = find_cohort(source)
    options = PreparationOptions(sequences=wanted)
    cases = prepare(found, target, options, draw=draw_contact_picture, jobs=jobs)
    write_contact_sheet(cases, target)
    write_data_report(data_report(found, cases, threshold_days=ONE_YEAR_DAYS), target)
    return read_prepared_cohort(target)


def read_prepared_cohort(path: AnyPath) -> PreparedCohort:
    """The exams of a cohort that ``prepare_cohort`` or ``pcnsl-survival preprocess`` prepared.

    Raises:
        ArgumentError: ``path`` is no path.
        CohortError: The folder is no prepared cohort.
    """
    from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort as read

    return read(path_of(path, "path"))


@dataclass(frozen=True, kw_only=True)
class CrossValidation:
    """How well a classifier on one's own features predicts one-year survival of held-out patients."""

    metrics: Mapping[str, Estimate]
    """Value and 95 % interval of each metric: ``metrics["auc"].value``, ``.low``, ``.high``."""
    predictions: tuple[FoldPredictions, ...]
    """Held-out probabilities, one entry per fold."""


@package_advice("cross_validate_features")
def cross_validate_features(
    cases: Sequence[CohortCase] | Sequence[PreparedExam],
    features: Mapping[str, Mapping[str, float]],
    *,
    classifier: Classifier = "logistic",
    folds: int = 5,
    repeats: int = 2,
    seed: int = 12,
    threshold_days: float = ONE_YEAR_DAYS,
) -> CrossValidation:
    """Judge features of your own by the cross-validation of the experiment.

    The folds are those of ``pcnsl-survival experiment`` with the same seed: by patient, stratified by OS class.
    Imputation, scaling, selection, tuning and calibration are fitted on the training cases of each fold.

    Args:
        cases: From ``read_cohort`` or ``read_prepared_cohort(...).exams``; those censored before the threshold have
            no class and stay out of the folds.
        features: For each case that has a class, by its name: the value of each feature, by its name; NaN or absent
            where it is unknown.
        classifier: "logistic" (ridge) or "svm" (linear, calibrated).
        folds: Folds of one cross-validation.
        repeats: Repetitions with other folds.
        seed: Seed of the folds and of everything fitted.
        threshold_days: Survival beyond this day is the positive class.

    Returns:
        Metrics with intervals over patients, and the held-out predictions.

    Raises:
        ArgumentError: An argument is not what it should be.
        EvaluationError: A case has no row, or a feature is infinite or known for no case.
        FoldError: A class has fewer patients than there are folds.
    """
    import numpy as np

    from PCNSLSurvivalLib.cohorts.splits import repeated_stratified_folds
    from PCNSLSurvivalLib.core.errors import EvaluationError
    from PCNSLSurvivalLib.core.messages import Message
    from PCNSLSurvivalLib.evaluation.baselines.run import run_baseline
    from PCNSLSurvivalLib.evaluation.baselines.table import BaselineTable
    from PCNSLSurvivalLib.evaluation.out_of_fold import out_of_fold_metrics

    choice_of(classifier, ("logistic", "svm"), "classifier")
    for name, value, least in (("folds", folds, 2), ("repeats", repeats, 1), ("seed", seed, 0)):
        number_of(value, name, least=least)
    number_of(threshold_days, "threshold_days", least=1, whole=False)
    _check_cases(cases)
    _check_features(features)
    labeled = [(case, os_class) for case in cases if (os_class := case.os_class(threshold_days)) is not None]
    if missing := [case.name for case, _ in labeled if case.name not in features]:
        raise EvaluationError(
            Message("evaluation.exams_without_features", count=len(missing), exams=tuple(missing[:5]))
        )
    classes = {case.name: int(os_class) for case, os_class in labeled}
    patients = {case.name: case.patient_id for case, _ in labeled}
    columns = tuple(sorted({column for row in features.values() for column in row}))
    table = BaselineTable(
        cases=tuple(classes),
        os_class=classes,
        columns=columns,
        values=np.array([[features[name].get(c, np.nan) for c in columns] for name in classes], dtype=np.float64),
    )
    parts = repeated_stratified_folds(
        list(classes), list(patients.values()), list(classes.values()), splits=folds, repeats=repeats, seed=seed
    )
    predictions = tuple(run_baseline("own_features", classifier, table, part, seed=seed) for part in parts)
    metrics = out_of_fold_metrics(predictions, patients=patients, seed=seed)
    return CrossValidation(metrics=metrics, predictions=predictions)


def _check_cases(cases: object) -> None:
    needed = ("name", "patient_id", "os_class")
    if not isinstance(cases, Sequence) or not all(hasattr(case, name) for case in cases for name in needed):
        raise ArgumentError("'cases' must come from read_cohort, or be the exams of read_prepared_cohort.")


def _check_features(features: object) -> None:
    if not isinstance(features, Mapping) or not all(isinstance(row, Mapping) for row in features.values()):
        raise ArgumentError("'features' must be a dictionary such as {'exam 1': {'volume_ml': 12.5}}.")
    for exam, row in features.items():
        for column, value in row.items():
            if not isinstance(value, Real):
                raise ArgumentError(f"The feature {column!r} of {exam!r} is no number. Leave out what is not known.")
