"""A failure in one line: where it arose, unless its message says what to put right."""

import errno

import pytest
import torch

from bench.core.errors import Diverged
from bench.engine.failure import describe, is_out_of_memory


def caught(error: Exception) -> Exception:
    """Return an error as one that was raised in a function of this name."""

    def culprit():
        raise error

    with pytest.raises(type(error)) as raised:
        culprit()
    return raised.value


def test_an_error_of_the_code_says_where_it_arose():
    failure = describe(caught(ValueError("wrong\n  shape")))
    line = failure.line.removesuffix(")").rsplit(" ", 1)[1]
    assert failure.line == f"ValueError: wrong shape (culprit, line {line})"
    assert f"line {line}, in culprit" in failure.traceback
    assert describe(caught(KeyError())).line.startswith("KeyError: no message (culprit, line ")


def test_an_error_of_a_user_says_what_it_says():
    assert describe(caught(Diverged("loss is\nnan at step 3"))).line == "loss is nan at step 3"


def test_a_full_disk_is_named():
    error = OSError(errno.ENOSPC, "No space left on device", "store/a.npz")
    assert describe(caught(error)).line == "no space left on the disk of store/a.npz"
    nameless = describe(caught(OSError(errno.ENOSPC, "No space left on device")))
    assert nameless.line == "no space left on the disk of the store"
    assert describe(caught(OSError(errno.EACCES, "denied"))).line.startswith("PermissionError: ")


@pytest.mark.parametrize(
    ("error", "short"),
    [
        (torch.OutOfMemoryError("of the device"), True),
        (MemoryError("of the machine"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 8 bytes"), True),
        (RuntimeError("shapes differ"), False),
        (ValueError("can't allocate memory"), False),
    ],
)
def test_what_is_short_of_memory(error, short):
    assert is_out_of_memory(error) == short
    assert describe(caught(error)).line.startswith("out of memory: ") == short
