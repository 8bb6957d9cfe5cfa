"""MkDocs hooks: pages and pictures at the top of the repository become part of the site, so that no text exists twice.

Between README.md, docs/ and assets/ links are relative to the repository; here they are made relative to the site.
"""

import json
import re
from pathlib import Path

import plotly
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from unigeoclip.growth.figure import growth_figure

ROOT = Path(__file__).resolve().parents[1]
OUTSIDE = {  # file of the repository -> its place in the site
    "README.md": "index.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "LICENSE": "LICENSE",
    "notebooks/explorer.ipynb": "notebooks/explorer.ipynb",
    "assets/ATTRIBUTION.md": "assets/ATTRIBUTION.md",
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files outside of docs/."""
    pictures = {path.relative_to(ROOT).as_posix(): None for path in (ROOT / "assets" / "screenshots").iterdir()}
    for source, target in (OUTSIDE | pictures).items():
        files.append(File.generated(config, target or source, abs_src_path=str(ROOT / source)))
    plotly_js = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    files.append(File.generated(config, plotly_js.name, abs_src_path=str(plotly_js)))
    return files


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Replace the picture of growth, which is for GitHub, by the interactive figure."""
    if page.file.src_uri != "scale.md":
        return html
    figure = growth_figure(json.loads((ROOT / "docs" / "growth.json").read_text()))
    options = {"div_id": "growth-figure", "default_height": 440, "config": {"displayModeBar": False}}
    drawn = figure.to_html(full_html=False, include_plotlyjs="plotly.min.js", **options)
    pattern = r'<p><img alt="([^"]*)" src="growth\.svg" ?/?></p>'
    html, found = re.subn(pattern, lambda image: f'<div role="group" aria-label="{image[1]}">{drawn}</div>', html)
    if not found:
        raise PluginError("docs/scale.md shows no growth.svg.")
    return html


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links at the files' places in the site."""
    inside = page.file.src_uri not in OUTSIDE.values()
    return re.sub(r"\]\(\.\./", "](", markdown) if inside else re.sub(r"\]\(docs/", "](", markdown)
