"""Files are whole or absent, and a sealed one that was changed is refused."""

import json

import pytest

from bench.core.files import DamagedFile, read_sealed, write_atomic, write_json, write_sealed

TEXT = json.dumps({"name": "Straße", "values": [1, 2.5, None]}, ensure_ascii=False)


def test_a_write_that_fails_leaves_what_was_there_and_nothing_else(tmp_path):
    path = tmp_path / "deep" / "file.bin"
    write_atomic(path, lambda file: file.write(b"before"))

    def fails(file):
        file.write(b"half of it")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomic(path, fails)
    assert path.read_bytes() == b"before"
    assert [entry.name for entry in path.parent.iterdir()] == ["file.bin"]


def test_a_write_replaces_the_file_and_lets_others_read_it(tmp_path):
    path = tmp_path / "file.json"
    write_json(path, "[1]")
    before = path.stat().st_ino
    write_json(path, "[2]")
    assert path.read_text() == "[2]\n"
    assert path.stat().st_ino != before  # who has the first one open still reads all of it
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_sealed_file_is_json_and_gives_its_text_back(tmp_path):
    path = tmp_path / "sealed.json"
    write_sealed(path, TEXT)
    assert read_sealed(path) == TEXT
    assert json.loads(path.read_text())["content"] == json.loads(TEXT)


def test_a_flipped_bit_anywhere_in_a_sealed_file_is_noticed(tmp_path):
    path = tmp_path / "sealed.json"
    write_sealed(path, TEXT)
    content = path.read_bytes()
    for index in range(len(content)):
        flipped = content[index] ^ (1 << index % 8)
        path.write_bytes(content[:index] + bytes([flipped]) + content[index + 1 :])
        with pytest.raises(DamagedFile, match=r"sealed\.json: not "):
            read_sealed(path)


@pytest.mark.parametrize("length", [0, 1, 70, 100, -1])
def test_a_torn_sealed_file_is_noticed(tmp_path, length):
    path = tmp_path / "sealed.json"
    write_sealed(path, TEXT)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DamagedFile):
        read_sealed(path)


def test_a_missing_file_is_not_a_damaged_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_sealed(tmp_path / "none.json")
