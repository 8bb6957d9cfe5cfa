"""Parts of a page that run in the browser: HTML, and the script of ``assets/web`` that fills it."""

from __future__ import annotations

from functools import cache
from typing import Any

import streamlit as st


@cache
def component(name: str, script: str, html: str) -> Any:
    """A Streamlit component, made known once; to call it draws it.

    Args:
        name: Its name among ours.
        script: A module below ``assets/web`` that exports ``render(component)``, see ``bus.js`` for what that returns.
        html: What it begins with; not isolated from the page, whose colours and type it has.
    """
    loader = f"""
let module;
export default async function (component) {{
  module ??= await import(new URL("/web/{script}", window.location.origin).href);
  return module.render(component);
}}
"""
    return st.components.v2.component(f"unigeoclip_{name}", html=html, js=loader, isolate_styles=False)
