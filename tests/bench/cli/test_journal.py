"""What a job writes, whoever follows its journal is told."""

import json

import pytest

from bench.cli import journal as module
from bench.cli.journal import Journal, JournalReader
from bench.core.stage import Stage
from tests.helpers.stores import Store, make_cell

STAGE = Stage(name="codec", modules=("codec",), steps=3, lr=0.1)


class Told:
    """Remembers what it is told."""

    def __init__(self):
        self.events = []

    def __getattr__(self, event):
        return lambda *content, **named: self.events.append((event, *content, *named.values()))


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "runs", images=2)


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "jobs" / "journal-0.jsonl")
    yield journal
    journal._file.close()


@pytest.fixture
def reader(tmp_path, store):
    return JournalReader(tmp_path / "jobs" / "journal-0.jsonl", store.folder.cells)


def replay(reader):
    told = Told()
    reader.replay(told)
    return told.events


def test_events_come_back_in_order_and_once(journal, reader):
    journal.begin("training [GSS]", 600)
    journal.stage("GSS", STAGE)
    journal.say("a line")
    events = [("begin", "training [GSS]", 600), ("stage", "GSS", STAGE), ("say", "a line")]
    assert replay(reader) == events
    assert replay(reader) == []
    journal.say("ßü")
    assert replay(reader) == [("say", "ßü")]


def test_cells_come_from_the_store_under_the_names_of_the_job(journal, reader, store):
    done = store.add(make_cell("A"), 0.8)
    failed = store.fail(make_cell("B"), "Diverged")
    renamed = done.model_copy(update={"cell": done.cell.model_copy(update={"label": "Ours"})})
    for record in (renamed, failed, done.model_copy(update={"key": "none"})):
        journal.cell(record, None)
    (first, record, counts), (second, other, nothing) = replay(reader)
    assert (first, second) == ("cell", "cell")
    assert (record.key, record.cell.label) == (done.key, "Ours")
    assert counts.num_images == 2
    assert (other, nothing) == (failed, None)


def test_a_line_that_is_being_written_waits(journal, reader):
    line = json.dumps({"event": "say", "text": "whole"})
    journal._file.write(line[:10])
    journal._file.flush()
    assert replay(reader) == []
    journal._file.write(line[10:] + "\n")
    assert replay(reader) == [("say", "whole")]


def test_a_job_that_has_not_begun_says_nothing(reader):
    assert replay(reader) == []


def test_advances_are_written_now_and_then(journal, reader, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    journal.begin("training", 100)
    for done in range(1, 101):
        now[0] += 0.125
        journal.advance(done, f"loss {done}")
    events = replay(reader)[1:]
    assert events == [("advance", done, f"loss {done}") for done in range(4, 101, 4)]
