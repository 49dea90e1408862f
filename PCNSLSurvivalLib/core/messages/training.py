"""Messages about training: settings, data and devices."""

from __future__ import annotations

from PCNSLSurvivalLib.core.marked import marked as _

TEMPLATES = {
    "augmentation.monai_needs_cubes": _(
        "MONAI's transforms count in voxels, and the voxels of the network's block are not cubes. Choose one spacing "
        "for its three axes, or leave 'transforms: monai' out."
    ),
    "augmentation.probabilities": _(
        "The augmentation has a probability outside 0 to 1 or a negative range. Correct the settings."
    ),
    "augmentation.shares": _(
        "The augmentation has a share outside 0 to 1, or coinciding elastic control points. Correct the settings."
    ),
    "augmentation.transforms": _('The transforms of the augmentation are "single" or "monai". Correct the settings.'),
    "settings.unknown": _("The training settings hold '{name}', which is unknown. Known are: {known}."),
    "settings.unusable": _("The training settings cannot be used: they need {wanted}. Correct them and try again."),
    "settings_need.class_limit": _("a limit of the OS classes that is also one of the survival curve"),
    "settings_need.counts": _("epochs and patience of at least 1, a batch of at least 2, and no negative warm-up"),
    "settings_need.frozen": _("frozen parts among {known}"),
    "settings_need.known_types": _("names and numbers as the documentation lists them ({reason})"),
    "settings_need.larger_block": _(
        "a larger block: instance normalization cannot measure the spread of a single cell"
    ),
    "settings_need.lesion_task": _("a weight of the lesion task of 0 or more"),
    "settings_need.rates": _("positive learning rates, and weight decay and label smoothing from 0 to below 1"),
    "settings_need.table": _("a table of names and values"),
    "settings_need.time_alone": _(
        "no class weights, censoring weights, label smoothing or lesion head with 'outcome: time', which learns from "
        "the days of survival"
    ),
    "settings_need.validation_share": _("a validation share up to 0.5, and a threshold of more than 0 days"),
    "settings_need.weight_averaging": _(
        "weight averaging from 0 to below 1, and none with 'lesion_task' or 'lesion_head'"
    ),
    "training.case_without_class": _(
        "The fold names a case without an OS class: its survival is unknown or was censored by the threshold. Make the "
        "folds from the labeled cases of this cohort with the same threshold."
    ),
    "training.censoring_needs_follow_up": _(
        "'censoring_weights' needs the days of follow-up of every training patient, and whether the death was "
        "observed. Complete the cohort's table, or leave 'censoring_weights' out."
    ),
    "training.checkpoint_damaged": _(
        "The checkpoint of the unfinished training is damaged or of another version. Delete the unfinished folder "
        "beside the output folder and run the same command again: this training then starts over."
    ),
    "training.checkpoint_disk_full": _(
        "The checkpoint cannot be written: the disk is full. Free space and run the same command again; training goes "
        "on from the last checkpoint."
    ),
    "training.checkpoint_not_written": _(
        "The checkpoint cannot be written: {reason}. Make the folder writable and run the same command again; training "
        "goes on from the last checkpoint."
    ),
    "training.diverged": _("The training diverged: its loss is not a number. Lower the learning rate and start again."),
    "training.folder_damaged": _(
        "The folder of a training is damaged, or of another version of this software. Choose another folder; or delete "
        "it, if it is not needed, and run the same command again."
    ),
    "training.frozen_without_weights": _(
        "Some layers are to be frozen, but there are no initial weights to keep. Give initial weights, or freeze "
        "nothing."
    ),
    "training.gpu_memory_full": _(
        "The memory of the GPU is full. Choose a smaller 'batch_size' or a smaller block ('network_grid') in the "
        "experiment file, or --device cpu, and run the command again."
    ),
    "training.initial_weights_do_not_fit": _(
        "The initial weights do not fit the network of this training. Choose the same depth, width and sequences, or "
        "train from scratch."
    ),
    "training.inputs_not_kept": _(
        "The network's inputs cannot be kept beside the prepared scans ({reason}). Free space there, or make the "
        "output folder of the prepared cohort writable, and run the same command again."
    ),
    "training.lesions_in_one_process": _(
        "Learning from lesion masks works in one process. Start the command without torchrun, or leave 'lesion_task' "
        "and 'lesion_head' out."
    ),
    "training.mixture_not_fitted": _(
        "The head cannot be fitted to the lesion masks: its fit did not converge. Check the masks of the training "
        "patients, or leave 'lesion_head' out of the experiment file."
    ),
    "training.no_device": _("This computer has no {device} device that torch can use. Choose --device auto or cpu."),
    "training.no_lesion_mask": _(
        "A case of the prepared cohort has no lesion mask, which 'lesion_task' and 'lesion_head' need. Leave both out, "
        "or exclude the case with excluded.csv."
    ),
    "training.no_sequence": _(
        "A case of the prepared cohort has no {sequence}. Leave {sequence} out, or exclude the case with excluded.csv."
    ),
    "training.no_such_gpu": _(
        "This computer has no {device}. GPUs that torch sees, counted from cuda:0: {count}. Choose another --device."
    ),
    "training.other_finished": _(
        "The output folder holds a training with other settings, patients or scans, or by another version of this "
        "software; nothing was changed. Choose another output folder."
    ),
    "training.other_unfinished": _(
        "An unfinished training with other settings, patients or scans, or by another version of this software lies "
        "beside the output folder. Delete it (the hidden folder that ends in .unfinished), or choose another output "
        "folder."
    ),
    "training.patient_on_both_sides": _("A patient is on both sides of the fold. Make the folds by patient."),
    "training.refused_elsewhere": _("Another process of this training failed and reports the reason."),
    "training.small_batches": _(
        "Training needs batches of at least {least} (processes: {processes}). {patients} training patients in batches "
        "of up to {batch_size} give some of {smallest}. Choose a larger batch_size, fewer processes, or add patients."
    ),
    "training.time_needs_follow_up": _(
        "'outcome: time' needs the days of follow-up of every training patient. Complete the cohort's table, or train "
        "for the OS classes."
    ),
}
