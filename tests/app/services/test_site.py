"""The address of a published site: an environment variable, checked when the app starts."""

import pytest

from pages.ui.services.operation.site import MAX_LENGTH, SITE, site_from_environment
from unigeoclip.errors import InputError


@pytest.mark.parametrize(
    "address",
    ["https://example.org/map/", "http://192.0.2.7:8080/", "https://example.org", "https://example.org/map/?v=2",
     "https://[2001:db8::1]/map/", "https://example.org/" + (MAX_LENGTH - 20) * "x"],
)  # fmt: skip
def test_addresses_of_the_web_are_taken_as_they_are(monkeypatch, address):
    monkeypatch.setenv(SITE, f" {address} ")
    assert site_from_environment() == address


def test_without_the_variable_there_is_none(monkeypatch):
    monkeypatch.delenv(SITE, raising=False)
    assert site_from_environment() == ""


@pytest.mark.parametrize(
    "address",
    ["example.org/map", "ftp://example.org/", "javascript:alert(1)", "https://", "https:///map", "https://example.org/#world",
     "https://me:secret@example.org/", "https://example.org:port/", "https://exa mple.org/", "https://example.org/\\..",
     "https://example.org/a\nb", "https://exämple.org/", 'https://example.org/"><script>', "https://[2001:db8::1/",
     "https://example.org/" + MAX_LENGTH * "x"],
)  # fmt: skip
def test_anything_else_is_refused_in_one_line(monkeypatch, address):
    monkeypatch.setenv(SITE, address)
    with pytest.raises(InputError, match=SITE) as refused:
        site_from_environment()
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400
