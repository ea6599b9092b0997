"""Whatever is told of a run's advance can be told to a terminal, to one of its jobs, to a file."""

import inspect

import pytest

from bench.cli.console import Console, JobProgress
from bench.cli.journal import Journal
from bench.engine.progress import Progress

EVENTS = [name for name in vars(Progress) if not name.startswith("_")]


@pytest.mark.parametrize("listener", [Console, JobProgress, Journal])
@pytest.mark.parametrize("event", EVENTS)
def test_every_listener_takes_every_event(listener, event):
    assert event in vars(listener), "inherited from the interface, which does nothing"
    expected = inspect.signature(getattr(Progress, event))
    assert inspect.signature(getattr(listener, event)) == expected


def test_events_are_those_of_a_run():
    assert EVENTS == ["begin", "advance", "say", "stage", "cell"]
