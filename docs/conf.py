"""Settings of the documentation site. ``make docs`` builds it into ``build/docs``; every warning is an error.

The Markdown pages are the same that a reader of the repository sees. A comment ``<!-- generated: NAME -->`` in a page
is replaced by what ``reference_pages`` reads from the code, ``<!-- figures: NAME -->`` by a benchmark's table.
"""

import re
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS), str(DOCS.parent)]

from reference_pages import GENERATED, figures  # noqa: E402

from PCNSLSurvivalLib import __version__  # noqa: E402

project = "PCNSLSurvival"
author = "PCNSLSurvival contributors"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "index"
exclude_patterns = ["examples"]
myst_heading_anchors = 3
autodoc_typehints = "description"
add_module_names = False
autodoc_member_order = "bysource"
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"PCNSLSurvival {release}"
html_show_sphinx = False
html_theme_options = {"announcement": "Research use only. Not a medical device."}

_CARD = "PCNSLSurvivalLib/models/bundled/pcnsl_os1y_t1gd_virtual_heads_only/docs/README"
# Pages outside of docs/, from the root of the repository, and the page of the site that includes each.
_ROOT_PAGES = {
    "CHANGELOG": "changelog",
    "CONTRIBUTING": "contributing",
    "SECURITY": "security",
    _CARD: "bundled-model-card",
}


def _fill_in(app, name, source):
    """Put generated text into a page, and lead links to pages outside of docs/ to their place in the site."""
    text = re.sub(r"<!-- generated: (\w+) -->", lambda found: GENERATED[found[1]](), source[0])
    text = re.sub(r"<!-- figures: ([\w-]+) -->", lambda found: figures(found[1]), text)
    depth = "../" * name.count("/")
    for file, page in _ROOT_PAGES.items():
        text = text.replace(f"]({depth}../{file}.md", f"]({depth}{page}.md")
    source[0] = text


def setup(app):
    """Called by Sphinx."""
    app.connect("source-read", _fill_in)
