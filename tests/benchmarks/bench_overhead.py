"""What the harness costs beside a method, in a cell of 1024 x 2048 images: SegFormer-B0's size.

Everything but the method's own prediction: loading, corruption, calibration, counting.
"""

import time

from bench.core.schema import CLEAN, Condition, DataRef, DataSpec, Protocol
from bench.core.seeding import seeded
from bench.data.split import Split
from bench.engine.accelerator import make_accelerator
from bench.engine.evaluation.evaluate import evaluate
from bench.engine.evaluation.loading import EvaluationJob
from methods.baselines.config import PRESETS
from methods.baselines.method import Baseline
from tests.helpers.drawn import Drawn, Silent
from tests.helpers.small_methods import DATA

NOISE = Condition(corruption="gaussian_noise", severity=3)


def test_a_cell_costs_little_more_than_its_model(performance, light, monkeypatch):
    images, size = (2, (512, 1024)) if light else (4, (1024, 2048))
    large = PRESETS["segformer_b5"]
    b0 = {"widths": (32, 64, 160, 256), "depths": (2, 2, 2, 2), "decoder_width": 256}
    config = large.model_copy(update={"segformer": large.segformer.model_copy(update=b0)})
    data = DataSpec(classes=DATA.classes, palette=DATA.palette, size=size)
    with seeded(0):
        method = Baseline(config, data)
    spent = 0.0
    predict = method.predict_with_confidence

    def timed(image, seeds):
        nonlocal spent
        started = time.process_time()
        labelled = predict(image, seeds)
        spent += time.process_time() - started
        return labelled

    monkeypatch.setattr(method, "predict_with_confidence", timed)
    protocol = Protocol(resize=size, micro_batch=1)
    split = Split(Drawn(images, size), DataRef(dataset="drawn", split="val"), protocol)
    shares = []
    for condition in (CLEAN, NOISE):
        spent, started = 0.0, time.process_time()
        job = EvaluationJob(split, condition, "predict", 0)
        evaluate(method, job, make_accelerator(), Silent())
        shares.append((time.process_time() - started - spent) / spent)
    share = shares[0]
    noisy = f"with {NOISE}, not cached: {100 * shares[1]:.3g} %"
    details = f"{spent / images:.2f} s of the model per image; {noisy}"
    performance.at_most("harness beside the model, 1024 x 2048", 100 * share, 5, "%", details)
