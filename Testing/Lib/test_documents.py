"""Documents stay true: links lead somewhere, commands have the options they show, README sentences are short."""

import re
import shlex
from pathlib import Path

import pytest

from PCNSLSurvivalLib.cli.__main__ import _parser

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def _prose(text):
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    lines = [line for line in text.splitlines() if not line.startswith(("|", "#", "!"))]
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", "\n".join(lines))


def _commands(text):
    """Words of every ``pcnsl-survival`` line of the shell blocks."""
    for block in re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            line = line.split(" #")[0].strip()
            program, _, rest = line.partition("pcnsl-survival ")
            if rest and re.fullmatch(r"(\S*/bin/)?", program):
                yield shlex.split(re.sub(r"[\[\]]|\|\S+", "", rest))  # of alternatives, the first


def test_every_link_between_documents_leads_to_a_file():
    broken = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in DOCUMENTS
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text(encoding="utf-8"))
        if "://" not in target and not (document.parent / target).exists()
    ]
    assert not broken


def test_every_command_in_a_document_has_the_options_that_it_shows(capsys):
    shown = [(document, words) for document in DOCUMENTS for words in _commands(document.read_text(encoding="utf-8"))]
    assert len(shown) > 10
    refused = []
    for document, words in shown:
        try:
            _parser().parse_args(words)
        except SystemExit as end:
            if end.code:
                refused.append(f"{document.name}: {' '.join(words)}: {capsys.readouterr().err.splitlines()[-1]}")
    assert not refused, "\n".join(refused)


def test_a_command_with_an_unknown_option_is_noticed():
    (words,) = _commands("```sh\n.venv/bin/pcnsl-survival predict --t1gd T \\\n  --no-such-option --out D  #\n```\n")
    assert words == ["predict", "--t1gd", "T", "--no-such-option", "--out", "D"]
    with pytest.raises(SystemExit):
        _parser().parse_args(words)


def test_no_sentence_of_the_readme_is_longer_than_25_words():
    sentences = re.split(r"(?<=[.!?:])\s+|\n\n|\n(?=\d\. )", _prose((ROOT / "README.md").read_text(encoding="utf-8")))
    assert len(sentences) > 30
    assert [sentence for sentence in sentences if len(sentence.split()) > 25] == []
