"""The address that the page has now: what the browser sent, or what was last written and is still on its way there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

_WRITTEN = "address-written"  # key of the session state


def current(of_browser: Collection[str]) -> dict[str, list[str]]:
    """Every key of the address with its values.

    What happens in a fragment is sent with the address that the browser has at that moment. If the last run's has not
    reached it yet, that is an old one, and taking it for a link would undo what the visitor has just done. So the
    address is read where a link is followed ("back", too), which runs the whole page; in the runs of a fragment that
    last written holds, except for what the browser itself writes.

    Args:
        of_browser: The keys that the browser writes.
    """
    sent = {key: st.query_params.get_all(key) for key in st.query_params}
    written: dict[str, list[str]] | None = st.session_state.get(_WRITTEN)
    context = get_script_run_ctx()
    if written is None or context is None or not context.fragment_ids_this_run:
        st.session_state[_WRITTEN] = sent
        return sent
    kept = {key: values for key, values in written.items() if key not in of_browser}
    return kept | {key: values for key, values in sent.items() if key in of_browser}


def replace(wanted: Mapping[str, Sequence[str]]) -> None:
    """Make the address this one."""
    values = {key: list(of_key) for key, of_key in wanted.items()}
    st.session_state[_WRITTEN] = values
    st.query_params.from_dict(values)
