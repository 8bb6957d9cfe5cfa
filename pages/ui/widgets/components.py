"""Parts of a page that run in the browser: HTML, and the script of ``assets/web`` that fills it."""

from __future__ import annotations

from functools import cache
from typing import Any

import streamlit as st

from pages.ui.http.urls import urls


@cache
def component(name: str, html: str) -> Any:
    """A Streamlit component, made known once; to call it draws it.

    Args:
        name: Of the folder in ``assets/web/components`` and of the module in it, which exports ``render(component)``;
            that may return the clean-up, see ``bus.js``.
        html: What it begins with; not isolated from the page, whose colors and type it has.
    """
    # Import once: of two imports of one module the second may finish first, and the older run would then draw last.
    path = urls.file(f"components/{name}/{name}.js")
    loader = f"""
let loading;
function load() {{
  const module = import(new URL("{path}", window.location.origin).href);
  module.catch(() => (loading = undefined)); // the next run tries again
  return module;
}}
export default async function (component) {{
  loading ??= load();
  return (await loading).render(component);
}}
"""
    return st.components.v2.component(f"unigeoclip_{name}", html=html, js=loader, isolate_styles=False)


def stylesheet(path: str) -> str:
    """An element that loads a style sheet below ``assets/web``."""
    return f'<link rel="stylesheet" href="{urls.file(path)}">'
