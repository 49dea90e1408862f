"""The rule for the first line of a commit message.

``python3 .ci/commit_subject.py FILE`` checks a message before it is committed. Without a file it checks the commits
that the upstream branch does not have yet, and in any case the last one.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

LONGEST = 72
KINDS = ("ENH", "BUG", "DOC", "PERF", "STYLE", "COMP", "TEST")


def fault_of(subject: str) -> str | None:
    """What is wrong with a subject, as a sentence; None if nothing is."""
    if subject.startswith(("Merge ", "Revert ", "fixup! ", "squash! ")):
        return None
    if not re.match(rf"({'|'.join(KINDS)}): [A-Z]", subject):
        return f"The subject starts with one of {', '.join(KINDS)}, a colon and a capital letter: '{subject}'"
    if len(subject) > LONGEST:
        return f"The subject has {len(subject)} characters, {len(subject) - LONGEST} too many: '{subject}'"
    if subject.endswith("."):
        return f"The subject ends without a full stop: '{subject}'"
    return None


def unpublished() -> list[str]:
    """Subjects of the commits that the upstream branch lacks, and of the last one; none where git knows no commit."""
    subjects: list[str] = []
    if shutil.which("git") is None:
        return subjects
    for commits in (["-1"], ["--skip=1", "@{upstream}..HEAD"]):  # the second fails where there is no upstream
        log = subprocess.run(["git", "log", "--format=%s", *commits], capture_output=True, text=True)
        subjects += log.stdout.splitlines()
    return subjects


def main(words: list[str]) -> int:
    """Check one message file, or the commits that are to be published."""
    subjects = Path(words[0]).read_text(encoding="utf-8").splitlines()[:1] if words else unpublished()
    if not words:
        print(f"{len(subjects)} checked" if subjects else "no commit is known here, so none was checked")
    faults = [fault for subject in subjects if (fault := fault_of(subject))]
    print("\n".join(faults), file=sys.stderr, end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
