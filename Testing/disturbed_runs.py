"""Commands that are killed at random moments, or find the disk full: nothing lost, a sentence, nothing left over.

Usage: ``python Testing/disturbed_runs.py kills [--count N] [--seed S] [--only NAME ...]`` and
``python Testing/disturbed_runs.py full-disk [--only NAME ...] [--mount]``. A count of each kind is printed.

Every run is a fork of this process, which has loaded the libraries and computed nothing: it takes seconds. Half of the
kills come before a random one of the run's own file operations (writing, renaming, removing), where most harm could
be done; the others after a random time, and so within filters, training and writers in C++.

A full disk is a limit on the size of a file (``RLIMIT_FSIZE``): writing beyond it fails in Python and in C++ alike.
With ``--mount``, where the system lets this user mount one, it is a file system of a few hundred kilobytes.
"""

# ruff: noqa: E402 — the environment comes before the libraries

from __future__ import annotations

import argparse
import getpass
import hashlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"):
    os.environ[variable] = "1"
sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent / "Lib")]

import SimpleITK as sitk
import torch  # noqa: F401  loaded before the forks
from made_cohorts import made_cohort
from made_experiments import one_arm
from made_heads import made_head, made_table
from made_models import small_model

from PCNSLSurvivalLib.cli.__main__ import main as command_line
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.models.model_zip import export_model

Words = Callable[[Path, Path], list[str]]
"""The words of the command from the folder of inputs and the output."""


@dataclass(frozen=True)
class Command:
    """One command, and how its output is compared.

    Attributes:
        words: Of the command line.
        out: Name of the output within its own folder.
        again: What is added when the same command is to replace or complete what is there.
        kept: Whether an earlier whole output lies there when the run is killed, and must be there whole afterwards.
        compared: Which files of the output are the same in every run.
    """

    words: Words
    out: str
    again: tuple[str, ...] = ()
    kept: bool = False
    compared: tuple[str, ...] = ("*",)


def _scan(inputs: Path) -> list[str]:
    return ["--t1gd", str(inputs / "t1gd.nrrd"), "--model", str(inputs / "small"), "--progress", "none"]


COMMANDS = {
    "predict": Command(
        lambda inputs, out: ["predict", *_scan(inputs), "--already-stripped", "--out", str(out)],
        "result",
        ("--overwrite",),
        kept=True,
        compared=("activation_*.nii.gz", "evidence_cells.nii.gz", "*_preprocessed.nii.gz", "*mask*"),
    ),
    "preprocess": Command(
        lambda inputs, out: [
            "preprocess",
            str(inputs / "cohort" / "patients.csv"),
            "--out",
            str(out),
            "--progress",
            "none",
        ],
        "prepared",
        compared=("cases.csv", "cohort.json", "*.nii.gz"),
    ),
    "experiment": Command(
        lambda inputs, out: [
            *("experiment", str(inputs / "plan.yaml"), "--cohort", str(inputs / "pcnsl")),
            *("--out", str(out), "--device", "cpu"),
        ],
        "experiment",
        compared=("results/*.csv",),
    ),
    "import": Command(
        lambda inputs, out: ["model", "import", str(inputs / "small.zip")], "home", ("--overwrite",), kept=True
    ),
    "export": Command(lambda inputs, out: ["model", "export", str(inputs / "small"), str(out)], "model.zip"),
    "export onnx": Command(
        lambda inputs, out: ["model", "export", str(inputs / "small"), str(out)], "model.onnx", compared=()
    ),
    "export bundle": Command(
        lambda inputs, out: ["model", "export", str(inputs / "small"), str(out), "--monai"], "bundle", compared=()
    ),
    "explain": Command(
        lambda inputs, out: ["explain", *_scan(inputs), "--already-stripped", "--out", str(out)],
        "result",
        ("--overwrite",),
        compared=("*mask*",),
    ),
    "segment": Command(
        lambda inputs, out: [
            *("segment", "--t1gd", str(inputs / "t1gd.nrrd"), "--already-stripped"),
            *("--out", str(out), "--progress", "none"),
        ],
        "outline",
        ("--overwrite",),
        compared=("*.nii.gz",),
    ),
    "predict-cohort": Command(
        lambda inputs, out: [
            *("predict-cohort", str(inputs / "cohort" / "patients.csv"), "--model", str(inputs / "small")),
            *("--out", str(out), "--progress", "none"),
        ],
        "results",
        compared=("predictions.csv",),
    ),
    "key images": Command(
        lambda inputs, out: [
            *("export", str(inputs / "whole" / "result"), "--t1gd", str(inputs / "t1gd.nrrd")),
            *("--key-images", str(out)),
        ],
        "pictures",
        ("--overwrite",),
        compared=(),
    ),
}
KILLED = ("predict", "preprocess", "experiment", "import", "export")


class Bench:
    """Inputs, one undisturbed output of every command, and the folder that the disturbed runs write into."""

    def __init__(self, root: Path) -> None:
        self.inputs, self.place, self.temporary = root / "inputs", root / "place", root / "temporary"
        for folder in (self.inputs, self.temporary):
            folder.mkdir()
        os.environ["PCNSL_SURVIVAL_HOME"] = str(self.place / "home")
        os.environ["TMPDIR"] = tempfile.tempdir = str(self.temporary)
        assert self._fork(self._make) == 0
        self.seconds: dict[str, float] = {}
        self.operations: dict[str, int] = {}
        self.whole: dict[str, dict[str, str]] = {}

    def _make(self) -> int:
        scans, brain, _ = made_head(1, shift_mm=0.0)
        sitk.WriteImage(sitk.Mask(scans[MRSequence.T1GD], brain), str(self.inputs / "t1gd.nrrd"))
        made_table(self.inputs / "cohort", 2, stripped=True)
        made_cohort(self.inputs / "pcnsl", patients=12, censored=2, seed=1, sequences=(MRSequence.T1GD,))
        (self.inputs / "plan.yaml").write_text(one_arm(epochs=2), encoding="utf-8")
        export_model(small_model(self.inputs / "small"), self.inputs / "small.zip")
        return 0

    def run_whole(self, name: str) -> None:
        """The undisturbed run: its output, its time, and how many file operations it has."""
        self.clear()
        counted = self.temporary / "count"
        begin = time.perf_counter()
        code = self.run(name, before=lambda: _count_operations(self.place, counted))
        assert code == 0, f"{name} ended with {code}: {self.said()}"
        self.seconds[name] = time.perf_counter() - begin
        self.operations[name] = int(counted.read_text() or 0)
        counted.unlink()
        self.whole[name] = self.digest(name)
        shutil.rmtree(self.inputs / "whole" / COMMANDS[name].out, ignore_errors=True)
        shutil.copytree(self.place, self.inputs / "whole", dirs_exist_ok=True)

    def clear(self) -> None:
        """An empty place."""
        if self.place.is_mount():
            for path in self.place.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        else:
            shutil.rmtree(self.place, ignore_errors=True)
            self.place.mkdir()

    def put_whole(self, name: str) -> None:
        """The output of the undisturbed run as one of an earlier run."""
        source, target = self.inputs / "whole" / COMMANDS[name].out, self.place / COMMANDS[name].out
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)

    def digest(self, name: str) -> dict[str, str]:
        """SHA-256 of the compared files of an output."""
        command = COMMANDS[name]
        out = self.place / command.out
        if out.is_file():
            return {out.name: hashlib.sha256(out.read_bytes()).hexdigest()} if command.compared else {}
        found = (path for path in sorted(out.rglob("*")) if path.is_file())
        return {
            str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in found
            if any(path.relative_to(out).match(pattern) for pattern in command.compared)
            and not any(part.startswith(".") for part in path.relative_to(out).parts)
        }

    def leftovers(self) -> list[str]:
        """Hidden or temporary files that would stay until a person removes them."""
        marks = (".partial", ".previous", ".unfinished")
        hidden = [path for path in self.place.rglob("*") if path.name.endswith(marks) or path.name.startswith("tmp")]
        others = ("said.txt", f"torchinductor_{getpass.getuser()}")  # torch's own cache, empty
        return sorted(path.name for path in (*hidden, *self.temporary.iterdir()) if path.name not in others)

    def run(self, name: str, *more: str, before: Callable[[], None] = lambda: None) -> int:
        """Run a command to its end in a fork; its exit code, or minus the signal that ended it."""
        return self._wait(self.start(name, *more, before=before))

    def start(self, name: str, *more: str, before: Callable[[], None] = lambda: None) -> int:
        """Start a command in a fork of its own session; the number of its process."""
        command = COMMANDS[name]
        words = [*command.words(self.inputs, self.place / command.out), *more]

        def work() -> int:
            before()
            return command_line(words)

        return self._forked(work)

    def said(self) -> str:
        """What the last run wrote to its terminal."""
        return (self.temporary / "said.txt").read_text(encoding="utf-8", errors="replace")

    def _fork(self, work: Callable[[], int]) -> int:
        return self._wait(self._forked(work))

    def _forked(self, work: Callable[[], int]) -> int:
        process = os.fork()
        if process:
            return process
        code = 99
        try:
            os.setsid()
            said = os.open(self.temporary / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(said, 1)
            os.dup2(said, 2)
            code = work()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    @staticmethod
    def _wait(process: int) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


_CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod"}


def _on_operation(place: Path, then: Callable[[], None]) -> None:
    """Call a function before every operation that changes something below a folder."""
    within = str(place)

    def heard(event: str, given: tuple[object, ...]) -> None:
        if event == "open":
            writes = isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        else:
            writes = event in _CHANGES
        if writes and given and isinstance(given[0], str | os.PathLike) and str(given[0]).startswith(within):
            then()

    sys.addaudithook(heard)


def _count_operations(place: Path, told: Path) -> None:
    seen = [0]

    def count() -> None:
        seen[0] += 1
        told.write_text(str(seen[0]))

    _on_operation(place, count)


def _kill_before(place: Path, number: int) -> None:
    seen = [0]

    def count() -> None:
        seen[0] += 1
        if seen[0] == number:
            os.kill(os.getpid(), signal.SIGKILL)

    _on_operation(place, count)


def kill_once(bench: Bench, name: str, draw: random.Random) -> str:
    """Kill one run of a command at a random moment, look at what is there, and start it again.

    Returns:
        "before a file operation", "after a time", or "ended before": the run was too quick for its kill.

    Raises:
        AssertionError: Something was lost, the next start needs help, or something stays behind.
    """
    command = COMMANDS[name]
    bench.clear()
    if command.kept:
        bench.put_whole(name)
    more = command.again if command.kept else ()
    if draw.random() < 0.5:
        number = draw.randint(1, max(1, bench.operations[name]))
        moment, code = (
            "before a file operation",
            bench.run(name, *more, before=lambda: _kill_before(bench.place, number)),
        )
    else:
        process, moment = bench.start(name, *more), "after a time"
        time.sleep(draw.uniform(0.0, bench.seconds[name]))
        try:
            os.killpg(process, signal.SIGKILL)
        except ProcessLookupError:  # killed before it could make its session
            os.kill(process, signal.SIGKILL)
        code = Bench._wait(process)
    if code == 0:
        moment = "ended before"
    else:
        assert code == -signal.SIGKILL, f"{name} ended with {code}: {bench.said()}"
    if command.kept:
        assert bench.digest(name) == bench.whole[name], f"{name}: the earlier or the new output is not whole"
    out = bench.place / command.out
    if name == "export" and out.exists():
        with zipfile.ZipFile(out) as archive:
            assert archive.testzip() is None
        out.unlink()
    code = bench.run(name, *more)
    assert code == 0, f"{name}: the next start ended with {code}: {bench.said()}"
    assert bench.digest(name) == bench.whole[name], f"{name}: the next start made something else"
    assert not bench.leftovers(), f"{name} left {bench.leftovers()}"
    return moment


def kills(bench: Bench, names: list[str], count: int, seed: int) -> None:
    """Kill runs of all commands in turn, and print how many."""
    draw = random.Random(seed)
    for name in names:
        bench.run_whole(name)
    told: Counter[str] = Counter()
    for number in range(count):
        told[kill_once(bench, names[number % len(names)], draw)] += 1
        print(f"{number + 1}/{count} {names[number % len(names)]}", file=sys.stderr, flush=True)
    for moment, times in sorted(told.items()):
        print(f"{times} {moment}")
    print(f"{count} kills over {', '.join(names)}: nothing lost, nothing left over.")


LIMITS_BYTES = (0, 300, 4_000, 40_000, 400_000)
"""Each lets other writers through."""


@contextmanager
def small_disk(place: Path, size_kb: int) -> Iterator[None]:
    """A file system of that size at a folder."""
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", place], check=True)


def _limit(size_bytes: int) -> None:
    # Without a handler the signal would end the process; ignored, the write fails with EFBIG.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, size_bytes))


def check_full(bench: Bench, name: str, code: int) -> bool:
    """Whether the run was stopped; one that was stopped has a sentence and left nothing.

    Raises:
        AssertionError: It has none, or it did.
    """
    said = bench.said()
    if code == 0:
        return False
    assert code == 3, f"it ended with {code}: {said}"
    assert "Traceback" not in said, said
    assert "Internal error" not in said, said
    # What is said of one case of a cohort begins with a mark and its name.
    assert "pcnsl-survival: " in said or "\n! p1: " in said, f"no sentence: {said}"
    # Finished epochs of an experiment are kept for the next run, which removes them.
    left = [path for path in bench.leftovers() if not path.endswith(".unfinished")]
    assert not left, f"{name} left {left}"
    return True


def full_disk(bench: Bench, names: list[str], *, mount: bool) -> None:
    """Let every command find the disk full, earlier and later, and print how many runs were stopped."""
    for name in ("predict", *names):
        if name not in bench.whole:
            bench.run_whole(name)
    stopped: Counter[str] = Counter()
    faults = []
    for name in names:
        for size in LIMITS_BYTES:
            bench.clear()
            try:
                if mount:
                    with small_disk(bench.place, max(16, size // 1000)):
                        stopped[name] += check_full(bench, name, bench.run(name))
                else:
                    stopped[name] += check_full(bench, name, _run_limited(bench, name, size))
            except AssertionError as problem:
                faults.append(f"{name}, {size} bytes: {problem}")
        print(f"{name}: {stopped[name]} of {len(LIMITS_BYTES)} stopped with a sentence", flush=True)
    assert not faults, "\n".join(faults)
    assert all(stopped[name] for name in names), "a command was never stopped"


def _run_limited(bench: Bench, name: str, size: int) -> int:
    """Run a command with a limit on files, its terminal being a pipe, which has none."""
    read, write = os.pipe()

    def before() -> None:
        os.close(read)
        sys.stdout, sys.stderr = os.fdopen(os.dup(write), "w"), os.fdopen(write, "w")
        os.dup2(sys.stderr.fileno(), 1)
        os.dup2(sys.stderr.fileno(), 2)
        _limit(size)

    process = bench.start(name, before=before)
    os.close(write)
    with os.fdopen(read, "rb") as told:
        said = told.read()
    (bench.temporary / "said.txt").write_bytes(said)
    return Bench._wait(process)


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("kills", "full-disk"))
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=tuple(COMMANDS))
    parser.add_argument("--mount", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        bench = Bench(Path(root))
        if args.kind == "kills":
            kills(bench, args.only or list(KILLED), args.count, args.seed)
        else:
            full_disk(bench, args.only or list(COMMANDS), mount=args.mount)
    return 0


if __name__ == "__main__":
    sys.exit(main())
