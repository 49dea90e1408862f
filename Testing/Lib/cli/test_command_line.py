import subprocess
import sys

import pytest


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


def test_the_version_is_one_number_everywhere():
    import tomllib
    from pathlib import Path

    import PCNSLSurvivalLib

    project = tomllib.loads((Path(__file__).resolve().parents[3] / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in project["project"]["dynamic"]
    assert PCNSLSurvivalLib.__version__ in _run("-m", "PCNSLSurvivalLib.cli", "--version").stdout
