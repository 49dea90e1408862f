"""A section of the check: its figures, its limits, its bound of time, and the JSON file of all sections."""

from __future__ import annotations

import json
import signal
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn


class SectionTimeoutError(Exception):
    """A section has used up its time."""


@dataclass(frozen=True)
class Bench:
    """What every section works with."""

    work: Path
    """Folder for files, removed in the end."""
    small: bool
    """Tiny networks and patients on the CPU."""

    @property
    def patients(self) -> Path:
        """The prepared cohort of virtual patients."""
        return self.work / "patients"

    @property
    def device(self) -> str:
        """Where the sections compute."""
        return "cpu" if self.small else "cuda"


@dataclass
class Section:
    """What one section found; kept also when it fails half way."""

    seconds: float
    figures: dict[str, Any] = field(default_factory=dict)
    checks: dict[str, dict[str, Any]] = field(default_factory=dict)
    begin: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        """Seconds left to the section."""
        return self.seconds - (time.monotonic() - self.begin)

    def check(self, name: str, value: float, limit: float) -> None:
        """Hold a value against its largest allowed one."""
        met = bool(value <= limit)  # not a number is not met
        self.checks[name] = {"value": float(value), "limit": limit, "met": met}
        print(f"  {'ok  ' if met else 'FAIL'} {name}: {value:.3g} (limit {limit:g})", flush=True)

    def note(self, name: str, value: Any) -> None:
        """Keep a figure without a limit."""
        self.figures[name] = value
        print(f"       {name}: {_short(value)}", flush=True)


class Report:
    """All sections, written anew after each."""

    def __init__(self, path: Path, *, small: bool) -> None:
        self._path = path
        self._sections: dict[str, Any] = {}
        self._small = small

    @contextmanager
    def section(self, name: str, *, seconds: float) -> Iterator[Section]:
        """Run the body as a section: its errors are kept and printed, and the next section follows."""
        section, state = Section(max(seconds, 0.0)), "done"
        print(f"\n{name}, at most {section.seconds:.0f} s", flush=True)
        error = None
        try:
            with _bounded(section.seconds):
                yield section
        except SectionTimeoutError:
            state, error = "out of time", "The time of the section was used up."
        except Exception as problem:
            state, error = "failed", f"{type(problem).__name__}: {problem}"
            traceback.print_exc()
        if error is not None:
            print(f"  {state}: {error[:400]}", flush=True)
        took = time.monotonic() - section.begin
        print(f"  {took:.1f} s", flush=True)
        self._sections[name] = {
            "state": state,
            "error": error,
            "seconds": round(took, 1),
            "checks": section.checks,
            **section.figures,
        }
        self._write()

    def finish(self) -> int:
        """Print what was not met; 1 if anything was, or if a section did not end."""
        missed = [
            f"{name}: {check}"
            for name, section in self._sections.items()
            for check, facts in section["checks"].items()
            if not facts["met"]
        ]
        broken = [f"{name} ({s['state']})" for name, s in self._sections.items() if s["state"] != "done"]
        count = sum(len(section["checks"]) for section in self._sections.values())
        print(f"\n{count - len(missed)} of {count} limits met. Figures: {self._path}")
        for line in (*missed, *broken):
            print(f"  {line}")
        return 1 if missed or broken else 0

    def _write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        stored = {"small": self._small, "date": time.strftime("%Y-%m-%d"), "sections": self._sections}
        self._path.write_text(json.dumps(stored, indent=2, default=float) + "\n", encoding="utf-8")


@contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    """End the body with ``SectionTimeoutError`` when its time is over."""
    if seconds <= 0:
        raise SectionTimeoutError
    if not hasattr(signal, "setitimer"):  # Windows
        yield
        return

    def end(number: int, frame: FrameType | None) -> NoReturn:
        raise SectionTimeoutError

    handler = signal.signal(signal.SIGALRM, end)
    timer = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, handler)


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_short(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_short(one) for one in value) + "]"
    return str(value)
