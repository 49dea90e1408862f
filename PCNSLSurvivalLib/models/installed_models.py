"""Models on this computer: the bundled one and any number of installed ones, side by side."""

from __future__ import annotations

import re
from pathlib import Path

from PCNSLSurvivalLib.core.errors import ModelFolderError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.installed_files import data_home
from PCNSLSurvivalLib.core.storage.leftovers import clear_leftovers
from PCNSLSurvivalLib.models.model_folder import ModelFolder, bundled_model_path, read_model_folder


def models_home() -> Path:
    """The folder that holds one folder for each installed model."""
    return data_home() / "models"


def installed_folder_name(model: ModelFolder) -> str:
    """Name and version, so that versions of one model stand side by side."""
    return f"{model.name}_v{model.version}"


def model_paths() -> list[Path]:
    """Folders of all models: the bundled one first, then the installed ones by name."""
    home = models_home()
    if home.is_dir():
        clear_leftovers(home)
    installed = sorted(p for p in home.iterdir() if p.is_dir() and p.name[0] != ".") if home.is_dir() else []
    return [bundled_model_path(), *installed]


def find_model(choice: str | Path | None) -> ModelFolder:
    """The model a user means.

    Args:
        choice: A model folder, the name of an installed model, with or without version
            (``name_v1.2.0``), or None for the bundled one.

    Returns:
        The model, checked; of several versions under one name, the one with the highest number.

    Raises:
        ModelFolderError: There is no such model, or it is refused.
    """
    if choice is None:
        return read_model_folder(bundled_model_path())
    if choice == "":  # as a path it would be the current folder
        raise ModelFolderError(Message("model.not_found"))
    if Path(choice).is_dir():
        return read_model_folder(Path(choice))
    wanted = str(choice)
    if wanted == bundled_model_path().name:
        return read_model_folder(bundled_model_path())
    fitting = [p for p in model_paths()[1:] if p.name == wanted or p.name.rpartition("_v")[0] == wanted]
    if not fitting:
        raise ModelFolderError(Message("model.not_found"))
    return read_model_folder(max(fitting, key=_version))


def _version(path: Path) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", path.name.rpartition("_v")[2]))
