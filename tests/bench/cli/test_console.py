"""What the terminal shows: text as it is, and progress where there is no terminal."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console as Terminal

from bench.cli import console as module
from bench.cli.console import Console, duration
from bench.core.manifest import Need, Unavailable
from bench.core.record import Record
from bench.core.schema import Cell, Condition, DataRef, Protocol
from bench.core.stage import Stage
from bench.engine.cost import Cost
from bench.engine.progress import Progress
from bench.score.codec_diagnostics import CodecProblem

LABEL = "GSS [bold]x[/]"
ERROR = "[red] is not [/blue] a shape [2, 3]"


@pytest.fixture
def console():
    console = Console("mIoU")
    console.terminal = Terminal(file=io.StringIO(), width=160, highlight=False, soft_wrap=True)
    return console


def shown(console) -> str:
    return console.terminal.file.getvalue()


def record() -> Record:
    cell = Cell(
        suite="trial",
        method="gss",
        label=LABEL,
        preset="tiny",
        config={},
        train_on=DataRef(dataset="scenes", subset="[a]", split="train"),
        test_on=DataRef(dataset="scenes", subset="[b]", split="val"),
        condition=Condition(),
        task="reconstruct",
        seed=0,
        protocol=Protocol(resize=(8, 8)),
        mapping="soft",
    )
    return Record(key="k", status="failed", cell=cell, error=ERROR)


def test_it_is_what_the_engine_reports_to():
    assert Progress in Console.__mro__


def test_brackets_are_no_markup(console):
    console.stage(LABEL, Stage(name="codec [1]", modules=("codec",), steps=3))
    console.cell(record(), None)
    console.say(f"{LABEL}: said")
    console.failures([record(), record()])
    need = Need(what="[data]", remedy="[get] it")
    console.unavailable([Unavailable(cell=record().cell, needs=(need,))])
    console.findings([CodecProblem(record(), "kind [k]", "text [/t]")])
    console.costs([Cost(LABEL, 0, 1, 1, 2, 2, 3.0, None, None)])
    fields = {"record": record(), "fault": ERROR, "images": 2, "moved": 1, "pixels": 9}
    verified = SimpleNamespace(**fields, within=lambda tolerance: False)
    console.verified(verified, 0.0)
    text = shown(console)
    assert f"{LABEL}: training codec [1] (3 steps)" in text
    assert f"{LABEL}: said" in text
    assert text.count(LABEL) == 8
    assert text.count(ERROR) == 2
    for part in ("scenes/[a]", "scenes/[b]", "needs [data]", "[get] it", "kind [k]", "text [/t]"):
        assert part in text


def test_each_error_is_printed_once_with_its_number_of_cells(console):
    console.failures([record(), record()])
    row = next(line for line in shown(console).splitlines() if ERROR in line)
    assert row.split(ERROR)[0].split()[-1] == "2"


def test_nothing_is_printed_where_nothing_is_missing(console):
    console.unavailable([])
    assert shown(console) == ""


def test_progress_is_printed_now_and_then_without_a_terminal(console, monkeypatch):
    now = [module.time.monotonic()]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    console.begin("training [GSS]", 600)
    for done in range(1, 601):
        now[0] += 0.25
        console.advance(done, "loss [0.5]")
    lines = [line for line in shown(console).splitlines() if "training" in line]
    assert 3 <= len(lines) <= 7
    assert all("training [GSS] " in line and "/600 loss [0.5]" in line for line in lines)


def test_the_processes_that_are_not_the_first_print_nothing(capsys):
    with Console("mIoU", speaks=False) as silent:
        silent.begin("training", 2)
        silent.advance(1)
        silent.say("something")
    assert capsys.readouterr().out == ""


def test_a_terminal_shows_a_bar(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with Console("mIoU") as console:
        console.begin("training [GSS]", 2)
        console.advance(1, "loss [0.5]")
    output = capsys.readouterr().out
    assert "training [GSS]" in output
    assert "loss [0.5]" in output


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "not measured yet"), (40, "40 s"), (89, "89 s"), (600, "10 min"), (3900, "65 min"),
     (7500, "2 h 05 min")],
)  # fmt: skip
def test_durations(seconds, text):
    assert duration(seconds) == text
