"""The shipped files are there, in a checkout and in a wheel."""

from bench.core import resources
from bench.core.resources import PAPERS, REFERENCE, SUITES


def test_the_shipped_files_are_there():
    suites = list(SUITES.rglob("*.yaml"))
    assert {"robustness", "camvid"} <= {path.stem for path in suites}
    assert any(path.parent.name == "papers" for path in suites)
    assert (PAPERS / "claims.yaml").is_file()
    papers = list(PAPERS.glob("*.csv"))
    assert papers
    assert all("metric" in path.read_text().splitlines()[0].split(",") for path in papers)
    assert list(REFERENCE.rglob("suite.json"))


def test_a_wheel_reads_the_copies_within_the_package(tmp_path, monkeypatch):
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "bench")
    assert resources._shipped("papers", "results/papers") == tmp_path / "results/papers"
    packaged = tmp_path / "bench" / "_resources" / "papers"
    packaged.mkdir(parents=True)
    assert resources._shipped("papers", "results/papers") == packaged
