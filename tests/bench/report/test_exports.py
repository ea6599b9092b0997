"""What other tools read: their layout, our numbers."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from bench.core.schema import Condition
from bench.corruptions.catalogue.citations import cite
from bench.report.exports import lm_eval, model_index, references, write_exports
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
    assert clean["mIoU_stderr,none"] == pytest.approx(np.std(score.draws, ddof=1))
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


def test_model_index(block: Block) -> None:
    text = model_index([block])
    assert "verified" not in text
    models = YAML(typ="safe").load(text)["model-index"]
    assert [model["name"] for model in models] == ["GSS-FF", "DeepLabV3+", "Own"]
    (result,) = models[0]["results"]
    assert result["task"]["type"] == "image-segmentation"
    assert (result["dataset"]["type"], result["dataset"]["config"]) == ("scenes", "city")
    assert result["dataset"]["name"] == "Scenes (streets and rooms drawn from code)"
    score = block.score("GSS-FF")
    assert score is not None
    assert result["metrics"][0]["type"] == "mean_iou"
    assert result["metrics"][0]["value"] == score.value
    assert tuple(result["metrics"][0]["args"]["interval_95"]) == score.interval()


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
        "lm-eval-gss-ff.json", "lm-eval-deeplabv3+.json", "lm-eval-own.json", "model-index.yml",
        "references.bib",
    }  # fmt: skip
