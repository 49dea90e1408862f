"""Every sentence that the library can send to the panel, read out of its source.

A sentence is what an error is made of, why a step was skipped, and every text in the packages that judge scans and
models that begins and ends like one. Values in it stand as ``{}``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NAME = "PCNSLSurvivalLib"
LIBRARY = ROOT / _NAME
COMMANDS = ("predict", "register", "demo", "export", "install_brain_extractor")
"""What the panel starts."""
_NEVER_ASKED = {
    "explain.checks": "checks of the explanation: only with --check-explanation, which the panel does not give",
    "inference.explanation_checks": "the same",
    "models.networks.onnx_graph": "writes ONNX files for 'model export'",
}
_JUDGING = ("core.errors", "core.terms", "imaging", "preprocessing", "models", "inference", "explain")
"""Packages whose texts are told; those of ``cli`` and ``reports`` stand in the terminal and in documents."""
_VALUE = "\0"


def templates(library: Path = LIBRARY) -> dict[str, str]:
    """Every sentence with ``{}`` for its values, and where it stands.

    Args:
        library: The package's folder.
    """
    errors = _error_names(library)
    found: dict[str, str] = {}
    for file in _reached(library):
        inner = ".".join(file.relative_to(library).with_suffix("").parts)
        if inner.startswith(tuple(_NEVER_ASKED)):
            continue
        for line, text in _texts(_tree(file), errors, inner.startswith(_JUDGING)):
            for part in _without_whole_sentences(text):
                if part.count(" ") and re.search(r"[A-Za-z]{2}", part):
                    found.setdefault(part.replace(_VALUE, "{}"), f"{file.relative_to(library)}:{line}")
    return found


def literals(library: Path = LIBRARY) -> set[str]:
    """Every text in the source that the panel can reach, sentence or not, with ``{}`` for its values."""
    found: set[str] = set()
    for file in _reached(library):
        tree = _tree(file)
        constants = _constants(tree)
        texts = [_text(node, constants) for node in ast.walk(tree)]
        found |= {part.replace(_VALUE, "{}") for text in texts if text for part in _without_whole_sentences(text)}
    return found


def _reached(library: Path) -> list[Path]:
    """Files that the panel or one of its commands imports, however deep."""
    waiting = {f"{_NAME}.cli.{name}" for name in COMMANDS}
    for file in (ROOT / "PCNSLSurvival").rglob("*.py"):
        if file.name != "worker.py":  # which can start every command
            waiting |= _imports(file)
    reached: set[Path] = set()
    while waiting:
        file = library.parent / (waiting.pop().replace(".", "/") + ".py")
        if file not in reached and file.is_file():
            reached.add(file)
            waiting |= _imports(file)
    return sorted(reached)


def _imports(file: Path) -> set[str]:
    ours = [
        node
        for node in ast.walk(_tree(file))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_NAME)
    ]
    return {str(node.module) for node in ours} | {f"{node.module}.{name.name}" for node in ours for name in node.names}


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _error_names(library: Path) -> set[str]:
    return {node.name for node in _tree(library / "core/errors.py").body if isinstance(node, ast.ClassDef)}


def _constants(tree: ast.Module) -> dict[str, str]:
    """Texts that the module gives a name."""
    constants: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            text = _text(node.value, constants)
            if text is not None:
                constants[node.targets[0].id] = text
    return constants


def _texts(tree: ast.Module, errors: set[str], judging: bool) -> Iterator[tuple[int, str]]:
    constants = _constants(tree)
    makers = errors | {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and isinstance(node.returns, ast.Name) and node.returns.id in errors
    }
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in makers or name == "skip":
                for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
                    yield from _spoken(argument, constants)
        text = _text(node, constants) if id(node) not in docs | parts else None
        if judging and text is not None and re.fullmatch(rf"[A-Z{_VALUE}'].*\w.*[.?!]", text, re.S) and " " in text:
            yield node.lineno, text


def _spoken(node: ast.expr, constants: dict[str, str]) -> Iterator[tuple[int, str]]:
    """Texts that an expression can be, also one of two."""
    if isinstance(node, ast.IfExp):
        yield from _spoken(node.body, constants)
        yield from _spoken(node.orelse, constants)
    text = _text(node, constants)
    if text is not None:
        yield node.lineno, text


def _text(node: ast.AST, constants: dict[str, str]) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return None
    made = ""
    for part in node.values:
        if isinstance(part, ast.Constant):
            made += part.value
            continue
        known = constants.get(part.value.id) if isinstance(part.value, ast.Name) else None
        alone = known is not None and known.endswith(".")  # a sentence of its own, which is found by itself
        made += _VALUE if known is None or alone else known
    return made


def _without_whole_sentences(text: str) -> list[str]:
    """The text without values that are sentences of their own: "{} To go on all the same, …"."""
    return re.split(rf"(?:^|(?<=[.?!]) ){_VALUE}(?: (?=[A-Z])|$)", text)
