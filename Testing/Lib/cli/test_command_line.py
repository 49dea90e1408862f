import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from refusals import refusal

from PCNSLSurvivalLib.cli.__main__ import command_line_parser, main
from PCNSLSurvivalLib.cli.display.progress import listener_for
from PCNSLSurvivalLib.cli.options.help_text import commands_below
from PCNSLSurvivalLib.core.errors import ModelFolderError
from PCNSLSurvivalLib.core.optional_packages import EXTRAS, missing_package
from PCNSLSurvivalLib.core.terms import READER_RESPONSES, RESEARCH_USE_ONLY

ROOT = Path(__file__).resolve().parents[3]


def _run(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True)


def test_the_command_line_loads_neither_torch_nor_monai_to_help():
    code = (
        "import sys, contextlib\n"
        "import PCNSLSurvivalLib\n"
        "from PCNSLSurvivalLib.cli.__main__ import main\n"
        "with contextlib.suppress(SystemExit): main(['--help'])\n"
        "print('LOADED', sorted({'torch', 'monai', 'SimpleITK', 'scipy'} & set(sys.modules)))\n"
    )
    done = _run("-c", code)
    assert done.stdout.splitlines()[-1] == "LOADED []"
    assert "predict" in done.stdout


@pytest.mark.parametrize("words", [[], ["predict"], ["nonsense"], ["predict", "--t1gd", "a"]])
def test_wrong_usage_ends_with_two(words):
    done = _run("-m", "PCNSLSurvivalLib.cli", *words)
    assert done.returncode == 2
    assert "usage" in done.stderr


@pytest.mark.parametrize("words", ["predict --t1gd t1gd.nii --overwrite --out=", "predict-cohort --out x", "export"])
def test_an_empty_path_is_not_the_current_folder(words, capsys):
    with pytest.raises(SystemExit) as end:
        main([*words.split(), *([] if words.endswith("=") else [""])])
    assert end.value.code == 2
    assert "the path is empty" in capsys.readouterr().err


def test_the_version_is_one_number_everywhere():
    import PCNSLSurvivalLib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in project["project"]["dynamic"]
    assert PCNSLSurvivalLib.__version__ in _run("-m", "PCNSLSurvivalLib.cli", "--version").stdout


def _help(capsys, *words: str) -> str:
    with pytest.raises(SystemExit):
        main([*words, "--help"])
    return " ".join(capsys.readouterr().out.split())


def test_help_states_defaults_and_the_use(capsys):
    for command in ("preprocess", "experiment", "model", "model untrained", "doctor", "predict"):
        assert _help(capsys, *command.split()).count(RESEARCH_USE_ONLY) == 1, command
    told = _help(capsys, "preprocess")
    assert "about 1.2 GB each (default 1)" in told
    assert "threshold of the OS classes in the report (default 365)" in told
    assert "(default 2000)" in _help(capsys, "validate")
    assert "(default auto)" in _help(capsys, "predict")
    assert "default 5) " in _help(capsys, "baselines")
    assert "default [" not in _help(capsys, "experiment")


def test_help_explains_what_a_reader_may_enter(capsys):
    told = _help(capsys, "follow-up")
    for short in READER_RESPONSES:
        assert f"({short})" in told


@pytest.mark.parametrize("words", ["--debug model check none", "model --debug check none", "model check none --debug"])
def test_debug_shows_the_traceback_wherever_it_stands(words):
    with pytest.raises(ModelFolderError):
        main(words.split())


def test_every_command_and_action_knows_debug():
    unknown = [one.prog for one in commands_below(command_line_parser()) if "--debug" not in one.format_help()]
    assert unknown == []


def test_every_command_and_action_says_what_it_does():
    silent = [
        one.prog
        for one in commands_below(command_line_parser())
        if (one.description or "").startswith(RESEARCH_USE_ONLY)
    ]
    assert silent == []
    (model,) = [one for one in commands_below(command_line_parser()) if one.prog.endswith(" model import")]
    assert (model.description or "").startswith("Install a model from a zip file.")


# --- an installation without extras ------------------------------------------------------------------------------

_WITHOUT = """
import sys
from importlib.machinery import PathFinder
class Absent(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.split(".")[0] in {absent!r} else super().find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(PathFinder)] = Absent
from PCNSLSurvivalLib.cli.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def _without(absent: tuple[str, ...], *words: str) -> subprocess.CompletedProcess:
    return _run("-c", _WITHOUT.format(absent=absent), *words)


@pytest.mark.parametrize(
    "words",
    [
        ("experiment", "plan.yaml", "--cohort", "none", "--out", "new", "--dry-run"),
        ("validate", "demonstration", "none", "--out", "new"),
        ("pretrain", "none", "--out", "new"),
        ("finetune", "none", "--init-weights", "none", "--out", "new"),
        ("cross-validate", "none", "--out", "new"),
    ],
)
def test_a_command_without_its_packages_says_what_to_install(words):
    done = _without(tuple({**EXTRAS["training"], **EXTRAS["research"]}), *words)
    assert done.returncode == 3, done.stderr
    packages = {**EXTRAS["training"], **EXTRAS["research"]}.values()
    told = {"command": words[0], "extras": "training,research"}
    assert done.stderr in [refusal("installation.package_missing", package=package, **told) for package in packages]


def test_another_missing_module_stays_an_internal_error():
    assert missing_package(ModuleNotFoundError(name="jinja3"), "predict") is None
    # matplotlib is there: a part of it that is not is an error of this software.
    pytest.importorskip("matplotlib")
    assert missing_package(ModuleNotFoundError(name="matplotlib.nothing"), "predict") is None


def test_the_table_of_extras_is_that_of_the_package():
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for extra, packages in EXTRAS.items():
        names = {requirement.split(">")[0].split("=")[0].split("<")[0] for requirement in stated[extra]}
        assert set(packages.values()) == names, extra
    assert set(stated) - set(EXTRAS) == {"docs", "dev"}


# --- a reader that stops early -----------------------------------------------------------------------------------


_AFTER_A_LINE = """
import sys
sys.stdin.readline()
{before}
from PCNSLSurvivalLib.cli.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
_AS_WINDOWS = """
import errno, io, select
del select.poll
class Pipe(io.FileIO):
    def write(self, text):
        try:
            return super().write(text)
        except BrokenPipeError:
            raise OSError(errno.EINVAL, "Invalid argument") from None
sys.stdout = io.TextIOWrapper(io.BufferedWriter(Pipe(1, "w", closefd=False)))
"""


def _with_closed_stdout(words, unbuffered="", before=""):
    """Exit status and stderr of a command whose reader left before its first line."""
    with subprocess.Popen(
        [sys.executable, "-c", _AFTER_A_LINE.format(before=before), *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
    ) as child:
        child.stdout.close()
        _, said = child.communicate(b"\n")
    return child.returncode, said


@pytest.mark.parametrize("words", [("model", "show"), ("--help",)])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_closed_pipe_ends_a_command_quietly(words, unbuffered):
    if sys.platform == "win32" and unbuffered:
        pytest.skip("Windows tells of a pipe without reader only while text waits in the buffer")
    code, said = _with_closed_stdout(words, unbuffered)
    assert said == b""
    # argparse passes over what it cannot print.
    assert code == 141 or (words, unbuffered) == (("--help",), "1")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows itself answers in the test above")
def test_a_closed_pipe_ends_a_command_quietly_where_it_is_an_invalid_argument():
    assert _with_closed_stdout(("model", "show"), before=_AS_WINDOWS) == (141, b"")


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_command_without_an_output_stream_does_its_work(monkeypatch, stream):
    """Python has None where a stream was closed before the start, as by ``>&-``."""
    monkeypatch.setattr(sys, stream, None)
    assert main(["model", "show"]) == 0
    listener_for("auto")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the full disk of Linux, /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", ["model show", "--help", "model --help", "--version"])
def test_a_full_disk_under_stdout_is_told(words, unbuffered):
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "PCNSLSurvivalLib.cli", *words.split()]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment)
    assert done.returncode == 3
    assert done.stderr == refusal("files.disk_full")
