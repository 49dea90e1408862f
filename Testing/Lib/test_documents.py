"""Documents stay true: links and navigation lead somewhere, commands have the options that they show."""

import itertools
import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from PCNSLSurvivalLib.cli.__main__ import command_line_parser
from PCNSLSurvivalLib.models.model_folder import bundled_model_path

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "docs"
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def _text(path):
    return path.read_text(encoding="utf-8")


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


def _headings(document):
    """Anchors of a page, as the site and code hosts make them."""
    text = re.sub(r"```.*?```", "", _text(document), flags=re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.strip().lower()).replace(" ", "-") for title in titles}


def _navigation(page):
    """Pages that the tables of contents of a page lead to."""
    blocks = re.findall(r"```\{toctree\}\n(.*?)```", _text(page), flags=re.DOTALL)
    names = [line for block in blocks for line in block.splitlines() if line and not line.startswith(":")]
    return [page.parent / f"{name}.md" for name in names]


def test_every_page_of_the_site_stands_in_its_navigation_once():
    index = SITE / "index.md"
    listed = [index, *_navigation(index), *_navigation(SITE / "decisions" / "index.md")]
    pages = [page for page in SITE.rglob("*.md") if "examples" not in page.parts]
    assert sorted(listed) == sorted(pages)


def test_a_reader_of_the_raw_index_finds_every_page_by_a_link():
    """A git host shows tables of contents as code, and a page that includes another file as its name."""
    for index in (SITE / "index.md", SITE / "decisions" / "index.md"):
        linked = {(index.parent / page).resolve() for page in re.findall(r"\]\(([^)#\s]+)", _text(index))}
        for page in _navigation(index):
            included = re.match(r"```\{include\} (\S+)", _text(page))
            assert (page.parent / included[1] if included else page).resolve() in linked, page.name


@pytest.mark.parametrize(
    "question", ["install the panel in 3D Slicer", "use my own cohort", "what the map means", "who may"]
)
def test_a_reader_finds_the_four_answers_with_one_click(question):
    for start in (ROOT / "README.md", SITE / "index.md"):
        (row,) = [line for line in _text(start).splitlines() if line.startswith("|") and question in line]
        assert re.search(r"\]\([^)]+\)", row)


def test_every_anchor_in_a_link_is_a_heading_there():
    links = [
        (document, page, anchor)
        for document in DOCUMENTS
        for page, anchor in re.findall(r"\]\(([^)#:\s]*)#([^)\s]+)\)", _text(document))
    ]
    assert len(links) > 5
    dead = [
        f"{document.relative_to(ROOT)}: {page}#{anchor}"
        for document, page, anchor in links
        if anchor not in _headings(document.parent / page if page else document)
    ]
    assert not dead


def test_every_block_with_a_command_of_ours_is_marked_as_shell():
    block = re.compile(r"^```(\w*)\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)
    command = re.compile(r"^(\S*/bin/)?pcnsl-survival ", flags=re.MULTILINE)
    blocks = [(document, *found) for document in DOCUMENTS for found in block.findall(_text(document))]
    assert not [document.name for document, language, text in blocks if language != "sh" and command.search(text)]


def test_every_link_between_documents_leads_to_a_file():
    broken = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in DOCUMENTS
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", _text(document))
        if "://" not in target and not (document.parent / target).exists()
    ]
    assert not broken


def test_every_command_in_a_document_has_the_options_that_it_shows(capsys):
    shown = [(document, words) for document in DOCUMENTS for words in _commands(_text(document))]
    assert len(shown) > 10
    refused = []
    for document, words in shown:
        try:
            command_line_parser().parse_args(words)
        except SystemExit as end:
            if end.code:
                refused.append(f"{document.name}: {' '.join(words)}: {capsys.readouterr().err.splitlines()[-1]}")
    assert not refused, "\n".join(refused)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_checkout_with_extras_is_installed_in_one_way(document):
    installs = re.findall(r'pip install[^\n`]*"\.\[[^\n`]*', _text(document))
    assert [one for one in installs if not one.startswith('pip install -c constraints.txt -e ".[')] == []


def test_what_a_command_in_a_document_writes_is_never_offered_for_a_commit():
    if not (ROOT / ".git").exists():
        pytest.skip("no checkout of git: nothing can be committed")
    words = [words for document in DOCUMENTS for words in _commands(_text(document)) if "--out" in words]
    folders = {one[one.index("--out") + 1] for one in words}
    written = [f"{folder}/patient.csv" for folder in folders if folder != folder.upper()]
    written += [f"scan{ending}" for ending in (".nii", ".nii.gz", ".dcm", ".nrrd", ".mha")]
    assert len(written) > 12
    ignored = subprocess.run(["git", "check-ignore", *written], cwd=ROOT, capture_output=True, text=True, check=False)
    assert sorted(set(written) - set(ignored.stdout.splitlines())) == []
    tracked = ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"]
    assert subprocess.run(tracked, cwd=ROOT, capture_output=True, text=True, check=True).stdout == ""


def test_a_command_with_an_unknown_option_is_noticed():
    (words,) = _commands("```sh\n.venv/bin/pcnsl-survival predict --t1gd T \\\n  --no-such-option --out D  #\n```\n")
    assert words == ["predict", "--t1gd", "T", "--no-such-option", "--out", "D"]
    with pytest.raises(SystemExit):
        command_line_parser().parse_args(words)


SLICERS_OWN = {"Edit > Application Settings > Modules", "Additional module paths", "Sample Data > PCNSL Survival"}


@pytest.mark.parametrize(
    "page", ["tutorial-radiologist", "tutorial-researcher", "slicer-run", "slicer-panel", "offline"]
)
def test_every_label_of_the_panel_in_a_page_is_in_the_panel(page):
    paragraphs = _text(SITE / f"{page}.md").split("\n\n")
    text = "\n".join(part for part in paragraphs if not part.startswith("*") or part.startswith("**"))  # no captions
    text = re.sub(r"\*\*.*?\*\*|`.*?`", "", text.replace("\n", " "))
    labels = set(re.findall(r"\*([^*]+)\*", text)) - SLICERS_OWN
    module = ROOT / "PCNSLSurvival"
    panel = "".join(_text(path) for ending in ("py", "ui") for path in module.rglob(f"*.{ending}"))
    assert labels
    assert [label for label in labels if re.sub(r"\s+", " ", label).rstrip("…") not in panel] == []


def test_the_pictures_show_the_bundled_model_of_today():
    captions = [line for document in DOCUMENTS for line in _text(document).splitlines() if line.startswith("*")]
    shown = re.findall(r"version (\d+\.\d+\.\d+) of the bundled model", "\n".join(captions))
    metadata = json.loads(_text(bundled_model_path() / "configs" / "metadata.json"))
    assert len(shown) > 2
    assert set(shown) == {metadata["version"]}


@pytest.mark.parametrize(
    "page",
    [
        "README",
        *(f"docs/{name}" for name in ("tutorial-radiologist", "tutorial-researcher", "slicer-run", "slicer-panel")),
        "docs/explanation",
        "docs/model-card",
        "docs/cohorts",
        "docs/experiment",
    ],
)
def test_no_sentence_of_a_readers_first_pages_is_longer_than_25_words(page):
    sentences = re.split(r"(?<=[.!?:])\s+|\n\n|\n(?=\d\. |- )", _prose(_text(ROOT / f"{page}.md")))
    assert len(sentences) > 20
    assert [sentence for sentence in sentences if len(sentence.split()) > 25] == []


@pytest.mark.parametrize("page", sorted(SITE.rglob("*.md")), ids=lambda page: page.stem)
def test_a_table_of_a_benchmark_is_the_one_that_its_run_kept(page):
    """A table that was copied by hand says nothing of the machine, and stays when the figures change."""
    blocks = re.split(r"\n\s*\n", _text(page))
    kept = re.findall(r"<!-- figures: ([\w-]+) -->", _text(page))
    assert [name for name in kept if not (ROOT / "Testing/benchmarks/figures" / f"{name}.json").is_file()] == []
    for before, block in itertools.pairwise(blocks):
        named = re.search(r"`make (bench-[\w-]+)`|benchmarks/(bench_\w+)\.py", before)
        assert not (block.startswith("|") and named), f"put <!-- figures: … --> in the place of this table:\n{block}"
