"""The rule for the first line of a commit message.

``python3 .ci/commit_subject.py FILE`` checks a message before it is committed. Without a file it checks the commits
that the upstream branch does not have yet; published ones stay as they are.
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
    """Subjects of the commits that the upstream branch lacks; none where there is no such branch, or no git."""
    if shutil.which("git") is None:
        return []
    log = subprocess.run(["git", "log", "--format=%s", "@{upstream}..HEAD"], capture_output=True, text=True)
    return log.stdout.splitlines()


def main(words: list[str]) -> int:
    """Check one message file, or the commits that are to be published."""
    subjects = Path(words[0]).read_text(encoding="utf-8").splitlines()[:1] if words else unpublished()
    if not words:
        print(f"{len(subjects)} new commits checked")
    faults = [fault for subject in subjects if (fault := fault_of(subject))]
    print("\n".join(faults), file=sys.stderr, end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
