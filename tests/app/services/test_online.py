"""Online pictures for all visitors: nothing before a look, limits, recent looks, failures as sentences."""

import threading

import pytest

from pages.ui.services.online import KEPT, LOOKS, MOST_AWAITED, ONLINE, PATIENCE_S, Missing, OnlinePictures, Spot
from pages.ui.services.rate_limits import RateLimits
from unigeoclip.errors import DownloadError, InputError
from unigeoclip.sources.spot import NothingThereError

HERE = Spot(42.36, -71.06, 225.0, 100.0)


def spot(number):
    return HERE._replace(lat=40 + number / 1000)


@pytest.fixture
def online():
    """Makes the service over these fetchers; all are ended."""
    made = []

    def make(**options):
        made.append(OnlinePictures(**options))
        return made[-1]

    yield make
    for each in made:
        each.close()


class Counting:
    """A fetcher that returns a name, or raises what it was given."""

    def __init__(self, *failures):
        self.failures, self.asked = list(failures), []

    def __call__(self, where, web):
        self.asked.append((where, web))
        if self.failures and (failure := self.failures.pop(0)) is not None:
            raise failure
        return f"picture {len(self.asked)}"


def parts(look):
    for future in look.parts.values():
        future.result(20)
    return [look.part(name) for name in look.parts]


def test_making_it_starts_nothing(online):
    before = threading.active_count()
    service = online()
    assert service.is_offered
    assert threading.active_count() == before


@pytest.mark.parametrize(("value", "offered"), [(None, True), ("1", True), ("0", False)])
def test_the_operator_decides(monkeypatch, value, offered):
    monkeypatch.delenv(ONLINE, raising=False)
    if value is not None:
        monkeypatch.setenv(ONLINE, value)
    service = OnlinePictures.from_environment()
    assert service.is_offered == offered
    if not offered:
        with pytest.raises(InputError, match="switched off on this server"):
            service.look(HERE, "a")
    service.close()


def test_another_value_is_refused(monkeypatch):
    monkeypatch.setenv(ONLINE, "no")
    with pytest.raises(InputError, match="UNIGEOCLIP_ONLINE is 'no'; it takes 0 or 1"):
        OnlinePictures.from_environment()


def test_a_recent_look_is_not_repeated(online):
    fetch, clock = Counting(), [0.0]
    service = online(fetchers={"aerial": fetch}, clock=lambda: clock[0])
    look = service.look(HERE, "a")
    assert parts(look) == ["picture 1"]
    assert service.look(HERE, "b") is look
    clock[0] = 4000
    assert parts(service.look(HERE, "a")) == ["picture 2"]
    for number in range(KEPT):
        parts(service.look(spot(number), str(number)))
    assert parts(service.look(HERE, "a")) == [f"picture {KEPT + 3}"], "the oldest are forgotten"


def test_requests_of_all_keep_one_pace(online):
    fetch = Counting()
    service = online(fetchers={"aerial": fetch})
    parts(service.look(HERE, "a"))
    parts(service.look(spot(1), "b"))
    (_, one), (_, other) = fetch.asked
    assert one is not other
    assert one._pace is other._pace


@pytest.mark.parametrize(
    ("failure", "words", "may_pass"),
    [(NothingThereError("Nothing here."), "Nothing here.", False), (DownloadError("x did not answer."), "x did", True),
     (ZeroDivisionError("a fault of ours"), "could not be fetched; the server's log", True)],
)  # fmt: skip
def test_a_failure_is_a_sentence_and_may_be_tried_again(online, failure, words, may_pass):
    fetch = Counting(failure)
    service = online(fetchers={"aerial": fetch})
    look = service.look(HERE, "a")
    (missing,) = parts(look)
    assert isinstance(missing, Missing)
    assert words in missing.words
    assert look.may_change == may_pass
    again = service.look(HERE, "a")
    assert (again is look) != may_pass
    assert parts(again) == (["picture 2"] if may_pass else [missing])


def test_a_visitor_in_a_hurry(online):
    service = online(fetchers={"aerial": Counting()}, limits=RateLimits(LOOKS, 1 / 6, lambda: 0.0))
    for number in range(LOOKS):
        parts(service.look(spot(number), "a"))
    with pytest.raises(InputError, match="Try again in a minute"):
        service.look(spot(LOOKS), "a")
    assert parts(service.look(spot(0), "a")) == ["picture 1"], "what is known is free"
    assert parts(service.look(spot(LOOKS), "b"))


def test_services_that_hang_keep_nobody_waiting(online):
    release, clock = threading.Event(), [0.0]

    def hang(where, web):
        release.wait(20)
        return "late"

    service = online(fetchers={"aerial": hang}, clock=lambda: clock[0])
    look = service.look(HERE, "a")
    assert look.part("aerial") is None
    assert look.awaited == 1
    for number in range(MOST_AWAITED - 1):
        service.look(spot(number), str(number))
    with pytest.raises(InputError, match="Many pictures are being fetched"):
        service.look(spot(99), "z")
    clock[0] = PATIENCE_S + 1
    assert look.part("aerial").words == "No answer in time. Try again later."
    assert look.awaited == 0
    release.set()
    assert parts(look) == ["late"]
