"""The same numbers for other tools: lm-evaluation-harness, the Hugging Face Hub, BibTeX."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml
from ruamel.yaml import YAML

from bench.core.files import write_text
from bench.core.record import Record
from bench.core.schema import CLEAN, Condition, Task
from bench.report.signature import signature
from bench.report.statistics import Block
from bench.score.metrics import METRICS
from bench.score.resampling import RESAMPLES
from bench.score.stats import Estimate


def write_exports(blocks: Sequence[Block], folder: Path) -> None:
    """Write ``lm-eval-LABEL.json`` and ``eval_results-LABEL.yaml`` of each method, and BibTeX.

    The second goes into the folder ``.eval_results`` of a model on the Hugging Face Hub.
    """
    for label in _labels(blocks):
        content = json.dumps(lm_eval(blocks, label), indent=2)
        write_text(folder / f"lm-eval-{slug(label)}.json", content + "\n")
        write_text(folder / f"eval_results-{slug(label)}.yaml", hub_results(blocks, label))
    write_text(folder / "references.bib", references(blocks))


def slug(text: str) -> str:
    """Turn a label into part of a file name."""
    return re.sub(r"[^a-z0-9+]+", "-", text.lower()).strip("-")


def _labels(blocks: Sequence[Block]) -> list[str]:
    return list(dict.fromkeys(label for b in blocks for label in b.labels if b.of(label)))


def _tasks(block: Block, label: str) -> Iterator[tuple[Record, Condition, Task]]:
    """Yield a finished record of each condition and task of a method."""
    for condition in (CLEAN, *block.conditions):
        for task in ("predict", "reconstruct"):
            for record in block.of(label, condition, task)[:1]:
                yield record, condition, record.cell.task


def _scores(
    block: Block, label: str, condition: Condition, task: Task
) -> Iterator[tuple[str, Estimate]]:
    """Yield what is reported of a condition: of corrupted images the primary score alone."""
    for name in block.metrics if condition == CLEAN else (block.primary,):
        score = block.score(label, name, condition, task)
        if score is not None and not np.isnan(score.value):
            yield name, score


def lm_eval(blocks: Sequence[Block], label: str) -> dict[str, Any]:
    """Lay a method's results out as lm-evaluation-harness does (its ``results_*.json``).

    A task is a test set under a condition. ``original`` under ``n-samples`` is left out of
    limited runs: a record does not know how many images there would have been.
    """
    layout: dict[str, dict[str, Any]] = {
        name: {} for name in ("results", "configs", "versions", "n-samples", "higher_is_better")
    }
    used: list[Record] = []
    for block in blocks:
        for record, condition, task in _tasks(block, label):
            cell = record.cell
            used += block.of(label, condition, task)
            name = "_".join((slug(block.title), slug(str(condition)), task))
            scores = dict(_scores(block, label, condition, task))
            layout["results"][name] = {"alias": f"{block.title}, {condition}, {task}"}
            for metric, score in scores.items():
                layout["results"][name][f"{metric},none"] = score.value
                layout["results"][name][f"{metric}_stderr,none"] = score.error
            layout["configs"][name] = {
                "task": name,
                "dataset_path": cell.test_on.dataset,
                "dataset_name": cell.test_on.subset,
                "test_split": cell.test_on.split,
                "metric_list": [
                    {"metric": metric, "definition": METRICS[metric].definition,
                     "absent": METRICS[metric].absent, "higher_is_better": True}
                    for metric in scores
                ],
                "metadata": {
                    "condition": str(condition),
                    "task": task,
                    "train_on": cell.train_on.model_dump(mode="json"),
                    "protocol": cell.protocol.model_dump(mode="json"),
                    "test_data": record.test_data,
                    "cells": [r.key for r in block.of(label, condition, task)],
                },
            }  # fmt: skip
            layout["versions"][name] = record.corruption_version
            original = {} if cell.limit else {"original": len(record.image_ids)}
            layout["n-samples"][name] = {**original, "effective": len(record.image_ids)}
            layout["higher_is_better"][name] = dict.fromkeys(scores, True)
    return {**layout, **_run(label, used)}


def _run(label: str, records: Sequence[Record]) -> dict[str, Any]:
    """Say what was run, with lm-evaluation-harness's names."""
    first = records[0]
    latest = max(record.finished for record in records)
    return {
        "model_name": label,
        "config": {
            "model": first.cell.method,
            "model_args": {"preset": first.cell.preset, **first.cell.config},
            "model_num_parameters": first.parameters,
            "model_sha": ",".join(first.weights),
            "limit": first.cell.limit,
            "bootstrap_iters": RESAMPLES,
            "seeds": sorted({record.cell.seed for record in records}),
        },
        "git_hash": first.provenance.commit if first.provenance else None,
        "date": datetime.fromisoformat(latest).timestamp() if latest else None,
    }


def hub_results(blocks: Sequence[Block], label: str) -> str:
    """Write a method's clean scores as ``.eval_results`` of a model on the Hugging Face Hub.

    Values are per cent; the notes are the signature. ``dataset.id`` is the data set's name here
    where it is not read from the Hub: the Hub lists a result with the id of a benchmark of its own.
    """
    entries = []
    for block in blocks:
        records = block.of(label)
        for name, score in _scores(block, label, CLEAN, "predict") if records else ():
            entry = EvalResultEntry(
                dataset_id=str(records[0].cell.test_on.options.get("repo", block.title)),
                task_id=name,
                value=round(100 * score.value, 4),
                date=max(record.finished for record in records) or None,
                notes=signature(records, name),
            )
            entries.append(entry)
    text = io.StringIO()
    YAML().dump(eval_result_entries_to_yaml(entries), text)
    return text.getvalue()


def references(blocks: Sequence[Block]) -> str:
    """List in BibTeX what the run used: data sets, methods and corruptions, each once."""
    text = blocks[0].folder.manifest().references if blocks else ""
    entries: dict[str, str] = {}
    for entry in re.split(r"(?m)^(?=@)", text):
        key = re.match(r"@\w+\{([^,]+),", entry)
        if key is not None:
            entries.setdefault(key[1], entry.strip())
    head = [] if text else ["% The run kept no references of its data sets and methods."]
    return "\n\n".join([*head, *entries.values()]) + "\n"
