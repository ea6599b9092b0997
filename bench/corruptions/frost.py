"""Where the frost pictures are: in an installed imagecorruptions, which stays unimported."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

FROST_FILES = ("frost1.png", "frost2.png", "frost3.png", "frost4.jpg", "frost5.jpg")
"""imagecorruptions ships a sixth, which its draw of randint(5) never reaches."""
FROST_REMEDY = (
    "frost needs the pictures of the package imagecorruptions, which is not installed: "
    "`pip install --no-deps imagecorruptions`, or use frost_procedural"
)


def frost_folder() -> Path | None:
    """Find the frost pictures of an installed imagecorruptions, without importing it."""
    spec = find_spec("imagecorruptions")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "frost"
    return folder if all((folder / name).exists() for name in FROST_FILES) else None
