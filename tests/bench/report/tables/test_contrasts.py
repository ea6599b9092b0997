"""The table of declared contrasts has a line per contrast and stored score."""

from bench.report.statistics import Block
from bench.report.tables.contrasts import contrast_tables


def test_every_stored_score_has_its_line(codecs: Block) -> None:
    (table,) = contrast_tables(codecs)
    assert {row[0].text for row in table.rows} == {"equal stride", "equal rate"}
    scores = [row[1].text for row in table.rows if row[0].text == "equal rate"]
    assert scores[:4] == ["mIoU", "mAcc", "aAcc", "boundary_IoU"]
    assert all(row[4].low is not None for row in table.rows if row[1].text == "mIoU")
