"""What the library says of model folders, and of how like a scan is to those a model was trained on.

Each stands here as a literal, so that Slicer's tools find it for translation; see ``translation``.
"""

from __future__ import annotations

from collections.abc import Callable

from slicer.i18n import tr


def sentences(_: Callable[[str], str]) -> tuple[str, ...]:
    """The sentences, with names for the values in them.

    Args:
        _: What to do with each; ``str`` for English.
    """
    return (
        _("The network asks for {name} = {value}, which is not one of {choices}. Use a model made for this software."),
        _(
            "The model's network is not described by exactly these arguments: {names}. Use a model made for this "
            "version of the software."
        ),
        _(
            "The statistics of the training scans in the model cannot be read. Install the model again from where you "
            "got it."
        ),
        _("The model keeps no statistics of training scans, so that it cannot tell whether this scan is like them."),
        _("This scan is like the {cases} scans the model knows ({reference})."),
        _(
            "This scan is unusual: it lies outside the {cases} scans the model knows ({reference}); farthest out: "
            "{furthest}. Read the result with care."
        ),
        _(
            "This scan is unlike anything the model has seen: it lies {distance} times as far out as any of the "
            "{cases} scans the model knows ({reference}); farthest out: {furthest}. Do not use the result."
        ),
        _(
            "There is no model folder and no installed model of this name. 'pcnsl-survival model list' shows those "
            "there are; 'pcnsl-survival model import' installs one from a zip file."
        ),
        _("This model is UNTRAINED: its weights are random, and its probability and maps have no prognostic meaning."),
        _(
            "This is a DEMONSTRATION model, trained on virtual patients: its probability and maps have no prognostic "
            "meaning."
        ),
        _(
            "The folder given as model holds no configs/metadata.json. Choose the folder of one model, or leave "
            "--model out to use the bundled one."
        ),
        _("its format version is not {version}"),
        _("the entry {name} in metadata.json is not a text"),
        _("its network's name and arguments disagree"),
        _(
            "The model given is not a folder. Choose the folder of one model; a zip file is installed first with "
            "'pcnsl-survival model import'."
        ),
        _("it holds a link, and a model must bring its own files"),
        _("it lists a file that has no place in a model ({file})"),
        _("its metadata does not list {file}"),
        _("the file {file} is missing"),
        _("it holds a file that its metadata does not list ({file})"),
        _("{name} is not the file its metadata describes"),
        _("configs/inference.json asks for something else than the network of the model"),
        _("its sequences are not ones this software knows"),
        _("the number of its sequences is not the number of the network's input channels"),
        _("its preprocessing recipe is not an object"),
        _("The model was refused."),
        _("its preprocessing recipe cannot be read"),
        _("its network grid is not between 16 and 256 voxels of 0.25 to 8 mm"),
        _("it does not list its members"),
        _("its members are not named models/member_0.safetensors and so on"),
        _("it does not list its files"),
        _("it lists a file without size or SHA-256"),
        _("the entry {name} in metadata.json is not a text of at most {limit} characters"),
        _("the entry {name} in metadata.json is not a plain word"),
        _("metadata.json holds {key}, and a model must not hold code"),
        _("metadata.json holds an expression, and a model must not hold code"),
        _("the entry {name} in metadata.json is not one of {choices}"),
        _("the entry {name} in metadata.json is not a number"),
        _("the entry {name} in metadata.json is not between {least} and {most}"),
        _(
            "The model was refused: {reason}. It may be damaged, changed or made for another version of this "
            "software; install it again from where you got it."
        ),
        _("it is larger than 1 MB"),
        _("it is not valid JSON, or a key stands in it twice"),
        _("it does not hold one JSON object"),
        _("an object is expected"),
        _("the entry {name} is missing"),
        _("the entry {name} is unknown"),
        _(
            "{name} of the model was refused: {reason}. The model may be damaged, changed or made for another version "
            "of this software; install it again from where you got it."
        ),
        _("its checksum differs from the one in the model's metadata"),
        _("tensor {name} holds values that are not numbers"),
        _("its size differs from the one in the model's metadata"),
        _("its size cannot belong to this network"),
        _("it is not a safetensors file"),
        _("tensor {name} is missing"),
        _("it holds a tensor that the network does not have ({name})"),
        _("tensor {name} has another shape or type than the network's"),
        _("tensor {name} does not lie where the file says"),
        _("its tensors overlap or leave gaps"),
        _("its tensors do not fill it"),
        _(
            "The weights file {name} of the model was refused: {reason}. The model may be damaged or changed; install "
            "it again from where you got it."
        ),
        _("Entry pcnsl_survival in metadata.json"),
        _("Entry network in metadata.json"),
        _("Entry training_cohort in metadata.json"),
        _("Entry calibration in metadata.json"),
        _("A file entry in metadata.json"),
        _("what the network reads"),
        _("{level} brightness of {sequence}"),
        _("darkest"),
        _("dark"),
        _("middle"),
        _("bright"),
        _("brightest"),
        _("{scale} roughness of {sequence}"),
        _("fine"),
        _("coarse"),
        _("left-right size of the brain"),
        _("front-back size of the brain"),
        _("head-foot size of the brain"),
        _("fullness of the brain"),
        _("symmetry of the outline"),
        _("likeness of left and right in {sequence}"),
        _("brightness of the rim in {sequence}"),
        _("brightness of the core in {sequence}"),
    )


def translated(sentence: str) -> str:
    """One of them in the user's language; asked for here, because Slicer looks it up under this file's name."""
    return tr(sentence)
