"""HTML from Jinja2 templates: every value is escaped, and a name that a template does not get is an error."""

from __future__ import annotations

import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

_LINE_BREAK_BETWEEN_TAGS = re.compile(r">[ \t]*\n[ \t\n]*<")
_SPACES = re.compile(r"[ \t\n]+")  # none of the spaces that do not break


def render(template: str, **values: Any) -> str:
    """HTML of a template.

    A line break of a template is nothing between tags, and a space elsewhere.

    Args:
        template: Path below ``pages/ui``, such as ``atlas/templates/facts.html``.
        values: What the template shows: plain data, escaped where it is shown.

    Raises:
        jinja2.TemplateNotFound: There is no such file.
        jinja2.UndefinedError: The template asks for a value that it was not given.
    """
    html = _ENVIRONMENT.get_template(template).render(values)
    return _SPACES.sub(" ", _LINE_BREAK_BETWEEN_TAGS.sub("><", html)).strip()


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pages.ui", ""),  # found in a checkout and in an installed package alike
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = "{:,}".format
    environment.filters["sentence"] = _sentence
    return environment


def _sentence(text: str) -> str:
    """A phrase as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


_ENVIRONMENT = _environment()
