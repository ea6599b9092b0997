"""Whether the Hub can be reached: asked once, and never where it is ruled out."""

import huggingface_hub
import pytest
from huggingface_hub import constants

from methods._nn.hub import hub_answers


class Session:
    def __init__(self, error=None):
        self.error, self.calls = error, 0

    def head(self, url, timeout):
        self.calls += 1
        if self.error:
            raise self.error


@pytest.fixture
def session(monkeypatch):
    hub_answers.cache_clear()
    made = Session()
    monkeypatch.setattr(huggingface_hub, "get_session", lambda: made)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    yield made
    hub_answers.cache_clear()


@pytest.mark.parametrize("error", [None, ConnectionError("no route"), RuntimeError("another")])
def test_it_is_asked_once(session, error):
    session.error = error
    assert [hub_answers(), hub_answers()] == [error is None] * 2
    assert session.calls == 1


def test_it_is_not_asked_where_it_is_ruled_out(session, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert not hub_answers()
    assert session.calls == 0
