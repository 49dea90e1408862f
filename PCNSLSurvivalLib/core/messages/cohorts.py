"""Messages about cohorts, prepared cohorts and their folds."""

from __future__ import annotations

from PCNSLSurvivalLib.core.marked import marked as _

TEMPLATES = {
    "case.file_not_fetched": _("The file of {scan} {reason}"),
    "case.file_not_found": _("The file of {scan} was not found. Check the table or the folder of this case."),
    "case.no_t1gd": _("No T1Gd was found for this case. Check the file names or the table."),
    "cohort.empty": _(
        "The cohort holds no patient. Give a CSV or TSV table, a folder as {layouts} distribute it, or a folder with "
        "one folder per patient (docs/cohorts.md)."
    ),
    "cohort.file_twice": _(
        "One file is given twice: as the {one} of {case} and as the {other} of {other_case}. Give each its own file, "
        "or leave out the one that is wrong, and try again."
    ),
    "cohort.names_twice": _(
        "The cohort names {count} of its cases more than once. Give every exam its own name: remove duplicate rows, or "
        "separate exams of one patient by a column 'session'."
    ),
    "cohort.no_file_or_folder": _("The cohort is neither a file nor a folder. Give a CSV or TSV table, or a folder."),
    "cohort.no_known_scan": _(
        "Patients of the cohort: {count}. None has a scan that its name and header show to be T1Gd, T1, T2 or FLAIR. "
        "Name the scans as docs/cohorts.md says, or give a table with their paths."
    ),
    "cohort.not_found": _("The cohort was not found. Check the path and try again."),
    "cohort.scan_in_other_folder": _(
        "The folder {folder} holds {scan}, which belongs to another patient or session by its name. Move it, or give "
        "it its right name, and try again."
    ),
    "cohort.several_tables": _(
        "There are several tables beside the patient folders: {tables}. Keep one with a column 'patient_id', or give a "
        "table with paths."
    ),
    "cohort.shared_with_second": _(
        "Patients in both cohorts: {count} ({pairs}). A network must not be tested on patients it was pre-trained on. "
        "Exclude them from the pre-training: write these lines to excluded.csv in the folder of its prepared cohort, "
        "or append them.\n"
        "{lines}"
    ),
    "cohort.shared_with_weights": _(
        "Patients in both cohorts: {count} ({pairs}). A network must not be tested on patients it was pre-trained on. "
        "Pre-train again without them, or exclude them here: write these lines to excluded.csv in the folder of the "
        "prepared cohort, or append them.\n"
        "{lines}"
    ),
    "excluded.misspelled": _(
        "Line {line} of excluded.csv names {name}, which is not in this cohort: is {near} meant? Write the name as in "
        "cases.csv, or remove the line."
    ),
    "excluded.no_name": _("Line {line} of excluded.csv names no case. Fill in 'name' or remove the line."),
    "excluded.no_name_column": _("excluded.csv needs a column 'name'; 'reason' may follow. Correct it or remove it."),
    "excluded.unknown_name": _(
        "Line {line} of excluded.csv names {name}, which is not in this cohort. Write the name as in cases.csv, or "
        "remove the line."
    ),
    "fetched.broken_link": _(
        "is a link to a file that is not there. Copy the file itself, or mount the disk it lies on."
    ),
    "fetched.git_annex": _(
        "was not fetched: only its place in a data store (git-annex, DataLad) is here. Fetch it with 'datalad get' or "
        "'git annex get', and run again."
    ),
    "fetched.git_lfs": _(
        "was not fetched: only its place in a data store (Git LFS) is here. Fetch it with 'git lfs pull', and run "
        "again."
    ),
    "folds.exam_twice": _("An exam is listed twice. Give every exam of the cohort a unique name."),
    "folds.group_unknown": _(
        "Folds by {by} need the {by} of every exam. Exams without: {count}, such as {exam}. Complete the column '{by}' "
        "of the cohort's table and run preprocess again, or exclude these exams."
    ),
    "folds.one_class_at_year": _(
        "Divided at the year {year}, one side has patients of one OS class only. Use random folds."
    ),
    "folds.one_class_without": _("Without {by} {group}, all patients are in one OS class, so nothing can be trained."),
    "folds.one_group": _("Folds by {by} need at least two; all patients are of one {by}. Use random folds."),
    "folds.one_year": _("A temporal split needs exams of several years; all are of one. Use random folds."),
    "folds.too_few": _(
        "The cohort cannot be split into {parts} parts with both classes in each: {over} of the patients lived longer "
        "than the threshold, {up_to} did not. Choose fewer folds, another threshold, or add patients."
    ),
    "folds.year_unknown": _(
        "A temporal split needs the year of every exam. Exams without: {count}, such as {exam}. Complete the column "
        "'scan_year' of the cohort's table and run preprocess again, or exclude these exams."
    ),
    "phantom.no_template": _(
        "Virtual patients are built on the MNI152 tissue maps of the nilearn package, which is not installed. Install "
        "it with: pip install 'nilearn>=0.14,<0.15', then try again."
    ),
    "phantom.other_cohort": _(
        "The output folder holds another cohort (seed, kind, grid, sequences, layout, sites or AUC differ); nothing "
        "was changed. Give the same options to complete it, or choose another folder with --out."
    ),
    "prepared_cohort.damaged": _("cohort.json is damaged or from another version. Run preprocess again."),
    "prepared_cohort.disk_full": _(
        "The disk of the output folder is full. The cases that are finished are kept. Free about {gb:.1f} GB and run "
        "the same command again to resume."
    ),
    "prepared_cohort.no_case_folder": _(
        "The folder of case {case} of the prepared cohort is missing. Run preprocess again to resume."
    ),
    "prepared_cohort.no_case_prepared": _(
        "No case of the cohort could be prepared. data_report.html in DIR lists the reason for each case."
    ),
    "prepared_cohort.no_sequence": _("A case of the prepared cohort has no {sequence}. Leave {sequence} out."),
    "prepared_cohort.no_such_case": _(
        "A case is not in the prepared cohort. Run preprocess again, or check the names."
    ),
    "prepared_cohort.not_found": _(
        "The folder holds no prepared cohort. Run 'pcnsl-survival preprocess COHORT --out DIR' to the end; it resumes "
        "an interrupted run."
    ),
    "prepared_cohort.not_ours": _(
        "The output folder holds a cohort that was not prepared here; nothing was changed. Choose an empty folder with "
        "--out."
    ),
    "prepared_cohort.other_recipe": _(
        "The cohort was prepared with a different recipe than this version uses. Run preprocess again."
    ),
    "prepared_cohort.scan_missing": _(
        "A prepared scan of the cohort is missing. Run preprocess again; finished cases are kept."
    ),
    "prepared_cohort.volume_damaged": _(
        "Case {case} of the prepared cohort: {file} is missing or damaged. Delete the folder of that case under cases "
        "and run preprocess again."
    ),
}
