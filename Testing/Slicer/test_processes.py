"""Our child process: its lines and its end, whatever Slicer does with the signals of children."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import weakref

import pytest
from made_scenes import Wait, add_head, child_processes


@pytest.fixture
def child(standin):
    from PCNSLSurvivalUI.process import child

    return child


@pytest.fixture
def cli_module():
    """Starts a CLI module that takes so many seconds."""
    import slicer
    from slicer_standin import cli

    def start(seconds):
        cli.plans["n4itkbiasfieldcorrection"] = {"seconds": seconds, "quick": True}
        corrected = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
        parameters = {"inputImageName": add_head("T1 Gd"), "outputImageName": corrected}
        return cli.run(slicer.modules.n4itkbiasfieldcorrection, None, parameters, update_display=False)

    return start


def _python(code):
    return [sys.executable, "-c", code]


def _run(child, code):
    lines, ends, wait = [], [], Wait()
    child.ChildProcess(_python(code), lines.append, ends.append)
    wait.until(lambda: ends)
    return lines, ends, wait


# --- Slicer's trap, and Qt in it ----------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["module", "process"])
def test_qts_own_process_class_never_hears_of_the_end_beside_a_module(standin, cli_module, first):
    """Seen in Slicer 5.8.1, in both orders; a later end of an unrelated child frees the second kind."""
    import qt

    wait, ended, process = Wait(), [], qt.QProcess()
    process.connect("finished(int,QProcess::ExitStatus)", lambda code, status: ended.append(code))
    words = (sys.executable, ["-c", "input()"])
    if first == "process":
        process.start(*words)
    node = cli_module(60)
    wait.until(lambda: node.GetStatus() == node.Running)
    if first == "module":
        process.start(*words)
        node.Cancel()
        wait.until(lambda: not node.IsBusy())
    process.write(b"\n")
    wait.until(lambda: len(child_processes()) == (first == "process"))
    node.Cancel()
    wait.until(lambda: not node.IsBusy() and not child_processes())
    wait.some(0.3)
    assert ended == []
    other = qt.QProcess()
    other.start(sys.executable, ["-c", ""])
    wait.some(0.5)
    assert ended == ([] if first == "module" else [0])


def test_qts_own_process_class_ends_where_no_module_runs(standin):
    import qt

    ended, process = [], qt.QProcess()
    process.connect("finished(int,QProcess::ExitStatus)", lambda code, status: ended.append(code))
    process.start(sys.executable, ["-c", "raise SystemExit(3)"])
    Wait().until(lambda: ended)
    assert ended == [3]


@pytest.mark.parametrize("first", ["module", "process"])
def test_the_end_of_our_process_is_noticed_beside_a_module(child, cli_module, first):
    wait, ends, lines = Wait(), [], []
    code = _python("import os; print(flush=True); os.read(0, 1)")
    if first == "process":
        running = child.ChildProcess(code, lines.append, ends.append)
    node = cli_module(60)
    wait.until(lambda: node.GetStatus() == node.Running)
    if first == "module":
        running = child.ChildProcess(code, lines.append, ends.append)
        node.Cancel()
        wait.until(lambda: not node.IsBusy())
    wait.until(lambda: lines)
    assert running.tell(b"x")
    wait.until(lambda: ends)
    assert ends == [0]
    node.Cancel()
    wait.until(lambda: not node.IsBusy())


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL])
def test_the_end_is_noticed_even_where_the_signal_is_ignored(child, handler):
    """The system then forgets the exit code: the command line says itself how it ended."""
    signal.signal(signal.SIGCHLD, handler)
    _lines, ends, _wait = _run(child, "raise SystemExit(3)")
    assert ends == ([3] if handler == signal.SIG_DFL else [0])


@pytest.mark.parametrize(("how", "told"), [("finish", None), ("crash", "ended unexpectedly")])
def test_a_killed_command_line_is_no_success_where_the_exit_code_is_forgotten(child, tmp_path, monkeypatch, how, told):
    from PCNSLSurvivalUI.process import job

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    worker = tmp_path / "worker.py"
    end = {"finish": """print('{"type": "ended", "code": 0}')""", "crash": "os.kill(os.getpid(), 9)"}[how]
    worker.write_text(f"import os\n{end}\n", encoding="utf-8")
    ends = []
    monkeypatch.setattr(job, "WORKER", worker)
    job.Job([], print, ends.append)
    Wait().until(lambda: ends)
    assert ends == [None] if told is None else told in ends[0]


# --- a process that is started early ---------------------------------------------------------------------------------


@pytest.fixture
def echo(child, tmp_path, monkeypatch):
    """A worker that tells its words, and whether it had waited for them."""
    from PCNSLSurvivalUI.process import job

    worker = tmp_path / "worker.py"
    worker.write_text(
        "import json, os, sys\n"
        "print(json.dumps({'type': 'process', 'pid': os.getpid()}), flush=True)\n"
        "words = sys.argv[1:]\nwaited = words == ['--wait']\n"
        "if waited:\n    words = json.loads(sys.stdin.readline())\n"
        "print(json.dumps({'type': 'words', 'words': words, 'waited': waited}))\n"
        "print(json.dumps({'type': 'ended', 'code': 0}))\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(job, "WORKER", worker)
    return job


@pytest.mark.parametrize("gone", [False, True], ids=["waiting", "died"])
def test_a_process_started_early_takes_the_words_and_one_that_died_is_replaced(echo, gone):
    wait, heard, ends = Wait(), [], []
    waiting = echo.WaitingWorker()
    (pid,) = child_processes()
    if gone:
        os.kill(pid, signal.SIGKILL)
        wait.until(lambda: not child_processes())
    echo.Job(["predict", "--out", "Kopf ö"], heard.append, ends.append, waiting=waiting)
    wait.until(lambda: ends)
    assert ends == [None]
    assert heard == [{"type": "words", "words": ["predict", "--out", "Kopf ö"], "waited": not gone}]
    waiting.cancel()
    wait.until(lambda: not child_processes())


def test_a_process_started_early_that_is_not_needed_is_ended(echo):
    wait, waiting = Wait(), echo.WaitingWorker()
    assert child_processes()
    waiting.cancel()
    wait.until(lambda: not child_processes())
    assert waiting.take([], print, print) is None


def test_a_process_started_early_that_cannot_be_told_is_ended(echo, monkeypatch):
    from PCNSLSurvivalUI.process.child import ChildProcess

    wait, waiting = Wait(), echo.WaitingWorker()
    assert child_processes()
    monkeypatch.setattr(ChildProcess, "tell", lambda self, words: False)
    assert waiting.take([], print, print) is None
    wait.until(lambda: not child_processes())


def test_what_the_real_worker_loads_early_exists(application):
    """It suppresses what goes wrong there: a module of another name would only make every prediction slower."""
    import ast
    import inspect
    from importlib.util import find_spec

    from PCNSLSurvivalUI.process import worker

    functions = [one for one in ast.parse(inspect.getsource(worker)).body if isinstance(one, ast.FunctionDef)]
    imports = [one for function in functions for one in ast.walk(function) if isinstance(one, ast.Import)]
    names = [name.name for one in imports for name in one.names if name.name.startswith("PCNSLSurvivalLib.")]
    assert len(names) >= 3
    assert [name for name in names if find_spec(name) is None] == []


def _real_worker(fault="ModuleNotFoundError", *, before=""):
    """Words that start the real worker early, without the packages that it would load for seconds."""
    from pathlib import Path

    worker = Path(__file__).parents[2] / "PCNSLSurvival" / "PCNSLSurvivalUI" / "process" / "worker.py"
    return _python(
        "import runpy, sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.startswith('PCNSLSurvivalLib.reports'): raise {fault}(name)\n"
        "sys.meta_path.insert(0, Missing())\n"
        f"{before}\n"
        f"sys.argv = [{str(worker)!r}, '--wait']\nrunpy.run_path({str(worker)!r}, run_name='__main__')"
    )


def test_words_that_the_real_worker_cannot_read_end_it_with_a_word():
    import subprocess

    done = subprocess.run(_real_worker(), input=b"no JSON\n", capture_output=True, start_new_session=True)
    assert json.loads(done.stdout.splitlines()[-1]) == {"type": "ended", "code": 1}


def test_the_real_worker_does_not_wait_for_ever_for_a_parent_that_waits_for_it():
    """Seen in Slicer: on SIGTERM during a module of its own it waits for all its children, and never ended."""
    import subprocess

    soon = "import threading\nown = threading.Timer\nthreading.Timer = lambda seconds, end: own(seconds / 6000, end)"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "start_new_session": True}
    with subprocess.Popen(_real_worker(before=soon), **pipes) as left:
        assert left.wait(timeout=30) == -signal.SIGKILL, "by itself, not by a fault"


@pytest.mark.parametrize("fault", ["ModuleNotFoundError", "OSError"], ids=["missing", "a library's fault"])
def test_the_real_worker_waits_for_its_words_and_goes_with_its_parent(fault):
    """Without the packages that it loads meanwhile, which would take seconds."""
    import subprocess

    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "start_new_session": True}
    with (
        subprocess.Popen(_real_worker(fault), **pipes) as told,
        subprocess.Popen(_real_worker(fault), **pipes) as left,
    ):
        left.stdin.close()
        told.stdin.write(b'["--version"]\n')
        told.stdin.flush()
        lines = told.stdout.read().decode().splitlines()
        assert json.loads(lines[0]) == {"type": "process", "pid": told.pid}
        assert any(line.startswith("pcnsl-survival ") for line in lines)
        assert json.loads(lines[-1]) == {"type": "ended", "code": 0}
        assert told.wait() == 0
        assert len(left.stdout.read().splitlines()) == 1
        assert left.wait() != 0


# --- lines ---------------------------------------------------------------------------------------------------------


def test_lines_come_whole_however_they_were_written(child):
    code = "import sys, time\nfor part in ('one\\ntw', 'o\\n', '\\nlast'):\n"
    code += " sys.stdout.write(part); sys.stdout.flush(); time.sleep(0.15)"
    assert _run(child, code)[0] == [b"one", b"two", b"", b"last"]


def test_a_flood_of_lines_arrives_in_order_and_never_holds_up_the_application(child):
    lines, ends, wait = _run(child, "for n in range(200000): print(n)")
    assert ends == [0]
    assert lines == [str(n).encode() for n in range(200000)]
    assert wait.is_calm()


def test_a_line_without_end_is_given_up_and_the_next_one_is_read(child):
    lines, ends, _wait = _run(child, "print('x' * 3_000_000); print('{}')")
    assert ends == [0]
    assert lines == [b"{}"]


def test_much_on_standard_error_neither_blocks_the_child_nor_fills_the_memory(child):
    ends, wait = [], Wait()
    running = child.ChildProcess(
        _python("import sys\nfor n in range(100000): print(n, file=sys.stderr)"), print, ends.append
    )
    wait.until(lambda: ends)
    assert ends == [0]
    assert running.errors.endswith(b"99999\n")
    assert len(running.errors) <= 20_000


def test_a_grandchild_that_keeps_the_pipe_open_does_not_hide_the_end(child):
    code = "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', "
    code += "'import time\\nfor n in range(60): print(n, flush=True); time.sleep(0.05)'])"
    ends, wait = [], Wait()
    child.ChildProcess(_python(code), lambda line: None, ends.append)
    wait.until(lambda: ends)
    assert child_processes() == []  # it is orphaned now, and ends by itself
    assert ends == [0]


# --- ends ----------------------------------------------------------------------------------------------------------


def test_a_program_that_does_not_exist_is_told_later_not_at_once(child):
    ends = []
    child.ChildProcess(["/no/such/program"], print, ends.append)
    assert ends == []
    Wait().until(lambda: ends)
    assert ends == [None]


def test_killing_ends_the_grandchildren_too_and_nobody_is_told(child):
    code = "import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    code += "print('up', flush=True); time.sleep(60)"
    lines, ends, wait = [], [], Wait()
    running = child.ChildProcess(_python(code), lines.append, ends.append)
    wait.until(lambda: lines)
    assert len(child_processes()) == 2
    running.kill()
    wait.until(lambda: child_processes() == [], 10)
    wait.some(0.2)
    assert ends == []
    assert wait.is_calm()
    kept = weakref.ref(running)
    del running
    gc.collect()
    assert kept() is None, "it is buried, and nothing holds it"


def test_killing_from_within_a_line_and_twice_and_after_the_end_is_safe(child):
    wait, ends, made = Wait(), [], []
    made.append(
        child.ChildProcess(
            _python("print(1); print(2); import time; time.sleep(60)"), lambda line: kill(line), ends.append
        )
    )
    seen = []

    def kill(line):
        seen.append(line)
        made[0].kill()

    wait.until(lambda: child_processes() == [] and seen, 10)
    made[0].kill()
    wait.some(0.2)
    assert (seen, ends) == ([b"1"], [])
    ended = child.ChildProcess(_python(""), print, ends.append)
    wait.until(lambda: ends)
    ended.kill()
    kept = [weakref.ref(one) for one in (ended, *made)]
    made.clear()
    del ended
    gc.collect()
    assert [one() for one in kept] == [None, None]


def test_our_worker_says_how_it_ended(tmp_path):
    """Wrong usage and a fault of ours come with their code: without the word, only a crash is left."""
    import subprocess
    from pathlib import Path

    worker = Path(__file__).parents[2] / "PCNSLSurvival" / "PCNSLSurvivalUI" / "process" / "worker.py"
    for words, code in ((["--help"], 0), (["no-such-command"], 2)):
        with subprocess.Popen(
            [sys.executable, str(worker), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as made:
            lines = made.stdout.read().splitlines()
            assert made.wait(60) == code
        assert json.loads(lines[-1]) == {"type": "ended", "code": code}


@pytest.mark.parametrize("library", ["", ".."], ids=["installed", "source checkout"])
def test_our_worker_finds_the_library(tmp_path, library):
    """Beside the module, or one folder higher: PythonSlicer itself knows neither place."""
    import runpy
    import shutil
    from pathlib import Path

    ours = Path(__file__).parents[2] / "PCNSLSurvival" / "PCNSLSurvivalUI" / "process" / "worker.py"
    worker = tmp_path / "module" / "PCNSLSurvivalUI" / "process" / "worker.py"
    worker.parent.mkdir(parents=True)
    shutil.copy(ours, worker)
    (tmp_path / "module" / library / "PCNSLSurvivalLib").mkdir()
    assert Path(runpy.run_path(str(worker))["ROOT"]) == (tmp_path / "module" / library).resolve()


def test_nothing_in_the_panel_waits_for_the_signal():
    """Qt's process class, and anything that waits for a child on the application's thread."""
    from pathlib import Path

    ui = Path(__file__).parents[2] / "PCNSLSurvival"
    for path in ui.rglob("*.py"):
        words = path.read_text(encoding="utf-8")
        assert not [w for w in ("qt.QProcess", "subprocess.run", ".communicate(", ".wait(") if w in words], path.name
