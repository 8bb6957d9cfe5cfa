"""When what an answer lacks is found."""

import math
from concurrent.futures import Executor, Future
from dataclasses import replace
from types import SimpleNamespace

import pytest

from pages.ui.explore import session
from pages.ui.explore.model import Answer
from pages.ui.services.answers.completions import Completions
from unigeoclip.errors import InputError
from unigeoclip.search.explorer import Match


@pytest.fixture
def clock():
    clock = SimpleNamespace(now=100.0, monotonic=lambda: clock.now)
    return clock


class AtOnce(Executor):
    """An executor that has done everything when it is asked to."""

    def shutdown(self, wait=True, *, cancel_futures=False):
        pass

    def submit(self, work, *arguments):
        future = Future()
        try:
            future.set_result(work(*arguments))
        except InputError as error:
            future.set_exception(error)
        return future


class Finds:
    def place_matches(self, query, place_id):
        return {"aerial": match(0.5)}


class Refuses:
    def place_matches(self, query, place_id):
        raise InputError("There is no such place.")


def match(similarity):
    return Match("aerial", "w1", "Somewhere", 0.0, 0.0, similarity, None, None)


@pytest.fixture
def completions(clock, serve):
    made = Completions(AtOnce(), clock.monotonic)
    serve(completions=made)
    made.note_query()
    return made


@pytest.fixture
def visitor(clock, completions):
    answer = Answer((), None, None, None, None, {}, 10, (), {"aerial": match(math.nan)})
    return session.Session("world", answer=answer, queried_at=clock.now)


def autocomplete(visitor, explorer):
    return visitor.autocomplete(explorer, visitor.answer)


def test_it_waits_until_nobody_has_asked_for_a_moment(visitor, clock):
    clock.now += session.QUIET_S - 0.1
    assert not autocomplete(visitor, Finds())
    assert visitor.completing is None
    clock.now += 0.2
    assert not autocomplete(visitor, Finds())  # begun
    assert autocomplete(visitor, Finds())
    visitor.complete_places()
    assert visitor.answer.here["aerial"].similarity == 0.5
    assert not visitor.answer.missing


def test_where_somebody_always_asks_it_waits_no_longer_than_so_long(visitor, clock, completions):
    for _ in range(20):
        clock.now += 1.0
        completions.note_query()
        if autocomplete(visitor, Finds()):
            break
    assert clock.now - visitor.queried_at == pytest.approx(session.PATIENCE_S + 1)


def test_what_cannot_be_found_is_said_once(visitor, clock):
    clock.now += session.QUIET_S
    autocomplete(visitor, Refuses())
    visitor.complete_places()
    assert visitor.problem == "There is no such place."
    assert not visitor.answer.missing


def test_what_is_found_of_an_older_answer_does_not_count(visitor, clock):
    clock.now += session.QUIET_S
    autocomplete(visitor, Finds())
    newer = visitor.answer = replace(visitor.answer, here={"aerial": match(math.nan)})
    visitor.complete_places()
    assert visitor.answer is newer
    assert newer.missing


def test_more_results_do_not_begin_the_search_anew(visitor, clock):
    clock.now += session.QUIET_S
    autocomplete(visitor, Finds())
    visitor.answer = replace(visitor.answer, count=20)
    assert autocomplete(visitor, Finds())
    visitor.complete_places()
    assert visitor.answer.here["aerial"].similarity == 0.5
