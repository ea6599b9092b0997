"""Write the golden numbers anew, or compare them.

Run after a version was raised or something was added, or with ``--check`` to see what a change
of code does. Numbers that changed under an unchanged version are not written: raise the version
first, so that what was computed before is computed again.
"""

import argparse
import sys
from pathlib import Path

from bench.engine.accelerator import make_accelerator
from tests.helpers.golden.numbers import ONLY_OBSERVED, Golden, differences, read, write
from tests.helpers.golden.subjects import Subject, subjects

FOLDER = Path(__file__).parent
SHOWN = 5


def main() -> int:
    """Return 1 if something changed that must not."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__)
    known = subjects()
    parser.add_argument("name", nargs="*", help=f"some of {', '.join(known)}; all by default")
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--force", action="store_true", help="write whatever changed")
    asked = parser.parse_args()
    if unknown := set(asked.name) - set(known):
        parser.error(f"there is no {sorted(unknown)[0]!r}; there are {', '.join(known)}")
    make_accelerator()  # which sets how PyTorch computes
    names = asked.name or list(known)
    wrong = [name for name in names if not _update(name, known[name], asked.check, asked.force)]
    if not asked.name:
        for path in FOLDER.glob("*.json"):
            if path.stem not in known and not asked.check:
                print(f"{path.stem}: has no version any more; removed")
                path.unlink()
    return bool(wrong)


def _update(name: str, subject: Subject, check: bool, force: bool) -> bool:
    """Compare the numbers of a part and write them if they may be; return whether all is well."""
    path = FOLDER / f"{name}.json"
    golden = read(path) if path.exists() else Golden("", {})
    changed = differences(golden.numbers, subject.observe())
    same_version = golden.version == subject.version
    if same_version and not changed and not force:
        print(f"{name}: as it was")
        return True
    for line in changed[:SHOWN] if golden.version else []:
        print(f"{name}: {line}")
    before = golden.version or "none"
    told = f"{name}: version {before} became {subject.version}, {len(changed)} changed"
    # What is new, such as another preset, was never computed in another way.
    added = all(line.endswith(ONLY_OBSERVED) for line in changed)
    if same_version and not force and not added:
        print(f"{name}: {len(changed)} changed under version {golden.version}")
        print(f"{name}: raise {subject.where}, then run this without --check")
        return False
    if check:
        print(f"{told}; run this without --check")
        return False
    write(path, Golden(subject.version, subject.observe_with_tolerance()))
    print(f"{told}; written")
    return True


if __name__ == "__main__":
    sys.exit(main())
