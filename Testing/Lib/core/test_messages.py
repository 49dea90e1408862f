"""Every code has a template with the values it is given, every template is used, and no message loses a value."""

from __future__ import annotations

import ast
import builtins
import json
import pickle
from pathlib import Path

import pytest

from PCNSLSurvivalLib.core.arguments import ArgumentError
from PCNSLSurvivalLib.core.errors import OutputFolderError
from PCNSLSurvivalLib.core.messages import Message, step_words
from PCNSLSurvivalLib.core.messages.message import placeholders, templates
from PCNSLSurvivalLib.core.terms import MRSequence, Step

ROOT = Path(__file__).resolve().parents[3]
LIBRARY = ROOT / "PCNSLSurvivalLib"


def _files():
    files = [*LIBRARY.rglob("*.py"), *(ROOT / "PCNSLSurvival").rglob("*.py")]
    return [file for file in files if file.name != "message.py"]


def _codes(argument):
    """The codes that the first argument of ``Message`` can be; None stands for one that cannot be looked up."""
    if isinstance(argument, ast.IfExp):
        return [*_codes(argument.body), *_codes(argument.orelse)]
    return [argument.value if isinstance(argument, ast.Constant) else None]


def _messages(files):
    """Place, code and names of the values of every ``Message("…", …)``."""
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Message":
                for code in _codes(node.args[0]):
                    yield f"{file.name}:{node.lineno}", code, {keyword.arg for keyword in node.keywords}


def _faults(files):
    known = templates()
    return [
        f"{place}: {code} {sorted(map(str, names))}"
        for place, code, names in _messages(files)
        if code not in known or placeholders(known[code]) != names
    ]


def test_every_message_in_the_source_has_a_template_with_its_values():
    assert _faults(_files()) == []


def test_a_message_without_template_or_with_other_values_is_found(tmp_path):
    for number, call in enumerate(('Message("unknown.code")', 'Message("files.disk_full", share=3)',
                                   "Message(code)", 'Message("files.output_not_writable")')):  # fmt: skip
        (tmp_path / f"new{number}.py").write_text(f"raise PreparationError({call})\n", encoding="utf-8")
    assert len(_faults(tmp_path.glob("*.py"))) == 4


def test_every_template_is_used():
    of_steps = {step_words(step).code for step in Step}
    assert set(templates()) - {code for _, code, _ in _messages(_files())} == of_steps


def test_the_templates_are_literals_that_the_translation_tool_finds():
    """Each entry is ``"code": _("…")``; codes stand once, in the order of the alphabet."""
    found = []
    for file in sorted((LIBRARY / "core" / "messages").glob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "TEMPLATES":
                codes = [key.value for key in node.value.keys]
                assert codes == sorted(set(codes)), file.name
                for value in node.value.values:
                    assert value.func.id == "_"
                    assert isinstance(value.args[0], ast.Constant), ast.unparse(value)
                found += codes
    for node in ast.walk(ast.parse((LIBRARY / "core" / "terms.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef) and node.name == "Step":
            members = [line.value for line in node.body if isinstance(line, ast.Assign)]
            assert all(
                words.func.id == "_" and isinstance(words.args[0], ast.Constant)
                for _, words in (member.elts for member in members)
            )
            found += [f"step.{member.elts[0].value}" for member in members]
    assert sorted(found) == sorted(templates()), "a table is not looked up, or a code stands in two"


def test_a_message_survives_json_and_another_process_with_its_values():
    inner = Message("files.output_not_writable", reason="read-only")
    outer = Message("files.output_not_writable", reason=(MRSequence.T1GD, inner, "x", 3))
    assert str(outer).startswith("The output folder cannot be written (T1Gd, The output folder cannot be written (read")
    stored = json.loads(json.dumps(outer.to_json()))
    assert stored["values"]["reason"][0] == {"sequence": "t1gd"}
    assert Message.from_json(stored) == outer
    assert pickle.loads(pickle.dumps(OutputFolderError(outer))).message == outer


def test_what_this_version_does_not_know_is_no_message():
    stored = Message("files.disk_full").to_json()
    assert Message.from_json({**stored, "code": "files.of_the_future"}) is None
    assert Message.from_json({**stored, "values": {"share": 3}}) is None
    assert Message.from_json({"sentence": "Of an older version."}) is None


def test_an_error_tells_code_values_and_sentence():
    error = OutputFolderError(Message("files.output_not_writable", reason="read-only"))
    assert error.message.code == "files.output_not_writable"
    assert error.to_json() == {"code": error.message.code, "values": {"reason": "read-only"}, "sentence": str(error)}
    assert ArgumentError("Plain.").to_json() == {"code": None, "values": {}, "sentence": "Plain."}


def test_a_wrong_code_or_value_fails_where_the_message_is_made():
    with pytest.raises(ValueError, match="unknown"):
        Message("unknown.code")
    with pytest.raises(ValueError, match="placeholders"):
        Message("files.disk_full", share=3)


def test_a_translation_that_loses_a_value_is_not_used():
    message = Message("files.output_not_writable", reason="read-only")
    assert message.text(lambda _context, _template: "Geht nicht.") == str(message)
    assert message.text(lambda context, _template: f"{context}: {{reason}}") == "messages.files: read-only"


# --- no plain sentence ---------------------------------------------------------------------------------------------


def _plain_sentences(files):
    """Errors made of text. Only who writes a program meets ``ArgumentError``."""
    trees = {file: ast.parse(file.read_text(encoding="utf-8")) for file in files}
    errors = {node.id for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.Name)}
    errors = {name for name in errors if name.endswith("Error") and name not in vars(builtins)} - {"ArgumentError"}
    for file, tree in trees.items():
        for node in ast.walk(tree):
            told = node.args[:1] if isinstance(node, ast.Call) and getattr(node.func, "id", "") in errors else []
            if any(isinstance(argument, ast.JoinedStr | ast.Constant | ast.BinOp) for argument in told):
                yield f"{file.name}:{node.lineno}"


def test_an_error_is_a_message():
    assert list(_plain_sentences(_files())) == []


def test_a_plain_sentence_in_an_error_is_found(tmp_path):
    (tmp_path / "new.py").write_text('raise UnreadableScanError(f"The {name} is from {year}.")\n', encoding="utf-8")
    assert list(_plain_sentences([tmp_path / "new.py"])) == ["new.py:1"]
