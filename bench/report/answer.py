"""The answer to a suite's question, computed from the numbers and never typed."""

from __future__ import annotations

from bench.report.block import PRIMARY, Block, describe
from bench.report.clean import ALPHA
from bench.report.codecs import to_mend, verdict
from bench.report.protocol import protocol_sentences
from bench.report.robust import retained
from bench.report.table import Entry, Sentence, number
from bench.score.stats import Estimate

Ranked = list[tuple[str, Estimate]]


def answer(block: Block) -> list[Sentence]:
    """Say which method is best, by how much, and how sure that is."""
    clean = _ranked({label: block.score(label) for label in block.labels})
    if not clean:
        return [("No cell on ", describe(block.first.test_on, "val"), " has finished.")]
    found, told = verdict(block), protocol_sentences(block)
    # Codecs are compared by what they keep; that two scores differ comes after it.
    sentences = [*found, *told] if block.task == "reconstruct" else [*told, *found]
    if block.task == "predict" or not found:  # nothing reconstructs like the identity
        sentences.append(_best(block, clean))
    sentences += [*to_mend(block), *_resolution(block), *_floor(block)]
    sentences += [*_corrupted(block), *_ceiling(block)]
    failed = len(block.records) - len(block.finished)
    if failed:
        sentences.append((f"{failed} of {len(block.records)} cells failed; see below.",))
    return sentences


def brief_answer(block: Block) -> list[Sentence]:
    """Say the same of a further test set, in one sentence."""
    clean = _ranked({label: block.score(label) for label in block.labels})
    if not clean:
        return answer(block)
    label, score = clean[0]
    sentence: Sentence = (f"{block.title}: {label} ", number(score))
    if len(clean) > 1:
        sentence += _versus(clean[1][0], score - clean[1][1])
    above, below = _over_floor(block)
    if above or below:
        sentence += (f"; {len(above)} of {len(above) + len(below)} learned methods beat the floor",)
    return [(*sentence, "."), *protocol_sentences(block)]


def _ranked(scores: dict[str, Estimate | None]) -> Ranked:
    known = [(label, score) for label, score in scores.items() if score is not None]
    return sorted(known, key=lambda pair: -pair[1].value)


def _best(block: Block, clean: Ranked) -> Sentence:
    label, score = clean[0]
    where = describe(block.first.test_on, "val")
    what = "uncorrupted images" if block.task == "predict" else "the truth"
    start: Sentence = (
        f"On {what} of {where}, {label} has the highest {PRIMARY}, ",
        number(score),
    )
    if len(clean) == 1:
        return (*start, ".")
    second, other = clean[1]
    return (*start, *_versus(second, score - other), ".")


def _versus(second: str, difference: Estimate) -> Sentence:
    lead = number(difference, "points")
    if difference.p_value() < ALPHA:
        return (f", ahead of {second} by ", lead)
    return (f"; {second} is within noise of it (difference ", lead, ")")


def _resolution(block: Block) -> list[Sentence]:
    """Say which differences are beyond what the images can tell."""
    if block.resolution is None:
        return []
    least = Entry(f"{100 * block.resolution.value:.1f} points", keys=block.resolution.keys)
    start = f"These {block.units} tell differences of "
    said: list[Sentence] = [(start, least, " or more (80% power at 5%); smaller ones are noise.")]
    if block.training_seeds == 1 and block.learned:
        said.append(("Trained with one seed: what another would change is in no interval here.",))
    return said


def _over_floor(block: Block) -> tuple[list[str], list[str]]:
    """Divide learned methods by whether their whole paired interval is above the floor."""
    above: list[str] = []
    below: list[str] = []
    floor = block.score(block.floor) if block.floor else None
    for label in block.learned:
        score = block.score(label)
        if floor is not None and score is not None:
            (above if (score - floor).interval().low > 0 else below).append(label)
    return above, below


def _floor(block: Block) -> list[Sentence]:
    above, below = _over_floor(block)
    if not above and not below:
        return []
    assert block.floor is not None
    start = f"{len(above)} of {len(above) + len(below)}" if below else f"All {len(above)}"
    text = f"{start} learned methods beat the floor ({block.floor}, "
    rest = f" {', '.join(below)} do{'es' if len(below) == 1 else ''} not." if below else ""
    floor = number(block.score(block.floor))
    return [(text, floor, ") with the whole paired interval above zero.", rest)]


def _corrupted(block: Block) -> list[Sentence]:
    count = f"{len(block.conditions)} conditions ({len(block.corruptions)} corruptions)"
    if block.conditions and not block.learned:
        unmoved = f"{block.floor}, which does not look at the image, was run alone"
        return [(f"The contact sheet shows the images under {count}; {unmoved}.",)]
    scores = _ranked({label: block.mpc(label) for label in block.learned})
    if not scores:
        return []
    label, score = scores[0]
    sentence: Sentence = (f"Over {count}, {label} has the highest mPC, ", number(score))
    if len(scores) > 1:
        sentence += _versus(scores[1][0], score - scores[1][1])
    return [(*sentence, "."), _kept(block, [name for name, _ in scores])]


def _kept(block: Block, labels: list[str]) -> Sentence:
    """Say how much of the clean score is kept, and what costs most on average."""
    shares = _ranked({label: retained(block, label) for label in labels})
    most, least = shares[0], shares[-1]
    sentence: Sentence = (f"{most[0]} keeps ", number(most[1]), " of its clean score")
    if len(shares) > 1:
        sentence += (f", {least[0]} ", number(least[1]))
    if len(block.corruptions) < 2:
        return (*sentence, ".")
    lost = {
        name: sum(share.value for label in labels if (share := retained(block, label, name)))
        for name in block.corruptions
    }
    worst = min(lost, key=lambda name: lost[name])
    return (*sentence, f"; {worst.replace('_', ' ')} costs most on average.")


def _ceiling(block: Block) -> list[Sentence]:
    if block.task == "reconstruct":
        return []
    ceilings = _ranked({label: block.score(label, task="reconstruct") for label in block.labels})
    sentences: list[Sentence] = []
    for label, ceiling in ceilings:
        score = block.score(label)
        if score is not None:
            sentences.append(
                (f"With a perfect prior {label} would reach ", number(ceiling), "; it has ",
                 number(score / ceiling), " of that.")
            )  # fmt: skip
    return sentences
