"""What the chosen built-in task is: its target, source and license, and how to read a score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.widgets.templating import render

if TYPE_CHECKING:
    from unigeoclip.tasks.task import Task


def task_card(task: Task | None, known: int) -> None:
    """Draw it; without a task at hand, say how to get one."""
    if task is None:
        words = "No labels of built-in tasks are on this machine: download them with" if known else ""
        st.html(render("probe/templates/none.html", words=words, command="python -m unigeoclip tasks download all"))
        return
    st.html(
        render(
            "probe/templates/task.html",
            what=f"{task.what.rstrip('.')}.",
            unit=task.unit,
            rows=task.n,
            reading=task.reading,
            sources=[
                {"name": each.name, "url": each.url, "license": each.license, "date": each.date}
                for each in task.sources
            ],
        )
    )
