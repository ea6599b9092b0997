"""What a number depended on, as it is found on this machine."""

import subprocess
from importlib.metadata import version

import pytest
import torch

from bench.core import provenance as module
from bench.core.provenance import PACKAGES, provenance


@pytest.fixture
def repository(tmp_path):
    def git(*arguments):
        identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    (tmp_path / "code.py").write_text("a = 1\n")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    return tmp_path, git("rev-parse", "HEAD")


def test_the_commit_of_a_clean_and_of_a_changed_tree(repository):
    folder, commit = repository
    assert module._revision(folder) == (commit, False)
    (folder / "new.py").write_text("")
    assert module._revision(folder) == (commit, True)


def test_without_a_repository_it_is_a_release(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    commit, dirty = module._revision(tmp_path)
    assert commit.startswith("release ")
    assert not dirty


def test_packages_threads_and_processes_are_those_of_this_process():
    found = provenance.__wrapped__(torch.device("cpu"), 3)
    assert found.processes == 3
    assert found.threads == torch.get_num_threads()
    assert set(found.packages) == set(PACKAGES)
    assert found.packages["torch"] == version("torch")
    assert found.device.startswith("cpu: ")
    assert len(found.device) > len("cpu: ")


def test_a_package_that_is_not_installed_is_absent():
    assert module.version_of("no-package-of-this-name") == "absent"
