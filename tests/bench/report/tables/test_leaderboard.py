"""The leaderboard: its order, its columns, and what is said of one training each."""

from pathlib import Path

from bench.core.schema import CLEAN, Condition, DataRef
from bench.report.statistics import Block, make_blocks
from bench.report.tables.leaderboard import Board, make_board
from tests.helpers.stores import FLOOR, Store, make_cell

FOG = Condition(corruption="fog", severity=3)


def board(path: Path, seeds: tuple[int, ...]) -> Board:
    store = Store(path)
    for label, accuracy in ((FLOOR, 0.3), ("Weak", 0.5), ("Strong", 0.9)):
        for seed in seeds:
            for condition in (CLEAN, FOG):
                loss = 0.2 * (condition != CLEAN) * (label != FLOOR)
                store.add(make_cell(label, condition, seed=seed), accuracy - loss)
    store.add(make_cell("Strong", task="reconstruct"), 0.95)
    night = DataRef(dataset="scenes", subset="night", split="val")
    store.add(make_cell("Strong", test_on=night), 0.4)
    families = {"Strong": "generative", "Weak": "discriminative", FLOOR: ""}
    store.folder.write_manifest(store.folder.manifest().model_copy(update={"families": families}))
    blocks: list[Block] = make_blocks(store.folder)
    return make_board(blocks[0], blocks[1:])


def test_methods_stand_in_the_order_of_their_clean_score(tmp_path: Path) -> None:
    made = board(tmp_path, (0, 1, 2))
    assert [row[0].text for row in made.table.rows] == ["Strong", "Weak", FLOOR]
    assert made.families == ("generative", "discriminative", "floor")
    assert made.table.columns[:7] == (
        *("Method", "Family", "Rank", "mIoU ↑", "mPC ↑", "Above floor ↑", "Ceiling ↑"),
    )
    assert made.table.columns[7] == "scenes/night ↑"  # another domain is a column
    assert made.table.columns[-1] == "Seeds"
    assert [row[2].text for row in made.table.rows] == ["1", "2", "3"]
    assert made.table.rows[0][3].best
    assert [row[-1].value for row in made.table.rows] == [3, 3, 3]
    assert made.table.rows[2][5].number == "–"  # the floor has nothing above the floor


def test_one_training_each_has_no_rank_and_no_bold(tmp_path: Path) -> None:
    made = board(tmp_path, (0,))
    assert "Rank" not in made.table.columns
    assert not any(entry.best for row in made.table.rows for entry in row)
    assert "One training each: no rank." in made.table.caption


def test_a_share_above_the_floor_that_is_no_number_is_none_on_the_page(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for label, accuracy in ((FLOOR, 0.6), ("Below", 0.3)):
        for condition in (CLEAN, FOG):
            store.add(make_cell(label, condition), accuracy)
    made = make_board(make_blocks(store.folder)[0])
    row = [each[0].text for each in made.table.rows].index("Below")
    assert made.by_corruption["fog"][row][-1] == ("–", None)
    entry = made.table.rows[row][made.columns[-1]]
    assert (entry.number, entry.extent) == ("–", "")


def test_a_corruption_takes_the_place_of_the_mean_over_all(tmp_path: Path) -> None:
    made = board(tmp_path, (0, 1))
    assert list(made.by_corruption) == ["fog"]
    for column, place in zip(made.columns, (0, 1), strict=True):
        values = [row[column].value for row in made.table.rows]
        assert [row[place][1] for row in made.by_corruption["fog"]] == values
