"""Whether the Hugging Face Hub can be reached."""

from __future__ import annotations

from functools import cache

PATIENCE_SECONDS = 5.0


@cache
def hub_answers() -> bool:
    """Ask the Hub once whether it can be reached; false where ``HF_HUB_OFFLINE`` is set.

    Without a network its client tries every file again for half a minute, and a suite may name
    dozens of them.
    """
    from huggingface_hub import constants, get_session

    if constants.HF_HUB_OFFLINE:
        return False
    try:
        get_session().head(constants.ENDPOINT, timeout=PATIENCE_SECONDS)
    except Exception:  # of whichever HTTP library the client is built on
        return False
    return True
