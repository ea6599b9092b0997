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


def test_the_commit_of_another_project_around_it_says_nothing(repository):
    folder, _ = repository
    installed = folder / "site-packages"
    installed.mkdir()
    commit, dirty = module._revision(installed)
    assert commit.startswith("release ")
    assert not dirty


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


def test_precision_and_level_are_recorded():
    found = provenance.__wrapped__(torch.device("cpu"), 1, "bf16")
    assert (found.precision, found.tf32, found.level, found.cuda) == ("bf16", False, "bitwise", "")
    assert {"pycocotools", "torchvision", "torchmetrics"} <= set(found.packages)


def test_this_machines_device_is_named_without_torch_as_with_it():
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    assert module.device_here() == module.name_of(device)


def test_a_package_that_is_not_installed_is_absent():
    assert module.version_of("no-package-of-this-name") == "absent"
