"""Sphinx configuration: MyST pages, numpydoc API, tables and answers made while building."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import costline

project = "costline"
author = "The costline authors"
copyright = "The costline authors, Apache-2.0"
version = release = costline.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "numpydoc", "living"]
myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
# Types in docstrings are words ("float or array"), not references.
numpydoc_xref_param_type = False

html_theme = "pydata_sphinx_theme"
html_title = f"costline {release}"
html_static_path = ["_static"]
html_theme_options = {"show_prev_next": False, "secondary_sidebar_items": ["page-toc"]}
html_show_sourcelink = False
