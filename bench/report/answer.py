"""The answer to a suite's question, computed from the numbers and never typed."""

from __future__ import annotations

from collections.abc import Sequence

from bench.report.captions import tested_on, units
from bench.report.contrasts import verdict
from bench.report.statistics import ALPHA, Block
from bench.report.tables.codecs import problem_sentences
from bench.report.tables.protocol import protocol_sentences
from bench.report.tables.table import Entry, Sentence, number
from bench.score.stats import Estimate

Ranked = list[tuple[str, Estimate]]


def answer(block: Block) -> list[Sentence]:
    """Say which method is best, by how much, and how sure that is."""
    clean = _ranked({label: block.score(label) for label in block.labels})
    if not clean:
        return [(f"No cell on {tested_on(block)} has finished.",)]
    contrasts, protocol = verdict(block), protocol_sentences(block)
    # Codecs are compared by what they keep; that two scores differ comes after it.
    of_codecs = block.task == "reconstruct"
    sentences = [*contrasts, *protocol] if of_codecs else [*protocol, *contrasts]
    if not of_codecs or not contrasts:  # nothing reconstructs like the identity
        sentences.append(_best(block, clean))
    sentences += [*problem_sentences(block), *_resolution(block), *_floor(block)]
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
    above, below = block.beating_floor()
    if above or below:
        sentence += (f"; {len(above)} of {len(above) + len(below)} learned methods beat the floor",)
    return [(*sentence, "."), *protocol_sentences(block)]


def _ranked(scores: dict[str, Estimate | None]) -> Ranked:
    finished = [(label, score) for label, score in scores.items() if score is not None]
    return sorted(finished, key=lambda pair: -pair[1].value)


def _best(block: Block, clean: Ranked) -> Sentence:
    label, score = clean[0]
    verb = "has" if block.task == "predict" else "reconstructs the truth with"
    clean_of = "clean images of " if block.task == "predict" else ""
    start: Sentence = (
        f"On {clean_of}{tested_on(block)}, {label} {verb} the highest {block.primary}, ",
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
    """Say which differences the images can detect."""
    if block.resolution is None:
        return []
    least = Entry(f"{100 * block.resolution.value:.1f} points", keys=block.resolution.keys)
    start = f"{units(block)} detect differences of "
    power = " or more (80% power at 5%); smaller ones are noise."
    sentences: list[Sentence] = [(start, least, power)]
    if block.training_seeds == 1 and block.learned:
        sentences.append(("One training seed: intervals leave out the variance of training.",))
    return sentences


def _floor(block: Block) -> list[Sentence]:
    above, below = block.beating_floor()
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
        alone = f"Only {block.floor} was run, which does not look at the image"
        return [(f"{alone}: see the contact sheet for the images under {count}.",)]
    scores = _ranked({label: block.mpc(label) for label in block.learned})
    if not scores:
        return []
    label, score = scores[0]
    sentence: Sentence = (f"Over {count}, {label} has the highest mPC, ", number(score))
    if len(scores) > 1:
        sentence += _versus(scores[1][0], score - scores[1][1])
    return [(*sentence, "."), _kept(block, [name for name, _ in scores])]


def _kept(block: Block, labels: Sequence[str]) -> Sentence:
    """Say how much of the clean score is kept, and which corruption costs most on average."""
    shares = _ranked({label: block.retained(label) for label in labels})
    most, least = shares[0], shares[-1]
    sentence: Sentence = (f"{most[0]} keeps ", number(most[1]), " of its clean score")
    if len(shares) > 1:
        sentence += (f", {least[0]} ", number(least[1]))
    if len(block.corruptions) < 2:
        return (*sentence, ".")
    kept = {
        name: sum(share.value for label in labels if (share := block.retained(label, name)))
        for name in block.corruptions
    }
    worst = min(kept, key=lambda name: kept[name])
    return (*sentence, f"; {worst.replace('_', ' ')} costs most on average.")


def _ceiling(block: Block) -> list[Sentence]:
    if block.task == "reconstruct":
        return []
    ceilings = _ranked({label: block.score(label, task="reconstruct") for label in block.labels})
    sentences: list[Sentence] = []
    for label, ceiling in ceilings:
        score = block.score(label)
        if score is not None:
            start = f"{label}'s codec ceiling is "
            reached = ("; it reaches ", number(score / ceiling), " of it.")
            sentences.append((start, number(ceiling), *reached))
    return sentences
