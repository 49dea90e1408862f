"""``pcnsl-survival``: the entry point of all commands; also ``python -m PCNSLSurvivalLib.cli``."""

from __future__ import annotations

import argparse
import errno
import io
import json
import os
import select
import signal
import sys
from functools import cache
from pathlib import Path
from types import FrameType
from typing import NoReturn, TextIO

from PCNSLSurvivalLib.cli.clinic.demo import add_demo_command
from PCNSLSurvivalLib.cli.clinic.doctor import add_doctor_command
from PCNSLSurvivalLib.cli.clinic.explain import add_explain_command
from PCNSLSurvivalLib.cli.clinic.export import add_export_command
from PCNSLSurvivalLib.cli.clinic.follow_up import add_follow_up_command
from PCNSLSurvivalLib.cli.clinic.install_brain_extractor import add_install_brain_extractor_command
from PCNSLSurvivalLib.cli.clinic.model import add_model_command
from PCNSLSurvivalLib.cli.clinic.predict import add_predict_command
from PCNSLSurvivalLib.cli.clinic.regions import add_regions_command
from PCNSLSurvivalLib.cli.clinic.register import add_register_command
from PCNSLSurvivalLib.cli.clinic.segment import add_segment_command
from PCNSLSurvivalLib.cli.clinic.verify import add_verify_command
from PCNSLSurvivalLib.cli.options.help_text import CommandParser, commands_below, show_alike
from PCNSLSurvivalLib.cli.research.baselines import add_baselines_command
from PCNSLSurvivalLib.cli.research.cross_validate import add_cross_validate_command
from PCNSLSurvivalLib.cli.research.experiment import add_experiment_command
from PCNSLSurvivalLib.cli.research.finetune import add_finetune_command
from PCNSLSurvivalLib.cli.research.phantom import add_phantom_command
from PCNSLSurvivalLib.cli.research.predict_cohort import add_predict_cohort_command
from PCNSLSurvivalLib.cli.research.preprocess import add_preprocess_command
from PCNSLSurvivalLib.cli.research.pretrain import add_pretrain_command
from PCNSLSurvivalLib.cli.research.validate import add_validate_command
from PCNSLSurvivalLib.core import version
from PCNSLSurvivalLib.core.errors import OutputFolderError, PCNSLSurvivalError, RefusedElsewhereError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.optional_packages import missing_package
from PCNSLSurvivalLib.core.printable import printable
from PCNSLSurvivalLib.core.storage.files import check_output_path, tells_full_disk
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY

DONE, CRASHED, WRONG_USAGE, OUR_ERROR = 0, 1, 2, 3
INTERRUPTED = 130
PIPE_CLOSED = 128 + 13
"""As the shell tells of a program that a closed pipe ended."""

_OUTPUTS = ("out", "cache_dir", "key_images", "dicom", "pdf")
"""Options that name what is written."""


def main(arguments: list[str] | None = None, *, errors_as_json: bool = False) -> int:
    """Run one command.

    Args:
        arguments: Words of the command line; those of this process if left out.
        errors_as_json: Print an error on stdout as well, as a JSON line with its code and values; so does
            ``--progress json``.

    Returns:
        0 done; 2 wrong usage; 3 an error with its sentence on stderr; 130 interrupted; 141 the output pipe was closed,
        as after ``| head``; 1 an internal error.
    """
    # A console that lacks a letter, such as Windows' for ≤, shows a question mark instead of ending the run.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        try:
            return _run(arguments, errors_as_json=errors_as_json)
        finally:
            _flush_stdout()
    except OSError as problem:
        if tells_full_disk(problem):  # under --help or --version, which end before a command begins
            _discard(1)
            return _told(OutputFolderError(Message("files.disk_full")), as_json=False)
        if not (gone := _streams_without_reader(problem)):
            raise
        for number in gone:
            _discard(number)
        return PIPE_CLOSED


def _run(arguments: list[str] | None, *, errors_as_json: bool) -> int:
    args = command_line_parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        for name in _OUTPUTS:
            if isinstance(path := getattr(args, name, None), Path):  # phantom's --dicom is a switch
                check_output_path(path)
        code: int = args.run(args)
        _flush_stdout()
        return code
    except RefusedElsewhereError:
        return OUR_ERROR
    except PCNSLSurvivalError as problem:
        if args.debug:
            raise
        return _told(problem, as_json=errors_as_json or getattr(args, "progress", None) == "json")
    except KeyboardInterrupt:
        print("pcnsl-survival: Interrupted. No partial output was written.", file=sys.stderr)
        return INTERRUPTED
    except Exception as problem:
        if args.debug or _streams_without_reader(problem):
            raise
        known: PCNSLSurvivalError | None = missing_package(problem, args.command)
        if isinstance(problem, OSError) and problem.errno == errno.ENAMETOOLONG:
            known = PCNSLSurvivalError(Message("files.long_path"))
        if tells_full_disk(problem):  # whatever was being written
            known = OutputFolderError(Message("files.disk_full"))
            if not _stdout_takes_text():
                _discard(1)
        if known is not None:
            return _told(known, as_json=errors_as_json or getattr(args, "progress", None) == "json")
        print(
            f"pcnsl-survival: Internal error ({type(problem).__name__}). No partial output was written. Run the same "
            "command with --debug and report its output.",
            file=sys.stderr,
        )
        return CRASHED


def _flush_stdout() -> None:
    """Write what stdout still keeps: a closed pipe or a full disk is noticed here, and not when Python ends."""
    if sys.stdout is not None:  # None: closed before the start, as by ``>&-``
        sys.stdout.flush()


def _stdout_takes_text() -> bool:
    try:
        _flush_stdout()
    except OSError:
        return False
    return True


def _discard(number: int) -> None:
    """Send what an output stream still keeps nowhere, so that it raises no second error when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), number)


def _streams_without_reader(problem: BaseException) -> list[int]:
    """Which of stdout (1) and stderr (2) are pipes that the other end has closed, as after ``| head``.

    Args:
        problem: What was raised; only a failed write asks for the streams.
    """
    # Windows calls a pipe without reader an invalid argument.
    if not isinstance(problem, OSError) or problem.errno not in (errno.EPIPE, errno.EINVAL):
        return []
    return [number for number, stream in ((1, sys.stdout), (2, sys.stderr)) if _has_no_reader(number, stream)]


def _has_no_reader(number: int, stream: TextIO | None) -> bool:
    if stream is None:
        return False
    if not hasattr(select, "poll"):  # Windows: what could not be written fails again
        try:
            stream.flush()
        except OSError as problem:
            return problem.errno in (errno.EPIPE, errno.EINVAL)
        return False
    poll = select.poll()
    poll.register(number, select.POLLOUT)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _told(problem: PCNSLSurvivalError, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"type": "error", **problem.to_json()}), flush=True)
    print(f"pcnsl-survival: {printable(str(problem))}", file=sys.stderr)
    return OUR_ERROR


@cache  # for programs that run several commands
def command_line_parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    parser: argparse.ArgumentParser = CommandParser(
        prog="pcnsl-survival",
        description="One-year overall survival of primary CNS lymphoma from post-contrast T1 MRI, with the "
        f"activation map overlaid on the patient's slices. {RESEARCH_USE_ONLY}",
    )
    parser.add_argument("--version", action="version", version=f"pcnsl-survival {version.__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", required=True, metavar="COMMAND")
    for add_command in (
        add_predict_command,
        add_predict_cohort_command,
        add_segment_command,
        add_register_command,
        add_follow_up_command,
        add_regions_command,
        add_explain_command,
        add_export_command,
        add_verify_command,
        add_demo_command,
        add_install_brain_extractor_command,
        add_doctor_command,
        add_model_command,
        add_phantom_command,
        add_preprocess_command,
        add_pretrain_command,
        add_finetune_command,
        add_cross_validate_command,
        add_baselines_command,
        add_experiment_command,
        add_validate_command,
    ):
        add_command(commands)
    debug = "show the full traceback of an error"
    parser.add_argument("--debug", action="store_true", help=debug)
    for command in commands_below(parser):
        # It counts wherever it stands: a default of its own would undo what was said before the command's name.
        command.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=debug)
        show_alike(command)
    return parser


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """Let a polite kill clean up as Ctrl+C does."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
