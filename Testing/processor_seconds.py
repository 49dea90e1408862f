"""A plugin for pytest that prints the processor seconds of every file and of the longest tests, children included.

Usage: ``PYTHONPATH=Testing .venv/bin/python -m pytest -p processor_seconds Testing/Lib``, also with ``-n 2``. Unlike
the clock, they are nearly the same on a busy computer. Each test has those of the fixtures that it was the first to
need; what importing the files takes is not counted.
"""

from __future__ import annotations

import resource
import time
from collections import Counter
from collections.abc import Generator

import pytest

_NAME = "processor_seconds"
_LONGEST_FILES, _LONGEST_TESTS = 30, 20
_BEGIN = pytest.StashKey[float]()


def _spent() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Start counting at the setup of a test."""
    item.stash[_BEGIN] = _spent()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, object, object]:
    """Hand the seconds so far to the process that prints."""
    report = yield
    if call.when == "teardown":
        report.user_properties.append((_NAME, _spent() - item.stash[_BEGIN]))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print both lists and the sum."""
    tests: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) == "teardown":
                tests[report.nodeid] += dict(report.user_properties).get(_NAME, 0.0)
    files: Counter[str] = Counter()
    for test, seconds in tests.items():
        files[test.split("::")[0]] += seconds
    for title, counted, shown in (("files", files, _LONGEST_FILES), ("tests", tests, _LONGEST_TESTS)):
        terminalreporter.section(f"processor seconds of {title}")
        for name, seconds in counted.most_common(shown):
            terminalreporter.write_line(f"{seconds:7.1f}  {name}")
    terminalreporter.write_line(f"{tests.total():7.1f}  all {len(tests)} tests")
