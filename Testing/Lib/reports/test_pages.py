"""No page of ours loads anything from a network, or runs a script that is not its own."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import jinja2
import pytest

from PCNSLSurvivalLib.reports import pages

TEMPLATES = [
    path
    for path in sorted(Path(pages.__file__).with_name("templates").glob("*.html"))
    if "<html" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_template_can_carry_the_policy_and_obeys_it(path):
    text = path.read_text(encoding="utf-8")
    assert text.count('<meta charset="utf-8">') == 1
    assert not re.search(r"\son[a-z]+=|javascript:|<script[^>]+>|<(?:iframe|object|embed|form|base|link)\b", text)
    assert not re.search(r"(?:src|href|action)=.?https?:|url\((?!#)|@import", text)


def test_a_page_allows_its_own_script_alone(monkeypatch):
    script = "count();"
    source = f'<head><meta charset="utf-8"></head><script>{script}</script>{{{{ name }}}}'
    page = jinja2.Template(source, autoescape=True)
    monkeypatch.setattr(pages, "_template", lambda name: page)
    made = pages.rendered_page("x.html", name="<script>steal()</script>")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'\"" in made
    assert "default-src 'none'" in made
    assert made.index("Content-Security-Policy") < made.index("<script>")
    assert "<script>steal()" not in made


def test_a_page_without_script_allows_none(monkeypatch):
    page = jinja2.Template('<head><meta charset="utf-8"></head>')
    monkeypatch.setattr(pages, "_template", lambda name: page)
    assert "script-src 'none'" in pages.rendered_page("x.html")
