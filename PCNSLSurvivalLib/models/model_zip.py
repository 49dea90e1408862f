"""A model as one zip file: written the same way every time, and read without trusting a single name in it."""

from __future__ import annotations

import re
import shutil
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from PCNSLSurvivalLib.core.errors import ModelFolderError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.files import whole_file
from PCNSLSurvivalLib.core.storage.leftovers import clear_leftovers, owned, put_in_place, staging_name
from PCNSLSurvivalLib.imaging.headers.regular_files import kind_of
from PCNSLSurvivalLib.models.installed_models import installed_folder_name, models_home
from PCNSLSurvivalLib.models.model_folder import METADATA, ModelFolder, read_model_folder

_FILE = re.compile(r"(LICENSE|configs/[a-z]+\.json|docs/(README\.md|data_license\.txt)|models/member_\d+\.safetensors)")
_MEMBER_LIMIT_BYTES = 300_000_000  # ResNet-34 of full width has 254 MB
_TEXT_LIMIT_BYTES = 1_000_000
_FILES_LIMIT = 60
_DAMAGED = (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError, struct.error, zlib.error)
"""What Python's reader raises over a damaged file; a name that is not UTF-8 is a ValueError."""


def export_model(model: ModelFolder, zip_path: Path) -> None:
    """Write a model as one zip file; the same model always gives the same bytes.

    Args:
        model: Which one; its weights are checked first.
        zip_path: File to make.

    Raises:
        ModelFolderError: The weights are damaged, or the file is there already or cannot be written.
    """
    model.load_members()
    if zip_path.exists():
        raise ModelFolderError(Message("zip.exists"))
    try:
        with whole_file(zip_path) as partial, zipfile.ZipFile(partial, "w") as archive:
            for name in sorted([METADATA, *model.files]):
                entry = zipfile.ZipInfo(f"{model.name}/{name}", date_time=(2020, 1, 1, 0, 0, 0))
                entry.external_attr = (stat.S_IFREG | 0o644) << 16
                # Weights are numbers without pattern: packing them saves a tenth and costs seconds.
                packed = zipfile.ZIP_STORED if name in model.members else zipfile.ZIP_DEFLATED
                archive.writestr(entry, (model.path / name).read_bytes(), compress_type=packed)
    except OSError as problem:
        raise ModelFolderError(
            Message("zip.not_written", reason=problem.strerror or type(problem).__name__)
        ) from problem


def import_model(zip_path: Path, *, overwrite: bool = False) -> ModelFolder:
    """Install a model from a zip file, after every check that a model folder goes through.

    Args:
        zip_path: A zip file with one model folder in it, or with the content of one.
        overwrite: Replace the same version of the same model.

    Returns:
        The installed model.

    Raises:
        ModelFolderError: The file is no zip file, something in it is no part of a model, or the model is refused;
            nothing is installed then.
    """
    try:
        models_home().mkdir(parents=True, exist_ok=True)
        clear_leftovers(models_home())
        staging = staging_name(models_home() / "import")
        staging.mkdir()
        try:
            folder = staging / "model"
            with owned(staging):
                _unpack(zip_path, folder)
            model = read_model_folder(folder)
            model.load_members()
            return _put_beside_the_others(folder, model, overwrite=overwrite)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as problem:
        raise ModelFolderError(
            Message("zip.not_installed", reason=problem.strerror or type(problem).__name__)
        ) from problem


def _unpack(zip_path: Path, folder: Path) -> None:
    try:
        if kind_of(zip_path) == "other":
            raise zipfile.BadZipFile  # a pipe would be waited for without end
        with zipfile.ZipFile(zip_path) as archive:
            for name, entry in _checked_entries(archive).items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                with archive.open(entry) as packed, (folder / name).open("wb") as plain:
                    shutil.copyfileobj(packed, plain)
    except _DAMAGED as problem:
        raise ModelFolderError(Message("zip.unreadable")) from problem


def _put_beside_the_others(staged: Path, model: ModelFolder, *, overwrite: bool) -> ModelFolder:
    target = models_home() / installed_folder_name(model)
    if target.exists() and not overwrite:
        raise ModelFolderError(Message("zip.installed_already", version=model.version, name=model.name))
    put_in_place(staged, target)
    return read_model_folder(target)


def _checked_entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Members of the zip by their place in the model folder; every name is on a list of what a model holds."""
    files = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
    if not all(PurePosixPath(entry.filename).parts for entry in files):  # is_dir() fails on an empty name
        raise _refused(Message("zip_refusal.no_name"))
    if not 0 < len(files) <= _FILES_LIMIT:
        raise _refused(Message("zip_refusal.file_count"))
    top = PurePosixPath(files[0].filename).parts[0] + "/"
    if not all(entry.filename.startswith(top) for entry in files):
        top = ""
    checked: dict[str, zipfile.ZipInfo] = {}
    for entry in files:
        name = entry.filename[len(top) :]
        if ".." in PurePosixPath(entry.filename).parts or not _FILE.fullmatch(name):
            raise _refused(Message("zip_refusal.no_place", entry=entry.filename[:60]))
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            raise _refused(Message("zip_refusal.link", entry=name))
        limit = _MEMBER_LIMIT_BYTES if name.startswith("models/") else _TEXT_LIMIT_BYTES
        if entry.file_size > limit:
            raise _refused(Message("zip_refusal.too_large", entry=name))
        if name in checked:
            raise _refused(Message("zip_refusal.twice", entry=name))
        checked[name] = entry
    if sum(entry.file_size for entry in files) > 4 * sum(entry.compress_size for entry in files) + 4_000_000:
        raise _refused(Message("zip_refusal.unpacks_to_more"))
    return checked


def _refused(reason: Message) -> ModelFolderError:
    return ModelFolderError(Message("zip.refused", reason=reason))
