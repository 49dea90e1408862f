"""HTML pages from the templates of this folder: one environment for every report."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Template


_SCRIPT = re.compile("<script>(.*?)</script>", re.DOTALL)
_POLICY = (
    "default-src 'none'; img-src data: file: 'self'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; script-src {scripts}"
)


def rendered_page(name: str, /, **values: Any) -> str:
    """A page with a content security policy: it loads nothing from a network, and runs its own script alone.

    Args:
        name: File in ``templates``; its head begins with the character encoding.
        **values: One for each name that the template uses.
    """
    page = _template(name).render(**values)
    hashes = (b64encode(sha256(script.encode()).digest()).decode() for script in _SCRIPT.findall(page))
    scripts = " ".join(f"'sha256-{digest}'" for digest in hashes) or "'none'"
    policy = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY.format(scripts=scripts)}">'
    return page.replace('<meta charset="utf-8">', f'<meta charset="utf-8">\n{policy}', 1)


@cache
def _template(name: str) -> Template:
    """A template; every value is escaped, and a name that a template does not know is an error.

    Args:
        name: File in ``templates``, such as ``case_report.html``.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
