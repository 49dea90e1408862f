"""What a reader meets first has short sentences: README, panel, messages and help."""

from __future__ import annotations

import argparse
import ast
import re
from pathlib import Path
from xml.etree import ElementTree

from PCNSLSurvivalLib.cli.__main__ import command_line_parser
from PCNSLSurvivalLib.cli.options.help_text import commands_below

ROOT = Path(__file__).resolve().parents[2]
MOST_WORDS = 25


def long_sentences(text: str) -> list[str]:
    """Sentences of more than 25 words; the end of a paragraph, a list item and a colon end one as well."""
    parts = re.split(r"(?<=[.!?])\s+|(?<=[.!?][)\"'*])\s+|:\s|\n\s*\n|\n\s*(?:[-*]|\d+\.)\s", text)
    return [" ".join(part.split()) for part in parts if len(re.findall(r"\S*\w\S*", part)) > MOST_WORDS]


def of_markdown(text: str) -> str:
    """Without code blocks, tables, pictures and the targets of links."""
    for pattern in (r"```.*?```", r"(?m)^\|.*$", r"!\[[^\]]*\]\([^)]*\)"):
        text = re.sub(pattern, "\n\n", text, flags=re.DOTALL)
    return re.sub(r"\]\([^)]*\)", "]", text)


def of_panel() -> list[str]:
    interface = ElementTree.parse(ROOT / "PCNSLSurvival" / "Resources" / "UI" / "PCNSLSurvival.ui")
    return [text.text or "" for text in interface.iter("string")]


def of_templates() -> list[str]:
    """Every literal in ``_("…")``: the panel's own words, and what the library tells."""
    files = [*(ROOT / "PCNSLSurvival").rglob("*.py"), *(ROOT / "PCNSLSurvivalLib" / "core" / "messages").glob("*.py")]
    return [
        node.args[0].value
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_" and isinstance(node.args[0], ast.Constant)
    ]


def of_help() -> list[str]:
    texts = []
    for command in commands_below(command_line_parser()):
        texts += [command.description or "", command.epilog or ""]
        for action in command._actions:
            texts.append(action.help or "")
            if isinstance(action, argparse._SubParsersAction):
                texts += [choice.help or "" for choice in action._choices_actions]
    return texts


def test_no_sentence_of_readme_panel_messages_and_help_has_more_than_25_words():
    readme = of_markdown((ROOT / "README.md").read_text(encoding="utf-8"))
    texts = {"README.md": [readme], "panel": of_panel(), "templates": of_templates(), "help": of_help()}
    assert all(sum(map(len, some)) > 1000 for some in texts.values())
    found = [f"{place}: {long}" for place, some in texts.items() for text in some for long in long_sentences(text)]
    assert found == []


def test_a_long_sentence_is_seen_and_a_list_is_none():
    words = "a word " * 13
    assert long_sentences(f"Short one. {words}") == [words.strip()]
    assert long_sentences(f"{'a word ' * 12}\n- {'a word ' * 12}") == []
