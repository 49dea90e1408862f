"""Messages about experiments: plan, jobs, initial weights and report."""

from __future__ import annotations

from PCNSLSurvivalLib.core.marked import marked as _

TEMPLATES = {
    "entry.needs_entries": _("needs entries of the form 'name: value' below it."),
    "entry.no_choice": _("must be one of {known}, not {found}."),
    "entry.no_list": _("must be a list, written as [a, b]."),
    "entry.not_finite": _("must be a finite number."),
    "entry.not_plain": _("must be a plain number or word."),
    "entry.other_kind": _("must be {kind}, not {found}."),
    "entry.other_length": _("must be a list of {count} values."),
    "entry.twice": _("is listed twice, first on line {first}. Keep one of them."),
    "entry.unknown": _("is not known. Allowed here: {known}."),
    "entry.unusable": _("cannot be used. {reason}"),
    "experiment.baselines_few_patients": _(
        "The baselines need {fewest} training patients of each OS class, and {few} of {folds} folds have fewer "
        "({least}). Use other folds, add patients, or remove the baselines from the experiment file."
    ),
    "experiment.finetune_other_threshold": _(
        "A model folder gives the probability of OS over one year, and 'threshold_days' is {days:g}: finetune would "
        "give no usable model. Leave 'threshold_days' out of the experiment file, or evaluate such networks with "
        "cross-validate."
    ),
    "experiment.fusion_few_folds": _(
        "'fusions' need at least three folds: their networks leave two out at a time. Use more folds, or leave "
        "'fusions' out."
    ),
    "experiment.jobs_failed": _(
        "{failed} of {jobs} jobs failed; jobs.csv lists them. {reasons} All other jobs are finished: fix the cause and "
        "run the same command again."
    ),
    "experiment.no_pretraining_cohort": _(
        "The transfer arms need a second cohort for pre-training. Give it with --pretrain-cohort, give initial weights "
        "for each sequence with --init-weights, or remove 'transfer' from 'initializations' in the experiment file."
    ),
    "experiment.no_torchrun": _(
        "torchrun trains one network on several devices: use it with 'pretrain' or 'finetune'. Run the jobs of an "
        "experiment in parallel with --jobs or --scheduler."
    ),
    "experiment.nobody_labeled": _(
        "No patient of the cohort has a known OS class. Look at data_report.html of the prepared cohort."
    ),
    "experiment.nobody_with_scans": _(
        "No patient of the cohort has {sequences} and a known OS class. Look at data_report.html of the prepared "
        "cohort, or leave sequences out of the experiment file."
    ),
    "experiment.weights_missing": _(
        "The weights in the folder of {job} are missing. Delete that folder and run the command again."
    ),
    "experiment_report.history_damaged": _(
        "A training's history.csv is missing or damaged. Delete that fold's folder and run the same command again."
    ),
    "experiment_report.map_off_scan": _(
        "The map of patient {patient} is not on the voxels of its T1Gd. Put it on the scan's grid first."
    ),
    "experiment_report.no_example": _(
        "The figure of activation maps needs at least one example. Predict a held-out fold first."
    ),
    "experiment_report.no_predictions": _("There are no predictions to report. Run the experiment first."),
    "experiment_report.no_reference": _("The reference arm '{arm}' has no predictions. Choose one of {known}."),
    "initial_weights.cohort": _(
        "The folder of initial weights is a prepared cohort. Give the folder that 'pcnsl-survival pretrain' wrote (it "
        "holds job.json), or a checkpoint file."
    ),
    "initial_weights.no_training": _(
        "The folder of initial weights holds no training of this software. Give the folder that 'pcnsl-survival "
        "pretrain' wrote (it holds job.json), or a checkpoint file."
    ),
    "initial_weights.not_found": _(
        "The initial weights do not exist. Give the folder that pretrain wrote, a checkpoint file such as "
        "MedicalNet's, or the word deepbet."
    ),
    "initial_weights.not_pretrained": _(
        "The initial weights were not trained by 'pcnsl-survival pretrain': the training held patients out, or does "
        "not list its patients. Give the folder that pretrain wrote."
    ),
    "initial_weights.other_network": _(
        "The initial weights were trained with another network, block or outcome than the plan defines. Give both "
        "commands the same experiment file, or copy 'network' and 'network_grid' from job.json of the weights."
    ),
    "initial_weights.other_recipe": _(
        "The scans behind the initial weights were prepared by another recipe than those of the cohort. Prepare both "
        "cohorts with the same version of this software, and pre-train again."
    ),
    "initial_weights.other_sequence": _(
        "The initial weights were trained on {trained}, but the training uses {sequence}. Choose the same with "
        "--sequence."
    ),
    "initial_weights.other_threshold": _(
        "The initial weights were trained for OS over {trained_days:g} days, but the plan defines {days:g} days. Give "
        "both commands the same 'threshold_days'."
    ),
    "initial_weights.two_files": _(
        "--init-weights names two checkpoint files, and each serves every sequence. Give one of them."
    ),
    "initial_weights.unused": _(
        "No arm uses the weights that --init-weights names: only a transfer arm of the same sequence can. Choose such "
        "an arm, or leave --init-weights out."
    ),
    "kind.group": _("a group of entries"),
    "kind.list": _("a list"),
    "kind.number": _("a number"),
    "kind.true_or_false": _("true or false"),
    "kind.whole_number": _("a whole number"),
    "kind.word": _("a word"),
    "plan.arms": _("An arm is listed twice, or there is none: check 'sequences', 'initializations' and 'baselines'."),
    "plan.frozen_from_scratch": _(
        "'{training}' starts from random weights, which cannot be frozen. Leave '{training}.frozen' and "
        "'{training}.batch_norm' out; 'finetuning' may have them."
    ),
    "plan.fusion_few_folds": _(
        "'fusions' need at least three folds, since their networks leave two out at a time. Raise 'splits', choose "
        "another 'split_by', or leave 'fusions' out."
    ),
    "plan.fusion_needs_clinic": _("'fusions' are compared with the clinic alone: add {baseline} to 'baselines'."),
    "plan.fusion_unknown": _("'fusions' names {name}, which is none of the networks compared: {known}."),
    "plan.given_once": _("'{training}.{entry}' is shared by all networks: write it as '{place}'."),
    "plan.intervals": _("'intervals_days' must be 2 to {most} rising numbers of days, each more than 0."),
    "plan.intervals_without_threshold": _(
        "'intervals_days' must hold 'threshold_days' ({days:g}), where the survival curve is read for the class."
    ),
    "plan.model_arm": _("'model_arm' must be null or one of the networks compared: {known}."),
    "plan.network_grid": _("'network_grid' needs a size of at least 1 voxel and a spacing of more than 0 mm."),
    "plan.no_networks": _("there are none"),
    "plan.no_such_arm": _("There is no arm '{name}'. Choose one of {known}."),
    "plan.one_channel": _("'network.channels' must be 1: every arm uses one sequence."),
    "plan.repeats": _("'repeats' must be 1 with 'split_by: {split_by}': there is one such split."),
    "plan.seed": _("'seed' must be a whole number from 0 to 4294967295."),
    "plan.splits": _("'splits' must be at least 2 and 'repeats' at least 1."),
    "plan.threshold_days": _("'threshold_days' must be more than 0."),
    "plan.time_head": _("'network.time_head' follows from 'outcome' and 'intervals_days'. Leave it out."),
    "plan_file.alias": _("Experiment file, line {line}: '*{name}' refers to another entry. Write its values."),
    "plan_file.entry": _("Experiment file, line {line}: '{entry}' {reason}"),
    "plan_file.no_entries": _(
        "The experiment file holds no entries of the form 'name: value'. Resources/experiments contains examples."
    ),
    "plan_file.no_yaml": _(
        "Experiment file, line {line}: this cannot be read as YAML ({reason}). Write 'name: value', lists as [a, b]."
    ),
    "plan_file.too_deep": _("Experiment file, line {line}: entries are nested deeper than in any plan."),
    "plan_file.too_large": _(
        "The experiment file is larger than 1 MB, which no plan is. Resources/experiments contains examples."
    ),
    "plan_file.unreadable": _(
        "The experiment file cannot be read. Check its path; Resources/experiments contains examples."
    ),
    "plan_file.unusable": _("Experiment file: {reason}"),
    "validation.one_class": _(
        "All patients of the cohort with an OS class are in one class, so discrimination cannot be evaluated. Add "
        "patients of the other class."
    ),
    "validation.same_model": _("Both models are the same folder. Give another one to compare with."),
    "validation.training_patients": _(
        "Patients of the cohort who were in the training of {model}: {count}. A model must not be tested on its "
        "training patients. To test on the others, write these lines to excluded.csv in the folder of the prepared "
        "cohort, or append them.\n"
        "{lines}"
    ),
}
