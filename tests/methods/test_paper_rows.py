"""Every method that the papers' tables compare is one of `suites/papers/baselines.yaml`."""

import csv
from pathlib import Path

import pytest

from bench.core.registry import resolve_config
from bench.core.resources import SUITES
from bench.suite.reading import read_suite

REPORTED = Path(__file__).parents[2] / "results" / "papers"
TABLES = {
    "gss": ("2", "4", "5", "6"),
    "cam_seg": ("abstract",),
    "seg_var": ("main(panoptic)", "main(semantic)", "main(instance)"),
}
ROWS = {
    "FCN": {"FCN"},
    "PSPNet": {"PSPNet"},
    "DeepLab-v3+": {"DeepLabV3+"},
    "NonLocal": {"NonLocal"},
    "CCNet": {"CCNet"},
    "DANet": {"DANet"},
    "OCRNet": {"OCRNet"},
    "UperNet": {"UPerNet"},
    "MaskFormer": {"MaskFormer"},
    "Mask2Former": {"Mask2Former"},
    "SETR": {"SETR-Naive", "SETR-PUP", "SETR-MLA"},
    "SegFormer": {"SegFormer"},
    "UViM(repro)": {"UViM", "UViM, one pass"},
    "UViM, no maskige": {"UViM"},
    "VQGAN, no maskige": {"VQGAN, without colours"},
    "VQGAN, maskige": {"VQGAN, with colours"},
    "DALL-E, maskige": {"DALL-E's dVAE, with colours"},
    "GSS": {"GSS-FF"},
    "GSS-FF": {"GSS-FF"},
    "GSS-FT-W": {"GSS-FT-W"},
    "CCSA": {"CCSA"},
    "MGDA": {"MGDA"},
    "MSeg": {"HRNet"},
    "MSeg(repro)": {"HRNet"},
    "CAM-Seg": {"CAM-Seg"},
    "VQ-VAE vs KL-VAE": {"VQ autoencoder", "KL autoencoder"},
    "Seg-VAR": {"Seg-VAR"},
}
"""Method as the tables name it, and the labels that it has in the suite."""


@pytest.fixture(scope="module")
def entries():
    return {m.title: m for m in read_suite(SUITES / "papers" / "baselines.yaml").suite.methods}


def reported(paper):
    with (REPORTED / f"{paper}.csv").open(newline="") as file:
        return {row["method"] for row in csv.DictReader(file) if row["table"] in TABLES[paper]}


@pytest.mark.parametrize("paper", TABLES)
def test_every_row_of_a_comparison_is_in_the_suite(paper, entries):
    rows = reported(paper)
    assert rows
    for row in rows:
        assert ROWS[row] <= entries.keys(), row


def test_no_label_stands_for_a_row_that_no_table_has(entries):
    assert ROWS.keys() == set().union(*(reported(paper) for paper in TABLES))


def test_rows_are_trained_as_what_they_are_called(entries):
    for label in ("CCSA", "MGDA"):
        config = resolve_config("decode_heads", entries[label].preset, entries[label].config)
        assert (config.head, config.domains) == ("hrnet", label.lower())
    heads = {"FCN": "fcn", "NonLocal": "nonlocal", "CCNet": "ccnet", "DANet": "danet"}
    for label, head in heads.items():
        entry = entries[label]
        assert resolve_config(entry.adapter, entry.preset, entry.config).head == head
