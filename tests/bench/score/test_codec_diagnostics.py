"""Codecs that went wrong are named, and only those."""

import io

import numpy as np
from rich.console import Console as Terminal

from bench.cli.console import Console
from bench.cli.main import main
from bench.core.schema import CLEAN, Condition
from bench.score.codec_diagnostics import examine
from bench.store.cells import Preview
from tests.helpers.stores import CLASSES, Store, count, make_cell

NOISE = Condition(corruption="latent_noise", severity=1)
SUITE = """
name: codecs
question: Which codec went wrong?
methods:
  - {adapter: codec, label: Identity, preset: tiny_identity}
  - {adapter: codec, label: Hardly trained, preset: tiny, config: {train_codec: {steps: 1}}}
train_on: [{dataset: scenes, subset: city, options: {images: 8}}]
test_on: [{dataset: scenes, subset: city, options: {images: 4}}]
tasks: [reconstruct]
seeds: [0, 1]
protocol: {resize: [32, 64], eval_at: input, metrics: [mIoU]}
"""


def finding(store, label, measured, spoil=lambda truth: truth, condition=CLEAN):
    """Write a reconstruction that spoils the truth, and examine the store."""
    cell = make_cell(label, condition, task="reconstruct")
    record = store.add(cell, 1.0).model_copy(update={"measured": measured})
    preview = store.folder.preview(record.key)
    assert isinstance(preview, Preview)
    store.folder.cells.write(record, count(store.truth, spoil(store.truth)), preview)
    return examine([record], store.folder.counts)


def test_healthy_codecs_pass(tmp_path):
    store = Store(tmp_path)
    assert finding(store, "VQ", {"codebook_use": 0.05, "kl_bits_per_latent": 0.01}) == []
    assert finding(store, "Identity", {}) == []


def test_collapses_are_found_by_their_measures(tmp_path):
    store = Store(tmp_path)
    (book,) = finding(store, "VQ", {"codebook_use": 0.031})
    assert (book.kind, book.text) == (
        "collapsed codebook",
        "3.1% of the codes are used, less than 5%",
    )
    (posterior,) = finding(store, "KL", {"kl_bits_per_latent": 0.0042})
    assert posterior.kind == "posterior collapse"
    assert posterior.text == "0.0042 bits per latent, less than 0.01"
    assert finding(store, "Noisy", {"codebook_use": 0.0}, condition=NOISE) == []


def test_a_class_that_comes_back_as_another_is_named(tmp_path):
    store = Store(tmp_path)
    (lost,) = finding(store, "GSS", {}, lambda truth: np.where(truth == 1, 3, truth))
    assert lost.kind == "classes not separated"
    assert lost.text == f"{CLASSES[1]} comes back as {CLASSES[3]} (100% of it)"


def test_many_lost_classes_are_counted(tmp_path):
    (lost,) = finding(
        Store(tmp_path), "GSS", {}, lambda truth: np.where(truth < 4, (truth + 1) % 4, truth)
    )
    assert lost.text.count("comes back") == 3
    assert lost.text.endswith("; and 1 more")


def test_the_closing_table_names_codec_and_fault(tmp_path):
    console = Console("mIoU")
    console.terminal = Terminal(file=io.StringIO(), width=140)
    console.findings(finding(Store(tmp_path), "VQ 4096", {"codebook_use": 0.01}))
    text = console.terminal.file.getvalue()
    assert "Codec problems" in text
    assert "VQ 4096" in text
    assert "collapsed codebook" in text


def test_a_run_ends_with_the_codecs_to_mend(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    (tmp_path / "codecs.yaml").write_text(SUITE)
    assert main(["run", "codecs.yaml"]) == 0
    shown = capsys.readouterr().out
    assert "Codec problems" in shown
    closing = shown[shown.index("Codec problems") : shown.index("Family")]
    assert "Hardly trained" in closing
    assert "0, 1" in closing
    assert "classes not separated" in closing
    assert "Identity" not in closing
