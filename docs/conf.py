"""The documentation site: `make docs` builds it into build/site, offline, with every warning an error.

Its sources are Markdown files and notebooks where they lie in the repository, so that links between them work on a
code host too; the source folder is therefore the repository's root. What the code already says is not said again: a
line `<!-- from the code: NAME -->` in a page stands for what the function in `FROM_THE_CODE` of that name returns, and
reference pages are made of docstrings.
"""

import builtins
import re
import sys
from importlib import metadata
from itertools import pairwise
from pathlib import Path

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx import addnodes
from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))
from said_in_code import FROM_THE_CODE, PLACE

project, release = "mae_viz", metadata.version("mae-viz")
author = project_copyright = "The mae_viz authors"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx_design", "sphinx_copybutton"]
root_doc = "docs/index"
include_patterns = ["docs/**.md", "notebooks/*.ipynb", "checkpoints/README.md", "*.md"]
exclude_patterns = [
    "README.md",
    ".*",
    "build",
    "dist",
    "node_modules",
    "runs",
    "figures",
    "mae_viz",
    "tests",
    "*.egg-info",
]

# Sources
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # notebooks are shown as `make notebooks` has executed them
nb_ipywidgets_js: dict = {}  # widgets need a kernel; a picture stands by each
nb_merge_streams = True

# Reference pages
default_role = "py:obj"  # `names` in docstrings lead to what they name, where the site has it
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
add_module_names = False
smartquotes_action = "qe"  # quotes and ellipses; --option stays what is typed
toc_object_entries_show_parents = "hide"
copybutton_prompt_text = "$ "

# Looks: everything is in the theme's package or here, so that the site can be read without a network
html_theme = "pydata_sphinx_theme"
html_title = f"mae_viz {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_favicon = "../mae_viz/app/server/icon.png"
html_math_renderer = "mathml"
html_context = {"default_mode": "auto"}
html_copy_source = False
html_show_sphinx = False
html_additional_pages = {"index": "to_start.html"}
templates_path = ["templates"]
html_theme_options = {
    "logo": {"text": "mae_viz"},
    "navbar_align": "left",
    "navbar_persistent": ["search-button"],
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 8,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars = {"docs/index": [], "docs/start": [], "docs/faq": []}


def fill_in(_: Sphinx, name: str, source: list[str]) -> None:
    """Put what the code says where a page asks for it. Raises KeyError for what `FROM_THE_CODE` does not know."""
    if name.startswith("docs/"):
        source[0] = PLACE.sub(lambda found: FROM_THE_CODE[found["name"]](), source[0])


def as_rst(app: Sphinx, what: str, name: str, about: object, options: object, lines: list[str]) -> None:
    """Docstrings set code four spaces in, mean |y| where they write it, and quote files as names: so does Markdown."""
    made: list[str] = []
    for before, line in pairwise(["", *lines]):
        if line.startswith("    ") and not before.strip() and not any(m.startswith("    ") for m in made[-2:]):
            made += [".. code-block:: text", ""]
        made.append(line if line.startswith("    ") else MARKED.sub(marked, line))
    lines[:] = made


def readable(app: Sphinx, what: str, name: str, about: object, options: object, signature: str, returns: str) -> tuple:
    """Defaults that a dataclass makes anew: Sphinx cannot read what Python calls them, nor then the types beside."""
    return signature and signature.replace("<factory>", "..."), returns


MARKED = re.compile(r"``.*?``|`(?P<code>[^`]+)`(?!_)|(?P<bar>\|)")


def marked(found: re.Match) -> str:
    """Names stay what may become a link; other code does not, and a bar is a bar."""
    if found["bar"]:
        return r"\|"
    code = found["code"]
    return found[0] if not code or re.fullmatch(r"[A-Za-z_][\w.]*", code) else f"``{code}``"


def python_s_own(app: Sphinx, doctree: nodes.document) -> None:
    """Types such as `bytes` are Python's, whatever here has a member of that name."""
    for found in list(doctree.findall(addnodes.pending_xref)):
        if found.get("refdomain") == "py" and hasattr(builtins, found["reftarget"]):
            found.replace_self(nodes.Text(found.children[0].astext()))  # others are what it may be shown as instead


def shortened(app: Sphinx, doctree: nodes.document) -> None:
    """Values of constants that take more than a line, are paths on this machine, or cannot be written, are not shown:
    the sentence below says what they are."""
    for found in list(doctree.findall(addnodes.desc_annotation)):
        text = found.astext()
        if text.startswith(" = ") and (len(text) > 80 or "Path(" in text or "<" in text):
            found.parent.remove(found)


def inline_math(translator, node: nodes.math) -> None:
    translator.body.append(tex2mathml(node.astext(), as_block=False))
    raise nodes.SkipNode


def block_math(translator, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math">{tex2mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    app.connect("source-read", fill_in)
    app.connect("autodoc-process-docstring", as_rst)
    app.connect("autodoc-process-signature", readable)
    app.connect("doctree-read", python_s_own)
    app.connect("doctree-read", shortened)
    app.add_html_math_renderer("mathml", (inline_math, None), (block_math, None))
