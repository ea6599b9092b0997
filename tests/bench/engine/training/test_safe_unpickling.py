"""Foreign checkpoints: a damaged one is refused by its name, and costs no memory."""

import io
import pickle
import random
import resource
import zipfile

import psutil
import pytest
import torch
from safetensors.torch import save
from torch import nn

from bench.core.errors import UnreadableWeights, WeightsError
from bench.engine.training.safe_unpickling import read_tensors
from bench.engine.training.weights import load_weights

FLIPS = 150
ROOM = 4 * 2**30
"""Bytes of address space that reading a file of some kilobytes may take beside what is in use."""


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "checkpoint.pth"
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1))
    optimizer = torch.optim.AdamW(network.parameters())
    network(torch.zeros(1, 3, 8, 8)).sum().backward()
    optimizer.step()
    content = {"state_dict": network.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}
    torch.save(content, path)
    return path


@pytest.fixture
def little_memory():
    """Have a request for gigabytes fail here rather than in the machine."""
    used = psutil.Process().memory_info().vms
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def refusal(read, *arguments):
    """Return what is said of a file that is refused; nothing if it is read."""
    try:
        read(*arguments)
    except WeightsError as error:
        return str(error)
    return ""


def flips(content, seed, end=None):
    """Yield a content with one of its bits flipped, many times."""
    draws = random.Random(seed)
    for _ in range(FLIPS):
        damaged = bytearray(content)
        damaged[draws.randrange(end or len(damaged))] ^= 1 << draws.randrange(8)
        yield bytes(damaged)


def rewrite(path, **entries):
    """Replace entries of an archive, with right checksums."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            new = next((c for end, c in entries.items() if name.endswith(end)), content)
            archive.writestr(name, new)


def test_a_sound_one_is_read_as_torch_does(checkpoint):
    ours, theirs = read_tensors(checkpoint), torch.load(checkpoint)["state_dict"]
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_flipped_bits_are_refused_by_name(checkpoint, little_memory):
    expected, refused = read_tensors(checkpoint), 0
    for damaged in flips(checkpoint.read_bytes(), 0):
        checkpoint.write_bytes(damaged)
        if said := refusal(read_tensors, checkpoint):
            assert str(checkpoint) in said
            refused += 1
        else:  # a bit that says nothing, such as of a time or of padding
            found = read_tensors(checkpoint)
            assert all(torch.equal(found[name], expected[name]) for name in found)
    assert refused > FLIPS / 2


def test_a_pickle_of_flipped_bits_is_refused_by_name(checkpoint, little_memory):
    """With its checksum made right: nothing but the pickle itself tells the damage."""
    with zipfile.ZipFile(checkpoint) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("data.pkl"))
        pickled = archive.read(name)
    said = []
    for damaged in flips(pickled, 1):
        rewrite(checkpoint, **{"data.pkl": damaged})
        said.append(refusal(read_tensors, checkpoint))
    assert all(str(checkpoint) in text for text in said if text)
    assert sum(map(bool, said)) > FLIPS / 4


def test_object_numbers_beyond_the_file_are_refused(checkpoint, little_memory):
    huge = pickle.LONG_BINPUT + (2**31).to_bytes(4, "little")
    rewrite(checkpoint, **{"data.pkl": b"\x80\x02}" + huge + b"."})
    with pytest.raises(UnreadableWeights, match="object number 2,147,483,648"):
        read_tensors(checkpoint)


def test_strides_that_ask_for_gigabytes_are_refused(tmp_path, little_memory):
    path = tmp_path / "expanded.pth"
    torch.save({"weight": torch.zeros(1).expand(2**17, 2**15)}, path)
    with pytest.raises(UnreadableWeights, match=r"expanded.pth: .* would ask for 4,294,967,296"):
        read_tensors(path)
    torch.save({"weight": torch.arange(3.0).expand(2, 3)}, path)
    assert read_tensors(path)["weight"].tolist() == [[0, 1, 2]] * 2


def test_an_archive_larger_inside_than_outside_is_refused(tmp_path):
    path = tmp_path / "packed.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", pickle.dumps({}, 2))
        archive.writestr("a/data/0", bytes(10**6))
    with pytest.raises(UnreadableWeights, match="packed.pth: claims to hold 1,000,00"):
        read_tensors(path)


def test_flipped_bits_of_a_safetensors_header_are_refused_by_name(tmp_path, little_memory):
    network, path, said = nn.Linear(3, 2), tmp_path / "stage.safetensors", []
    sound = save({f"net.{name}": value for name, value in network.state_dict().items()})
    header = 8 + int.from_bytes(sound[:8], "little")
    for damaged in flips(sound, 2, end=header):
        path.write_bytes(damaged)
        said.append(refusal(load_weights, path, {"net": network}))
    assert all(str(path) in text for text in said if text)
    assert sum(map(bool, said)) > FLIPS / 2


def test_what_is_no_archive_is_refused(tmp_path):
    path = tmp_path / "old.pth"
    buffer = io.BytesIO()
    torch.save({"a": torch.zeros(1)}, buffer, _use_new_zipfile_serialization=False)
    path.write_bytes(buffer.getvalue())
    with pytest.raises(UnreadableWeights, match="not a torch file of version 1.6"):
        read_tensors(path)
