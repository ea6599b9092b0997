"""Where the harness keeps what it can make again."""

from pathlib import Path

import pytest

from bench.data.files.cache import cache_folder


def test_the_variable_names_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "kept"))
    assert cache_folder() == tmp_path / "kept"
    assert not cache_folder().exists()


@pytest.mark.parametrize("value", [None, ""])
def test_the_default_is_in_the_home(monkeypatch, value):
    monkeypatch.delenv("BENCH_CACHE", raising=False)
    if value is not None:
        monkeypatch.setenv("BENCH_CACHE", value)
    assert cache_folder() == Path.home() / ".cache" / "bench"
