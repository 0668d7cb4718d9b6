"""How the site is built: `make docs`, offline, with warnings as errors."""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of
from pathlib import Path

ROOT = Path(__file__).parents[2]
for folder in (ROOT, ROOT / "python"):  # the generator and the template's builder are not installed
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

project = "crossmargin"
author = "crossmargin"
release = version = version_of("crossmargin")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "docs.manual.extension",
]
exclude_patterns = ["manual", "README.md"]
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r".*")]  # types and errors in docstrings are words, not links
default_role = "code"  # single backticks are code in docstrings
autodoc_typehints = "none"  # the docstrings say it in words
napoleon_google_docstring = False

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
myst_links_external_new_tab = False
smartquotes = False  # a formula is quoted as it is typed

html_theme = "furo"
html_title = f"crossmargin {release}"
html_copy_source = False
html_show_copyright = False
html_static_path = ["static"]
html_css_files = ["answers.css"]
