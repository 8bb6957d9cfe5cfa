"""MkDocs hooks: pages and pictures at the top of the repository become part of the site, so that no text exists twice.

Between README.md, docs/ and assets/ links are relative to the repository; here they are made relative to the site.
"""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

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
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links at the files' places in the site."""
    inside = page.file.src_uri not in OUTSIDE.values()
    return re.sub(r"\]\(\.\./", "](", markdown) if inside else re.sub(r"\]\(docs/", "](", markdown)
