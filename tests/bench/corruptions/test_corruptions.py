import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.corruptions import (
    CATALOGUE,
    GROUPS,
    NAMES,
    SEVERITIES,
    corrupt,
    frost,
    missing,
    probe_hash,
    textures,
)

NEEDS_FROST = pytest.mark.skipif(bool(missing("frost")), reason=missing("frost"))
CASES = [pytest.param(name, marks=NEEDS_FROST) if name == "frost" else name for name in NAMES]
USABLE = [name for name in NAMES if not missing(name)]
EVERY = [(name, severity) for name in USABLE for severity in SEVERITIES[name]]
RANDOM = [name for name in USABLE if CATALOGUE[name].random]
SIZES = [(1, 1), (1, 7), (5, 2), (33, 65), (375, 124)]


def picture(height: int = 40, width: int = 56, seed: int = 5) -> np.ndarray:
    """A smooth colour gradient with an edge and some texture, uint8 [H, W, 3]."""
    row, column = np.mgrid[:height, :width] / max(height, width)
    base = np.stack([row, column, 0.6 - 0.5 * row * column], axis=2) * 200
    base[height // 3 : height // 2, width // 4 : width // 2] += 50
    texture = np.random.default_rng(seed).normal(0, 4, base.shape)
    return np.clip(base + texture, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", CASES)
def test_input_is_not_changed_and_output_is_new(name: str) -> None:
    image = picture()
    before = image.copy()
    out = corrupt(image, name, 1, seed=3)
    assert (image == before).all()
    assert out.shape == image.shape
    assert out.dtype == np.uint8
    assert out.flags.c_contiguous
    assert not np.shares_memory(out, image)
    assert (out != image).any()


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", CASES)
def test_any_size(name: str, size: tuple[int, int]) -> None:
    for severity in (1, SEVERITIES[name][-1]):
        assert corrupt(picture(*size), name, severity, seed=1).shape == (*size, 3)


@pytest.mark.parametrize("name", CASES)
def test_long_images(name: str) -> None:
    image = np.tile(picture(241, 33), (17, 1, 1))
    assert image.shape == (4097, 33, 3)
    assert corrupt(image, name, SEVERITIES[name][-1], seed=1).shape == image.shape


@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("name", CASES)
def test_constant_images(name: str, value: int) -> None:
    image = np.full((34, 36, 3), value, np.uint8)
    assert corrupt(image, name, SEVERITIES[name][-1], seed=1).shape == image.shape


@pytest.mark.parametrize("name", RANDOM)
def test_keys_decide_the_bytes(name: str) -> None:
    image = picture()
    first = corrupt(image, name, 2, seed=2**40)
    np.random.seed(0)  # the global stream must not matter
    assert (corrupt(image, name, 2, seed=2**40) == first).all()
    assert (corrupt(image, name, 2, seed=2**40 + 1) != first).any()


def test_threads_and_order_change_nothing() -> None:
    image = picture()
    alone = {case: corrupt(image, *case, seed=9).tobytes() for case in EVERY}
    with ThreadPoolExecutor(4) as pool:
        crowd = pool.map(lambda case: corrupt(image, *case, seed=9).tobytes(), EVERY[::-1])
        assert dict(zip(EVERY[::-1], crowd, strict=True)) == alone


@pytest.mark.slow
def test_another_process_gives_the_same_probes() -> None:
    code = (
        "from bench.corruptions import *\n"
        "print(*(probe_hash(n, s) for n in NAMES if not missing(n) for s in SEVERITIES[n]))"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert there.stdout.split() == [probe_hash(*case) for case in EVERY]


def test_importing_brings_nothing_slow_and_takes_under_half_a_second() -> None:
    code = (
        "import sys, time\n"
        "start = time.process_time()\n"
        "from bench.corruptions import corrupt\n"
        "assert time.process_time() - start < 0.5\n"
        "slow = {'numpy', 'cv2', 'scipy', 'PIL', 'torch', 'pydantic'}\n"
        "print(*(slow & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


def test_the_documented_use_runs_by_itself() -> None:
    text = Path("docs/corruptions.md").read_text()
    code = text.split("```python\n")[1].split("```")[0] + "\nassert (noisy != image).any()\n"
    code += "import sys\nassert 'torch' not in sys.modules and 'pydantic' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_corrupting_needs_no_torch_but_for_three() -> None:
    code = (
        "import sys, numpy as np\n"
        "from bench.corruptions import NAMES, corrupt, missing\n"
        "image = np.zeros((32, 32, 3), np.uint8)\n"
        "for name in NAMES:\n"
        "    if name not in ('elastic_transform', 'snow', 'zoom_blur') and not missing(name):\n"
        "        corrupt(image, name, 1, seed=0)\n"
        "print('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_catalogue_is_complete() -> None:
    assert len(GROUPS["common"]) == 15
    assert len(GROUPS["validation"]) == 4
    assert len(GROUPS["camseg"]) == 8
    assert not set(GROUPS) & set(NAMES)  # a suite names either
    for entry in CATALOGUE.values():
        assert entry.summary
        assert all(len(row) == len(entry.parameters) for row in entry.grid)
    families = [
        GROUPS[family] for family in ("noise", "blur", "weather", "digital", "colour", "pattern")
    ]
    assert sorted(sum(families, ())) == sorted(NAMES)


def test_frost_without_its_pictures_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frost, "find_spec", lambda name: None)
    textures.frost_picture.cache_clear()
    assert "frost_procedural" in missing("frost")
    assert missing("fog") == ""
    with pytest.raises(FileNotFoundError, match="use frost_procedural"):
        corrupt(picture(), "frost", 1, seed=0)


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_colour_changes_do_not_depend_on_place(red: int, green: int, blue: int) -> None:
    one = np.array([[[red, green, blue]]], np.uint8)
    for name in ("brightness", "saturation", "hue"):
        many = corrupt(np.tile(one, (3, 5, 1)), name, 3, seed=0)
        assert (many == corrupt(one, name, 3, seed=0)).all()


@pytest.mark.parametrize(
    ("image", "name", "severity", "seed", "message"),
    [
        (picture(), "gausian_noise", 1, 0, "did you mean 'gaussian_noise'"),
        (picture(), "sepia", 1, 0, "there are gaussian_noise, "),
        (picture(), "fog", 0, 0, r"severity 0 of 'fog'; it must be an integer in 1\.\.5"),
        (picture(), "fog", 6, 0, r"1\.\.5"),
        (picture(), "fog", 1, -1, "seed is -1"),
        (picture() / 255, "fog", 1, 0, r"image is float64 \(40, 56, 3\)"),
        (picture()[..., 0], "fog", 1, 0, r"it must be uint8 \[H, W, 3\]"),
        (picture()[:0], "fog", 1, 0, r"\(0, 56, 3\)"),
    ],
)
def test_faults_are_named(
    image: np.ndarray, name: str, severity: int, seed: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        corrupt(image, name, severity, seed)


def test_depth_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"depth is \(3, 3\), image \(40, 56, 3\)"):
        corrupt(picture(), "depth_fog", 1, 0, depth=np.ones((3, 3)))


def test_unknown_backend_is_refused() -> None:
    with pytest.raises(ValueError, match="there are fast, reference, torch"):
        corrupt(picture(), "fog", 1, 0, backend="numba")
