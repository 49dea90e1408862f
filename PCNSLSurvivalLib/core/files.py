"""Outputs are written whole or not at all."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from PCNSLSurvivalLib.core.errors import OutputFolderError

_RETRY = "Choose another folder with --out, or free this one, and try again."


@contextmanager
def whole_folder(out: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """A staging folder that becomes ``out`` when the block ends well, and vanishes when it does not.

    The staging folder lies beside ``out``, so that the last step is a rename on one file system. With
    ``overwrite`` the earlier folder is moved aside first and deleted only once the new one is in place.

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
    check_output_folder(out, overwrite=overwrite)
    made = [folder for folder in out.parents if not folder.exists()]
    staging = None
    try:
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            staging = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".partial", dir=out.parent))
            staging.chmod(0o755)
        except OSError as problem:
            raise _not_writable(problem) from problem
        try:
            yield staging
        except OSError as problem:
            if not tells_full_disk(problem):
                raise
            raise OutputFolderError(
                "The disk of the output folder is full. What was finished before is kept. Free some space and run the "
                "same command again."
            ) from problem
        try:
            _put_in_place(staging, out)
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
    """Whether an error, or one that led to it, says that a disk is full."""
    while problem is not None:
        if isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        # torch writes through C++ and keeps only the words.
        if isinstance(problem, RuntimeError) and "PytorchStreamWriter failed writing" in str(problem):
            return True
        problem = problem.__cause__ or problem.__context__
    return False


def write_whole_file(path: Path, text: str) -> None:
    """Write a text file that is there whole or not at all; an earlier one stays until it is replaced.

    Args:
        path: File to write; its folder is there.
        text: Content, written as UTF-8 with its own line ends.

    Raises:
        OutputFolderError: The file cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8", newline="")
        partial.replace(path)
    except OSError as problem:
        partial.unlink(missing_ok=True)
        raise _not_writable(problem) from problem


def check_output_folder(out: Path, *, overwrite: bool) -> None:
    """Refuse early, before minutes of work, what ``whole_folder`` could not write at the end.

    Raises:
        OutputFolderError: See ``whole_folder``.
    """
    if out.exists() and not out.is_dir():
        raise OutputFolderError("The output folder is a file. Choose a folder with --out and try again.")
    if out.is_dir() and any(out.iterdir()) and not overwrite:
        raise OutputFolderError(
            "The output folder already holds files; nothing was changed. Choose an empty folder with --out, "
            "or add --overwrite to replace what it holds."
        )
    nearest = next(folder for folder in (out, *out.parents) if folder.exists())
    if not nearest.is_dir():
        raise OutputFolderError("The output folder lies inside a file. Choose another folder with --out.")
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
        raise OutputFolderError(
            f"The place of the results, '{out.name}' in the output folder, holds other files; nothing was changed. "
            "Choose another folder with --out, or move these files elsewhere."
        )


def write_whole_text(path: Path, text: str) -> None:
    """Write a text file, UTF-8, so that whoever reads it finds the old content or the new, never a part.

    Raises:
        OutputFolderError: The file cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8", newline="\n")
        partial.replace(path)
    except OSError as problem:
        partial.unlink(missing_ok=True)
        raise _not_writable(problem) from problem


def _put_in_place(staging: Path, out: Path) -> None:
    if not out.exists():
        staging.rename(out)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".previous", dir=out.parent))
    out.rename(aside / out.name)
    try:
        staging.rename(out)
    except OSError:
        (aside / out.name).rename(out)
        aside.rmdir()
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _not_writable(problem: OSError) -> OutputFolderError:
    reason = problem.strerror or type(problem).__name__
    return OutputFolderError(f"The output folder cannot be written ({reason}). {_RETRY}")
