"""Outputs are written whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from PCNSLSurvivalLib.core.errors import OutputFolderError, with_causes
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.leftovers import clear_leftovers, owned, put_in_place, staging_name

_TORCH_CANNOT_WRITE = ("PytorchStreamWriter failed writing", "unexpected pos")


@contextmanager
def whole_folder(out: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """A staging folder that becomes ``out`` when the block ends well, and vanishes when it does not.

    The staging folder lies beside ``out``, so that the last step is a rename on one file system. With
    ``overwrite`` the earlier folder is deleted only once the new one is in place. What runs that were killed have
    left beside ``out`` is put right first (see ``core.storage.leftovers``).

    Args:
        out: Folder to make; its parents are made as needed.
        overwrite: Allow ``out`` to hold files, which the new folder replaces.

    Yields:
        The staging folder to write into.

    Raises:
        OutputFolderError: ``out`` is a file, holds files and ``overwrite`` is off, or cannot be written, or the disk
            is full before the block ends.
    """
    out = Path(out).absolute()
    clear_leftovers(out.parent)
    check_output_folder(out, overwrite=overwrite)
    made = [folder for folder in out.parents if not folder.exists()]
    staging = None
    try:
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            staging = staging_name(out)
            staging.mkdir()
        except OSError as problem:
            raise _not_writable(problem) from problem
        with owned(staging):  # until it is in its place
            try:
                yield staging
            except OSError as problem:
                if not tells_full_disk(problem):
                    raise
                raise OutputFolderError(Message("files.disk_full")) from problem
            try:
                put_in_place(staging, out)
            except OSError as problem:
                raise _not_writable(problem) from problem
    except BaseException:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
        for folder in made:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        raise


def unfinished_folder(out: Path) -> Path:
    """Where work that may be interrupted keeps what it has until ``out`` can be made of it: hidden, beside ``out``."""
    return out.with_name(f".{out.name}.unfinished")


def tells_full_disk(problem: BaseException | None) -> bool:
    """Whether an error, or one that led to it, says that a disk is full, or takes no file of that size."""
    for cause in with_causes(problem):
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return True
        # torch writes through C++ and keeps only the words.
        if isinstance(cause, RuntimeError) and any(words in str(cause) for words in _TORCH_CANNOT_WRITE):
            return True
    return False


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A staging file that becomes ``path`` when the block ends well, and vanishes when it does not.

    A reader finds the old content or the new, never a part; of several writers the last one wins.

    Args:
        path: File to make or replace; its folder is there.

    Yields:
        The file to write, beside ``path``.

    Raises:
        OSError: As the block raised it, or because the file cannot be put in its place.
    """
    clear_leftovers(path.parent)
    partial = staging_name(path)
    try:
        yield partial
        partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def write_whole_text(path: Path, text: str) -> None:
    """Write a text file as UTF-8, with the line ends of ``text``, whole or not at all.

    Raises:
        OutputFolderError: The file cannot be written.
    """
    try:
        with whole_file(path) as partial:
            partial.write_text(text, encoding="utf-8", newline="")
    except OSError as problem:
        raise _not_writable(problem) from problem


def claim_folder(out: Path, *, is_ours: bool) -> None:
    """Make a folder, or continue in one that an earlier run left; refuse any other.

    Args:
        out: Folder of a run that can be continued.
        is_ours: Whether the folder bears the marks of an earlier run.

    Raises:
        OutputFolderError: It is a file, holds other files, or cannot be written.
    """
    if out.exists() and not out.is_dir():
        raise OutputFolderError(Message("files.output_is_file"))
    if out.is_dir() and any(out.iterdir()) and not is_ours:
        raise OutputFolderError(Message("files.output_holds_others"))
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise _not_writable(problem) from problem
    clear_leftovers(out)


def check_output_path(path: Path) -> None:
    """Refuse a path that cannot be a file's: too long, with a NUL, or not UTF-8, which writers of volumes cannot take.

    Raises:
        OutputFolderError: It is one of these.
    """
    try:
        str(path).encode("utf-8")
        os.lstat(path)
    except (UnicodeEncodeError, ValueError) as problem:
        raise OutputFolderError(Message("files.impossible_path")) from problem
    except OSError as problem:
        if problem.errno == errno.ENAMETOOLONG:
            raise OutputFolderError(Message("files.impossible_path")) from problem


def check_output_folder(out: Path, *, overwrite: bool) -> None:
    """Refuse early, before minutes of work, what ``whole_folder`` could not write at the end.

    Raises:
        OutputFolderError: See ``whole_folder``.
    """
    if out.exists() and not out.is_dir():
        raise OutputFolderError(Message("files.output_is_file"))
    if out.is_dir() and any(out.iterdir()) and not overwrite:
        raise OutputFolderError(Message("files.output_not_empty"))
    nearest = next(folder for folder in (out, *out.parents) if folder.exists())
    if not nearest.is_dir():
        raise OutputFolderError(Message("files.output_inside_file"))
    try:
        with tempfile.TemporaryFile(dir=nearest if nearest != out else out.parent):
            pass
    except OSError as problem:
        raise _not_writable(problem) from problem


def refuse_foreign(out: Path, *, ours: Collection[str], mark: str, says: str = "") -> None:
    """Refuse, before minutes of work, to replace a folder that holds more than this software wrote there.

    Args:
        out: Folder that is to be replaced; it need not be there.
        ours: Names of everything that this software writes directly into it.
        mark: Path inside of a text file by which it is known.
        says: What that file contains, in any of ours.

    Raises:
        OutputFolderError: It is a file, or holds something else.
    """
    held = {path.name for path in out.iterdir()} if out.is_dir() else set()
    if not held and not out.is_file():
        return
    try:
        known = held <= set(ours) and says in (out / mark).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        known = False
    if not known:
        raise OutputFolderError(Message("files.results_place_taken", name=out.name))


def _not_writable(problem: OSError) -> OutputFolderError:
    reason = problem.strerror or type(problem).__name__
    return OutputFolderError(Message("files.output_not_writable", reason=reason))
