"""What other tools read: their layout, our numbers."""

import json
import re
from pathlib import Path

import pytest
from huggingface_hub import parse_eval_result_entries
from ruamel.yaml import YAML

from bench.core.schema import Condition
from bench.corruptions.catalogue.citations import cite
from bench.report.exports import hub_results, lm_eval, references, write_exports
from bench.report.signature import signature
from bench.report.statistics import Block, make_blocks
from tests.helpers.stores import Store, make_cell

FOG = Condition(corruption="fog", severity=1)
CAMSEG = Condition(corruption="camseg_hue", severity=1)


@pytest.fixture
def block(tmp_path: Path) -> Block:
    store = Store(tmp_path)
    for label, method in (("GSS-FF", "gss"), ("DeepLabV3+", "baselines"), ("Own", "own")):
        store.add(make_cell(label, method=method), 0.8)
        store.add(make_cell(label, FOG, method=method), 0.6)
        store.add(make_cell(label, CAMSEG, method=method), 0.6)
    return make_blocks(store.folder)[0]


def test_lm_eval_layout(block: Block) -> None:
    found = json.loads(json.dumps(lm_eval([block], "GSS-FF")))
    tasks = ["scenes-city_clean_predict", "scenes-city_fog-1_predict",
             "scenes-city_camseg-hue-1_predict"]  # fmt: skip
    for part in ("results", "configs", "versions", "n-samples", "higher_is_better"):
        assert list(found[part]) == tasks, part
    score = block.score("GSS-FF")
    assert score is not None
    clean = found["results"][tasks[0]]
    assert clean["mIoU,none"] == score.value
    assert clean["mIoU_stderr,none"] == pytest.approx(score.error)
    assert {"mAcc,none", "aAcc,none"} <= clean.keys()
    assert found["n-samples"][tasks[0]] == {"original": 12, "effective": 12}
    assert found["configs"][tasks[0]]["metadata"]["cells"] == list(score.keys)
    assert found["config"]["model"] == "gss"
    assert found["git_hash"].startswith("0123456789")


def test_limited_runs_do_not_claim_the_whole_split(tmp_path: Path) -> None:
    store = Store(tmp_path, images=3)
    store.add(make_cell("A", limit=3), 0.8)
    (samples,) = lm_eval(make_blocks(store.folder), "A")["n-samples"].values()
    assert samples == {"effective": 3}


def test_hub_results_are_the_hubs_format(block: Block) -> None:
    entries = YAML(typ="safe").load(hub_results([block], "GSS-FF"))
    parsed = parse_eval_result_entries(entries)
    score = block.score("GSS-FF")
    assert score is not None
    assert [entry.task_id for entry in parsed] == ["mIoU", "mAcc", "aAcc"]
    assert parsed[0].dataset_id == "scenes/city"
    assert parsed[0].value == pytest.approx(100 * score.value, abs=1e-4)
    assert parsed[0].notes == signature(block.of("GSS-FF"), "mIoU")
    assert parsed[0].verify_token is None


GSS = "@inproceedings{chen2023gss,\n  title = {Generative Semantic Segmentation}\n}"
SCENES = "@misc{bench_scenes,\n  title = {Scenes}\n}"


def test_references_are_of_what_was_used(block: Block) -> None:
    described = block.folder.manifest().model_copy(
        update={"references": "\n".join((SCENES, GSS, SCENES, *cite(["fog", "camseg_hue"])))}
    )
    block.folder.write_manifest(described)
    text = references([block])
    keys = re.findall(r"^@\w+\{([^,]+),", text, re.MULTILINE)
    assert keys == ["bench_scenes", "chen2023gss", "michaelis2019imagecorruptions",
                    "hendrycks2019robustness", "ahmed2025camseg"]  # fmt: skip
    assert GSS in text
    assert text.count("{") == text.count("}")


def test_missing_references_are_said_to_be_missing(block: Block) -> None:
    assert references([block]).startswith("% The run kept no references")


def test_files(block: Block, tmp_path: Path) -> None:
    write_exports([block], tmp_path / "exports")
    assert {path.name for path in (tmp_path / "exports").iterdir()} == {
        "lm-eval-gss-ff.json", "lm-eval-deeplabv3+.json", "lm-eval-own.json", "references.bib",
        "eval_results-gss-ff.yaml", "eval_results-deeplabv3+.yaml", "eval_results-own.yaml",
    }  # fmt: skip
