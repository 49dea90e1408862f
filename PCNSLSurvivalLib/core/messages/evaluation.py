"""Messages about predictions of folds, their evaluation and baselines."""

from __future__ import annotations

from PCNSLSurvivalLib.core.marked import marked as _

TEMPLATES = {
    "baseline.case_not_in_table": _(
        "Case {case} is in a fold and not in the table of a baseline. Make folds and table from the same cohort."
    ),
    "baseline.case_without_class": _("A case without an OS class is in a fold. Leave censored cases out of the folds."),
    "baseline.few_deaths": _(
        "A Cox regression needs {fewest} observed deaths among the training patients. Use fewer folds, or add patients."
    ),
    "baseline.few_patients": _(
        "A baseline needs two training patients of each OS class. Use fewer folds, or add patients."
    ),
    "baseline.few_training_cases": _(
        "Baseline {arm}, repeat {repeat}, fold {fold}: fewer than three training cases of one OS class. Use fewer "
        "folds, or add patients."
    ),
    "baseline.fusion_without_network": _(
        "No network predicted case {case}, so that it cannot be combined with the clinical variables. Delete the "
        "folder of this arm's networks and run the same command again."
    ),
    "baseline.infinite_value": _("'{column}' is infinite in a case. Correct it in the cohort, or leave it empty."),
    "baseline.one_row_per_case": _("A baseline needs one row for each case, each case once. Check the cohort's names."),
    "baseline.radiomics_needs_prepared": _("Radiomics needs prepared scans. Run 'pcnsl-survival preprocess' first."),
    "baseline.unknown": _("There is no baseline '{name}'. Choose among {known}."),
    "baseline.unknown_column": _(
        "'{column}' is not known for any case. Add it to the cohort's table, or leave out the baselines that use it."
    ),
    "comparison.other_cases": _(
        "{arm} and {other} were not evaluated on the same held-out cases and cannot be compared. Run both with the "
        "same cohort, folds and seed."
    ),
    "comparison.other_folds": _("Two arms need the same folds to be compared. Run both with the same cohort and seed."),
    "evaluation.exams_without_features": _(
        "Exams with a known OS class and no row of features: {count} ({exams}). Give each exam one row, empty where "
        "nothing is known, or leave the exam out of 'cases'."
    ),
    "evaluation.few_patients": _("An interval needs at least two patients. Add patients to the cohort."),
    "evaluation.no_follow_up": _(
        "Survival needs for every patient the days of follow-up, zero or more, and whether the death was observed. "
        "Complete the cohort's table."
    ),
    "fold_predictions.case_twice": _(
        "{where} name case {case} twice. Delete this file and run the same command again; finished work is kept."
    ),
    "fold_predictions.censored_incomplete": _(
        "{where} do not have one probability for each censored case. Delete this file and run the same command again; "
        "finished work is kept."
    ),
    "fold_predictions.curves_incomplete": _(
        "{where} do not have one survival curve for each case. Delete this file and run the same command again; "
        "finished work is kept."
    ),
    "fold_predictions.incomplete": _(
        "{where} do not have one class and one probability for each case. Delete this file and run the same command "
        "again; finished work is kept."
    ),
    "fold_predictions.no_class": _(
        "{where} hold a class that is neither 0 nor 1. Delete this file and run the same command again; finished work "
        "is kept."
    ),
    "fold_predictions.no_column": _(
        "The table of predictions has no column {column}. Give a predictions.csv that pcnsl-survival wrote."
    ),
    "fold_predictions.no_probability": _(
        "{where} hold a probability that is not between 0 and 1: training did not end well. Delete what this fold "
        "wrote, lower the learning rate if it happens again, and run the same command again."
    ),
    "fold_predictions.no_survival_probability": _(
        "{where} hold a survival probability that is not between 0 and 1. Delete this file and run the same command "
        "again; finished work is kept."
    ),
    "fold_predictions.not_written": _(
        "The predictions cannot be written ({reason}). Free the output folder and run the same command again."
    ),
    "fold_predictions.of": _("The predictions of {arm}, repeat {repeat}, fold {fold},"),
    "fold_predictions.table_damaged": _(
        "The table of predictions is missing or damaged. Give a predictions.csv that pcnsl-survival wrote."
    ),
    "fold_predictions.twice": _(
        "The predictions of {arm} hold a fold or a held-out case twice in one repetition. Give the predictions of one "
        "run only."
    ),
    "fold_predictions.two_outcomes": _(
        "Case {case} has two different outcomes in the predictions. Give the predictions of one run only."
    ),
    "radiomics.failed": _("Radiomics failed for these scans:\n{listed}"),
    "radiomics.lesion_masks_missing": _(
        "Radiomics of the lesion: {count} of {patients} patients have no lesion mask, or an empty one ({names}). Using "
        "their brain instead would make the presence of a mask a predictor. Add masks and run preprocess again, leave "
        "these patients out by excluded.csv of the prepared cohort, or use the brain of all patients: "
        "'radiomics_region: brain' in the experiment file, --radiomics-region brain for the command 'baselines'."
    ),
    "radiomics.little_region": _(
        "The {region} mask marks too little, or a region without any contrast, for radiomics. Look at the case in the "
        "contact sheet; correct its mask, or leave it out by excluded.csv."
    ),
    "radiomics.no_lesion_mask": _(
        "Case {case} has no lesion mask to compute radiomics in. Add one, or leave the case out by excluded.csv."
    ),
    "radiomics.not_written": _(
        "The radiomics features cannot be kept ({reason}). Free the output folder and run the same command again; "
        "finished work is kept."
    ),
}
