"""The installed models, the training data of each, and the banner on its results."""

from __future__ import annotations

import json
from pathlib import Path

import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.storage.installed_files import data_home
from PCNSLSurvivalLib.models.model_folder import ModelFolder, bundled_model_path, read_model_folder

_KEY = "PCNSLSurvival/modelFolders"


def installedModels() -> list[ModelFolder]:
    """Every model folder that can be read: the bundled one, those in the data folder, those the user added.

    Unreadable folders are not listed; selecting one manually shows the reason.
    """
    models: list[ModelFolder] = []
    home = data_home() / "models"
    found = sorted(path for path in home.iterdir() if path.is_dir()) if home.is_dir() else []
    for path in [bundled_model_path(), *found, *addedFolders()]:
        try:
            model = read_model_folder(path)
        except (PCNSLSurvivalError, OSError):
            continue
        if model.path not in [known.path for known in models]:
            models.append(model)
    return models


def addFolder(path: Path) -> ModelFolder:
    """Check a model folder and remember it.

    Raises:
        ModelFolderError: The folder is no model of ours, or is damaged.
    """
    model = read_model_folder(path)
    folders = [str(p) for p in addedFolders() if p != path]
    slicer.app.userSettings().setValue(_KEY, json.dumps([*folders, str(path)]))
    return model


def addedFolders() -> list[Path]:
    """Folders that the user added earlier."""
    try:
        stored = json.loads(slicer.app.userSettings().value(_KEY) or "[]")
    except (ValueError, TypeError):
        return []
    return [Path(text) for text in stored if isinstance(text, str)]


def titleOf(model: ModelFolder) -> str:
    """One line for the list of models; what kind of model it is stands below it, where nothing is cut off."""
    return f"{model.name} {model.version}"


def descriptionOf(model: ModelFolder) -> str:
    """What kind of model it is, and what it was trained on and for."""
    kinds = {
        "untrained": _("Untrained model."),
        "demonstration": _("Demonstration model."),
        "trained": _("Model trained on patients."),
    }
    reads = " + ".join(sequence.label for sequence in model.sequences)
    cohort = model.training_cohort.rstrip(".").replace("`", "") + "."  # a model card is Markdown
    trained = (
        _("Trained on {n} patients. {cohort}").format(n=model.training_patients, cohort=cohort)
        if model.kind == "trained"
        else _("Trained on: {cohort}").format(cohort=cohort)
    )
    words = _("{kind} Input: {reads}. {trained} Intended use: {use}")
    return words.format(kind=kinds[model.kind], reads=reads, trained=trained, use=model.intended_use)
