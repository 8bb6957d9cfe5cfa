"""Typed access to Streamlit's session state, which is a dictionary with free keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import streamlit as st

if TYPE_CHECKING:
    from typing import Self

T = TypeVar("T")


class SessionValue(Generic[T]):
    """An attribute whose value is kept in the session state, for example that of a widget.

    Args:
        key: In the session state; where it is a widget's, the key to give to the widget.
        default: Value until there is another.
    """

    def __init__(self, key: str, default: T) -> None:
        self.key, self.default = key, default

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type[Any]) -> T: ...

    def __get__(self, instance: object | None, owner: type[Any]) -> Self | T:
        if instance is None:
            return self
        value: T = st.session_state.get(self.key, self.default)
        return value

    def __set__(self, instance: object, value: T) -> None:
        st.session_state[self.key] = value
