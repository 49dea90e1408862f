"""The functions behind ``from PCNSLSurvivalLib import …``: the only part of the library that promises stability.

Everything else may move between versions. Paths may be given as text; every error is a ``PCNSLSurvivalError`` whose
text is meant for the user.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS, MRSequence

if TYPE_CHECKING:
    from PCNSLSurvivalLib.cohorts.case import CohortCase
    from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort, PreparedExam
    from PCNSLSurvivalLib.evaluation.baselines.classifiers import Classifier
    from PCNSLSurvivalLib.evaluation.out_of_fold import Estimate
    from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions
    from PCNSLSurvivalLib.inference.predict import CaseOptions, CaseResult
    from PCNSLSurvivalLib.models.model_folder import ModelFolder

AnyPath = str | PathLike[str]


def load_model(path: AnyPath | None = None) -> ModelFolder:
    """Read and check a model folder; neither torch nor MONAI is loaded.

    Args:
        path: The folder of one model, or the name of an installed one; the bundled demonstration model if None.

    Raises:
        ModelFolderError: It is no model folder of this version, or a file differs from what its metadata says.
    """
    from PCNSLSurvivalLib.models.installed_models import find_model

    return find_model(None if path is None else str(path))


def predict_case(
    scans: Mapping[MRSequence | str, AnyPath],
    model: ModelFolder | None = None,
    options: CaseOptions | None = None,
) -> CaseResult:
    """Predict one-year overall survival of one patient and explain the prediction. Research use only.

    Args:
        scans: Volume file (NIfTI, NRRD, MetaImage) or folder of one DICOM series for each MR sequence:
            ``{"t1gd": "T1Gd.nii.gz"}``. T1Gd is required.
        model: From ``load_model``; the bundled demonstration model if None.
        options: What is known about the scans (for example ``already_stripped``), and where to compute.

    Returns:
        Probability, warnings, and the maps on the voxels of T1Gd: ``result.network.probability_over_one_year``,
        ``result.warnings``, ``result.activation_map``.

    Raises:
        PCNSLSurvivalError: A scan, the model or the computer does not allow a prediction.
    """
    from PCNSLSurvivalLib.inference.predict import CaseOptions
    from PCNSLSurvivalLib.inference.predict import predict_case as predict

    paths = {MRSequence(sequence): Path(path) for sequence, path in scans.items()}
    return predict(paths, load_model() if model is None else model, CaseOptions() if options is None else options)


def save_result(result: CaseResult, folder: AnyPath, *, overwrite: bool = False) -> Path:
    """Write the result folder that ``pcnsl-survival predict`` writes: ``prediction.json``, volumes, report.

    Args:
        result: From ``predict_case``.
        folder: The folder; it appears whole or not at all.
        overwrite: Replace an earlier result there.

    Returns:
        The folder.

    Raises:
        OutputFolderError: The folder holds something else or cannot be written.
    """
    from PCNSLSurvivalLib.core.files import whole_folder
    from PCNSLSurvivalLib.reports.case.report import case_report_html
    from PCNSLSurvivalLib.results.case_folder import write_case_folder

    with whole_folder(Path(folder), overwrite=overwrite) as staging:
        write_case_folder(result, staging, page=case_report_html)
    return Path(folder)


def read_cohort(path: AnyPath) -> tuple[CohortCase, ...]:
    """The exams of a cohort with their scans, survival and clinical variables, in the order of their names.

    Args:
        path: A CSV or TSV table, a BIDS, UCSF-PCNSL or BraTS2020 folder, or a folder with one folder per patient.

    Raises:
        CohortError: Nothing there, no exam in it, or a table that cannot be read.
    """
    from PCNSLSurvivalLib.cohorts.cohort import read_cohort as read

    return read(Path(path))


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
        CohortError: The cohort cannot be read, or none of its exams could be prepared.
        OutputFolderError: ``out`` holds something else or cannot be written.
    """
    from PCNSLSurvivalLib.cohorts.cohort import find_cohort
    from PCNSLSurvivalLib.cohorts.cohort_preparation import PreparationOptions
    from PCNSLSurvivalLib.cohorts.cohort_preparation import prepare_cohort as prepare
    from PCNSLSurvivalLib.cohorts.data_report import data_report
    from PCNSLSurvivalLib.reports.cohort.contact_picture import draw_contact_picture
    from PCNSLSurvivalLib.reports.cohort.contact_sheet import write_contact_sheet, write_data_report

    found = find_cohort(Path(cohort))
    wanted = None if sequences is None else tuple(MRSequence(sequence) for sequence in sequences)
    options = PreparationOptions(sequences=wanted)
    cases = prepare(found, Path(out), options, draw=draw_contact_picture, jobs=jobs)
    write_contact_sheet(cases, Path(out))
    write_data_report(data_report(found, cases, threshold_days=ONE_YEAR_DAYS), Path(out))
    return read_prepared_cohort(out)


def read_prepared_cohort(path: AnyPath) -> PreparedCohort:
    """The exams of a cohort that ``prepare_cohort`` or ``pcnsl-survival preprocess`` prepared.

    Raises:
        CohortError: The folder is no prepared cohort.
    """
    from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort as read

    return read(Path(path))


@dataclass(frozen=True, kw_only=True)
class CrossValidation:
    """How well a classifier on one's own features predicts one-year survival of held-out patients."""

    metrics: Mapping[str, Estimate]
    """Value and 95 % interval of each metric: ``metrics["auc"].value``, ``.low``, ``.high``."""
    predictions: tuple[FoldPredictions, ...]
    """Held-out probabilities, one entry per fold."""


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
        EvaluationError: A case has no row, or a feature is infinite or known for no case.
        FoldError: A class has fewer patients than there are folds.
    """
    import numpy as np

    from PCNSLSurvivalLib.cohorts.splits import repeated_stratified_folds
    from PCNSLSurvivalLib.core.errors import EvaluationError
    from PCNSLSurvivalLib.evaluation.baselines.run import run_baseline
    from PCNSLSurvivalLib.evaluation.baselines.table import BaselineTable
    from PCNSLSurvivalLib.evaluation.out_of_fold import out_of_fold_metrics

    labeled = [(case, os_class) for case in cases if (os_class := case.os_class(threshold_days)) is not None]
    if missing := [case.name for case, _ in labeled if case.name not in features]:
        raise EvaluationError(
            f"{len(missing)} exams with a known OS class have no row of features: {', '.join(missing[:5])}. Give each "
            "exam one row, empty where nothing is known, or leave the exam out of 'cases'."
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
