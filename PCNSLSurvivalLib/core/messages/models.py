"""Messages about models, their folders, and the out-of-distribution check."""

from __future__ import annotations

from PCNSLSurvivalLib.core.marked import marked as _

TEMPLATES = {
    "familiarity.beyond_limit": _(
        "Unusual scan: farther from the training scans ({reference}) than {share:.0f} % of comparable new scans are "
        "expected to be. Largest deviation: {furthest}. Interpret the result with caution."
    ),
    "familiarity.stop": _(
        "This scan is out of distribution: {distance:.1f} times as far from the training scans as the limit. Largest "
        "deviation: {furthest}. A probability would be meaningless. Check that T1Gd is a brain MRI of an adult."
    ),
    "familiarity.typical": _("In distribution: within the range of the {cases} training scans ({reference})."),
    "familiarity.unknown": _(
        "The model has no statistics of its training scans, so the out-of-distribution check is not available."
    ),
    "familiarity.unlike": _(
        "Out of distribution: {distance:.1f} times as far from the {cases} training scans ({reference}) as the limit. "
        "Largest deviation: {furthest}. Do not use the result."
    ),
    "familiarity.unreadable": _(
        "The statistics of the training scans in the model cannot be read. Reinstall the model from its source."
    ),
    "familiarity.unusual": _(
        "Unusual scan: outside the range of the {cases} training scans ({reference}). Largest deviation: {furthest}. "
        "Interpret the result with caution."
    ),
    "familiarity.within_limit": _(
        "In distribution: as close to the training scans ({reference}) as {share:.0f} % of comparable new scans are "
        "expected to be."
    ),
    "model.demonstration": _(
        "This is a DEMONSTRATION model, trained on virtual patients: its probability and maps have no prognostic value."
    ),
    "model.json_refused": _(
        "{part} of the model was refused: {reason}. The model may be damaged, changed or made for another version of "
        "this software; install it again from where you got it."
    ),
    "model.network_argument": _(
        "The network has {name} = '{value}', which is not one of {choices}. Use a model made for this software."
    ),
    "model.network_arguments": _(
        "The model's network is not described by exactly these arguments: {names}. Use a model made for this version "
        "of the software."
    ),
    "model.no_metadata": _(
        "The folder given as model holds no configs/metadata.json. Choose the folder of one model, or leave --model "
        "out to use the bundled one."
    ),
    "model.no_onnx": _("The package onnx is not installed. Install it: pip install onnx."),
    "model.no_plain_instance_norm": _(
        "MONAI cannot build instance normalization without parameters; export a zip instead."
    ),
    "model.not_a_folder": _(
        "The model given is not a folder. Choose the folder of one model; a zip file is installed first with "
        "'pcnsl-survival model import'."
    ),
    "model.not_found": _(
        "There is no model folder and no installed model of this name. 'pcnsl-survival model list' lists the installed "
        "models; 'pcnsl-survival model import' installs one from a zip file."
    ),
    "model.recipe_refused": _("The model was rejected. {reason}"),
    "model.refused": _(
        "The model was refused: {reason}. It may be damaged, changed or made for another version of this software; "
        "install it again from where you got it."
    ),
    "model.time_head": _(
        "The intervals of the model's survival curve cannot be used. They need 2 to {most} rising limits in days, one "
        "of which is the limit of the OS classes. Use a model made for this version of the software."
    ),
    "model.untrained": _(
        "This model is UNTRAINED: its weights are random, and its probability and maps have no prognostic value."
    ),
    "onnx_file.exists": _("The ONNX file exists already; nothing was changed. Choose another name."),
    "onnx_file.several_networks": _(
        "The model holds several networks, and an ONNX file one. Export it as a zip instead."
    ),
    "refusal.checksum": _("its checksum differs from the one in the model's metadata"),
    "refusal.code_key": _("metadata.json holds '{key}', and a model must not hold code"),
    "refusal.entry_missing": _("the entry '{entry}' is missing"),
    "refusal.entry_no_number": _("the entry '{entry}' in metadata.json is not a number"),
    "refusal.entry_no_plain_word": _("the entry '{entry}' in metadata.json is not a plain word"),
    "refusal.entry_no_text": _("the entry '{entry}' in metadata.json is not text"),
    "refusal.entry_not_a_choice": _("the entry '{entry}' in metadata.json is not one of {choices}"),
    "refusal.entry_out_of_range": _("the entry '{entry}' in metadata.json is not between {least} and {most}"),
    "refusal.entry_text_too_long": _("the entry '{entry}' in metadata.json is not text of at most {limit} characters"),
    "refusal.entry_unknown": _("the entry '{entry}' is unknown"),
    "refusal.expression": _("metadata.json holds an expression, and a model must not hold code"),
    "refusal.file_differs": _("{file} is not the file its metadata describes"),
    "refusal.file_extra": _("it holds a file that its metadata does not list ('{file}')"),
    "refusal.file_missing": _("the file {file} is missing"),
    "refusal.file_out_of_place": _("it lists a file that does not belong in a model ('{file}')"),
    "refusal.file_unlisted": _("its metadata does not list {file}"),
    "refusal.file_without_hash": _("it lists a file without size or SHA-256"),
    "refusal.format_version": _("its format version is not {version}"),
    "refusal.invalid_json": _("it is not valid JSON, or it contains a duplicate key"),
    "refusal.larger_than_1_mb": _("it is larger than 1 MB"),
    "refusal.link": _("it holds a link; a model must contain its own files"),
    "refusal.member_names": _("its members are not named models/member_0.safetensors and so on"),
    "refusal.monai_config": _("configs/inference.json does not match the network of the model"),
    "refusal.network_disagrees": _("its network's name and arguments disagree"),
    "refusal.no_files": _("it does not list its files"),
    "refusal.no_members": _("it does not list its members"),
    "refusal.no_safetensors": _("it is not a safetensors file"),
    "refusal.not_one_object": _("it does not hold one JSON object"),
    "refusal.object_expected": _("an object is expected"),
    "refusal.recipe_no_object": _("its preprocessing recipe is not an object"),
    "refusal.recipe_unreadable": _("its preprocessing recipe cannot be read"),
    "refusal.sequence_count": _("the number of its sequences is not the number of the network's input channels"),
    "refusal.size": _("its size differs from the one in the model's metadata"),
    "refusal.size_of_another_network": _("its size cannot belong to this network"),
    "refusal.tensor_missing": _("tensor {tensor} is missing"),
    "refusal.tensor_not_numbers": _("tensor {tensor} holds values that are not numbers"),
    "refusal.tensor_place": _("tensor {tensor} is not at the position that the file states"),
    "refusal.tensor_shape": _("tensor {tensor} has another shape or type than the network's"),
    "refusal.tensor_unknown": _("it holds a tensor that the network does not have ('{tensor}')"),
    "refusal.tensors_overlap": _("its tensors overlap or leave gaps"),
    "refusal.tensors_short": _("its tensors do not fill it"),
    "refusal.training_patients": _("configs/training_patients.json is not a list of hashes"),
    "refusal.unknown_sequences": _("its sequences are not ones this software knows"),
    "weights.fit": _("They fit this {network}: write 'network: {entry}' in the experiment file."),
    "weights.fit_medicalnet": _("They are MedicalNet's {network}: write 'network: {entry}' in the experiment file."),
    "weights.fit_unknown": _("Choose the depth, width, shortcut and channels they were made with."),
    "weights.no_backbone": _(
        "The weights are not the backbone of this {network}, so none were taken. {advice}\n{table}"
    ),
    "weights.no_table": _("The checkpoint file contains no table of tensors. Choose another file."),
    "weights.other_network": _("The weights do not belong to this network. Use the model folder they came with."),
    "weights.refused": _(
        "The weights file {file} of the model was refused: {reason}. The model may be damaged or changed; install it "
        "again from where you got it."
    ),
    "weights.unreadable": _(
        "The checkpoint file cannot be read as plain weights. Choose a MedicalNet file, a checkpoint with nothing but "
        "tensors, or a model folder."
    ),
    "zip.exists": _("The zip file exists already; nothing was changed. Choose another name."),
    "zip.installed_already": _(
        "Version {version} of {name} is installed already; nothing was changed. Add --overwrite to replace it."
    ),
    "zip.not_installed": _("The model cannot be installed ({reason})."),
    "zip.not_written": _("The zip file cannot be written ({reason}). Choose another place."),
    "zip.refused": _("The zip file was refused: {reason}. Nothing was installed. Get the model again."),
    "zip.unreadable": _(
        "The file is not a readable zip file. Get the model again, as a zip made by 'pcnsl-survival model export'."
    ),
    "zip_refusal.file_count": _("it is empty or holds too many files"),
    "zip_refusal.link": _("the entry '{entry}' is a link"),
    "zip_refusal.no_name": _("an entry has no name"),
    "zip_refusal.no_place": _("the entry '{entry}' has no place in a model"),
    "zip_refusal.too_large": _("the entry '{entry}' is larger than any model's"),
    "zip_refusal.twice": _("the entry '{entry}' is in it twice"),
    "zip_refusal.unpacks_to_more": _("it unpacks to far more than it holds"),
}
