"""The answer to a suite's question, computed from the numbers and never typed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from bench.report.captions import tested_on, units
from bench.report.contrasts import (
    DecidedContrast,
    Scorer,
    answering,
    decide_contrasts,
    reason,
    score_on,
    told,
)
from bench.report.statistics import Block
from bench.report.tables.codecs import problem_sentences
from bench.report.tables.paper import PaperReport
from bench.report.tables.protocol import protocol_sentences
from bench.report.tables.table import Entry, Sentence, number
from bench.report.tables.training import not_trained_out
from bench.report.zero_shot import ZeroShot
from bench.score.significance import DecisionVerdict, decide
from bench.score.stats import Estimate

MOST_BULLETS = 5
MOST_CONTRASTS = 3
"""Answering contrasts with a bullet of their own; the table has all."""
Ranked = list[tuple[str, Estimate]]
_YES_OR_NO = re.compile(r"(?:^|[^?]*?\w, )(?:Do|Does|Is|Are|do|does|is|are)\b")
_WORDS = {
    DecisionVerdict.AHEAD: ("Yes", "Ahead"),
    DecisionVerdict.BEHIND: ("No", "Behind"),
    DecisionVerdict.UNDECIDED: ("Undecided", "Undecided"),
    DecisionVerdict.ONE_TRAINING: ("Undecided, with one training each", "Undecided, with one"
                                   " training each"),
}  # fmt: skip
"""Of a verdict: to a question of yes or no, and to another one."""


class Evidence(NamedTuple):
    """All that an answer may rest on."""

    question: str
    blocks: Sequence[Block]
    """The main one first."""
    zero_shot: ZeroShot
    paper: PaperReport | None


def answer(evidence: Evidence) -> list[Sentence]:
    """Answer a suite's question: the verdict first, then at most five sentences."""
    if not evidence.blocks or not evidence.blocks[0].finished:
        return [_nothing(evidence)]
    block, (lead, bullets) = evidence.blocks[0], _verdict(evidence)
    bullets += [*_failed(evidence.blocks), *_not_trained_out(block)]
    if evidence.paper:
        bullets.append(evidence.paper.answer())
    bullets += evidence.zero_shot.sentences()
    bullets += [*_best(block), *_floor(block)]
    bullets += [*protocol_sentences(block), *_corrupted(block), *_elsewhere(evidence)]
    bullets += [*problem_sentences(block), *_resolution(block)]
    bullets = [bullet for bullet in bullets if bullet != lead]
    return [lead, *bullets[:MOST_BULLETS]]


def _nothing(evidence: Evidence) -> Sentence:
    if evidence.paper:
        return evidence.paper.answer()
    tested = f" on {tested_on(evidence.blocks[0])}" if evidence.blocks else ""
    return (f"Undecided: no cell{tested} has finished.",)


def asks_yes_or_no(question: str) -> bool:
    """Whether a question is one of yes or no, as its first words or those after a comma tell."""
    return _YES_OR_NO.match(question) is not None


def _verdict(evidence: Evidence) -> tuple[Sentence, list[Sentence]]:
    """Return the first sentence, and those about single contrasts where several answer."""
    block, column = evidence.blocks[0], 0 if asks_yes_or_no(evidence.question) else 1
    decided = answering(decide_contrasts(block, _scorer(evidence)))
    if not decided:
        return _without_contrasts(evidence), []
    words = {verdict: pair[column] for verdict, pair in _WORDS.items()}
    verdicts = list(dict.fromkeys(each.verdict for each in decided))
    if len(decided) == 1:
        return (f"{words[verdicts[0]]}: ", *told(block, decided[0]), "."), []
    bullets = [_bullet(block, each) for each in decided[:MOST_CONTRASTS]]
    if len(verdicts) == 1:
        return (f"{words[verdicts[0]]}: ", *_differences(decided), "."), bullets
    parts = [
        f"{words[verdict][0].lower()}{words[verdict][1:]} for {', '.join(_names(decided, verdict))}"
        for verdict in verdicts
    ]
    return (f"In part: {'; '.join(parts)}.",), bullets


def _names(decided: Sequence[DecidedContrast], verdict: DecisionVerdict) -> list[str]:
    return [each.contrast.name for each in decided if each.verdict == verdict]


def _differences(decided: Sequence[DecidedContrast]) -> Sentence:
    """List the differences of alike verdict by their names; of many, the ends."""
    if len(decided) > MOST_CONTRASTS:
        known = [d.compared.difference for d in decided if not isinstance(d.compared, str)]
        known.sort(key=lambda difference: difference.value)
        if not known:
            return (f"{len(decided)} differences, no number",)
        ends = [
            number(end, "points", interval=False)._replace(spread=None)
            for end in (known[0], known[-1])
        ]
        return (f"{len(decided)} differences, from ", ends[0], " to ", ends[1])
    parts: list[str | Entry] = []
    for each in decided:
        parts.append(f"{'; ' if parts else ''}{each.contrast.name}, ")
        scored = None if isinstance(each.compared, str) else each.compared.difference
        lead = number(scored, "points", interval=False, missing="no number")
        parts.append(lead._replace(spread=None))
    return tuple(parts)


def _bullet(block: Block, each: DecidedContrast) -> Sentence:
    word = {
        DecisionVerdict.AHEAD: "ahead",
        DecisionVerdict.BEHIND: "behind",
    }.get(each.verdict, "undecided")
    name = each.contrast.name
    return (f"{name[:1].upper()}{name[1:]}, {word}: ", *told(block, each), ".")


def _scorer(evidence: Evidence) -> Scorer | None:
    """Return how contrasts are scored where the answer is over several test sets."""
    zero_shot, block = evidence.zero_shot, evidence.blocks[0]
    if not zero_shot.rows:
        return None
    return lambda contrast, label: (
        zero_shot.mean_of(label)
        if contrast.measure == "clean"
        else score_on(block, contrast, label)
    )


def _without_contrasts(evidence: Evidence) -> Sentence:
    """Answer as far as a suite that is about no difference allows."""
    block, paper = evidence.blocks[0], evidence.paper
    if paper:
        yes, no = ("Yes", "No")
        if not asks_yes_or_no(evidence.question):
            yes, no = ("As published", "Not as published")
        word = "Undecided" if paper.outcome is None else yes if paper.outcome else no
        return (f"{word}: ", *paper.answer())
    clean = _ranked({label: block.score(label) for label in block.labels})
    if not block.learned:
        name = block.floor or "the floor"
        return (f"Only {name} was run, which does not look at the image: see the contact sheet.",)
    if len(clean) < 2:
        return _highest(block, clean) if clean else (f"Undecided: nothing on {block.title} yet.",)
    (label, score), second = clean[0], clean[1]
    decisions = decide([score - other for _, other in clean[1:]])
    basis = reason(block, decisions[0])
    if all(decision.verdict == DecisionVerdict.AHEAD for decision in decisions):
        start = f"{label} is ahead of every other method: {block.primary} "
        lead = number(score - second[1], "points")
        return (start, number(score), ", by ", lead, f" over {second[0]} ({basis}).")
    start = f"Undecided, which is best: {label} has {block.primary} "
    return (start, number(score), f", {second[0]} ", number(second[1]), f" ({basis}).")


def _ranked(scores: dict[str, Estimate | None]) -> Ranked:
    finished = [(label, score) for label, score in scores.items() if score is not None]
    return sorted(finished, key=lambda pair: -pair[1].value)


def _highest(block: Block, clean: Ranked) -> Sentence:
    label, score = clean[0]
    verb = "has" if block.task == "predict" else "reconstructs the truth with"
    clean_of = "clean images of " if block.task == "predict" else ""
    text = f"On {clean_of}{tested_on(block)}, {label} {verb} the highest {block.primary}, "
    return (text, number(score), ".")


def _best(block: Block) -> list[Sentence]:
    """Name the highest clean score, and what can be said of its lead; not of codecs.

    Nothing reconstructs like the identity.
    """
    clean = _ranked({label: block.score(label) for label in block.learned})
    if block.task == "reconstruct" or len(clean) < 2:
        return [_highest(block, clean)] if clean and block.task == "predict" else []
    *start, _ = _highest(block, clean)
    return [(*start, *_versus(block, clean), ".")]


def _versus(block: Block, ranked: Ranked) -> Sentence:
    """Say whether the first is ahead of all others; its lead over the second."""
    differences = [ranked[0][1] - other for _, other in ranked[1:]]
    decisions = decide(differences)
    lead = number(differences[0], "points")
    if decisions[0].verdict == DecisionVerdict.ONE_TRAINING:
        return (f"; {ranked[1][0]} is next, a difference of ", lead, ", one training each: no rank")
    ahead = [decision.verdict == DecisionVerdict.AHEAD for decision in decisions]
    if not_trained_out(block):
        return (f"; {ranked[1][0]} is next, a difference of ", lead, ": no rank")
    if all(ahead):
        return (", ahead of all others; of the next, " + ranked[1][0] + ", by ", lead)
    even = [label for (label, _), a in zip(ranked[1:], ahead, strict=True) if not a]
    several = f"{even[0]} and {len(even) - 1} more are" if len(even) > 1 else f"{even[0]} is"
    return (f"; {several} not told from it", f" ({ranked[1][0]}: ", lead, ")")


def _resolution(block: Block) -> list[Sentence]:
    """Say which differences the images can detect."""
    if block.resolution is None:
        return []
    least = Entry(f"{100 * block.resolution.value:.1f} points", keys=block.resolution.keys)
    start = f"{units(block)} detect differences of "
    return [(start, least, " or more (80% power at 5%); smaller ones are noise.")]


def _floor(block: Block) -> list[Sentence]:
    contest = block.beating_floor()
    if contest is None or block.floor is None:
        return []
    total = len(contest.above) + len(contest.others)
    floor = number(block.score(block.floor))
    if contest.one_training:
        text = f"{len(contest.higher)} of {total} learned methods score above the floor"
        return [(f"{text} ({block.floor}, ", floor, "); one training each decides nothing.")]
    start = f"{len(contest.above)} of {total}" if contest.others else f"All {total}"
    rest = f" Not told from it: {', '.join(contest.others)}." if contest.others else ""
    return [(f"{start} learned methods are ahead of the floor ({block.floor}, ", floor, ").", rest)]


def _corrupted(block: Block) -> list[Sentence]:
    scores = _ranked({label: block.mpc(label) for label in block.learned})
    if not scores:
        return []
    count = f"{len(block.conditions)} conditions ({len(block.corruptions)} corruptions)"
    label, score = scores[0]
    sentence: Sentence = (f"Over {count}, {label} has the highest mPC, ", number(score))
    if len(scores) > 1:
        sentence += _versus(block, scores)
    return [(*sentence, f"{_costliest(block, [name for name, _ in scores])}.")]


def _costliest(block: Block, labels: Sequence[str]) -> str:
    """Say which corruption costs most on average."""
    if len(block.corruptions) < 2:
        return ""
    kept = {
        name: sum(share.value for label in labels if (share := block.retained(label, name)))
        for name in block.corruptions
    }
    worst = min(kept, key=lambda name: kept[name])
    return f"; {worst.replace('_', ' ')} costs most on average"


def _elsewhere(evidence: Evidence) -> list[Sentence]:
    """Say what the first answering difference is on the other test sets."""
    block, *others = evidence.blocks
    first = next(iter(answering(decide_contrasts(block))), None)
    if first is None or evidence.zero_shot.rows:
        return []
    differences: list[tuple[str, Estimate]] = []
    for other in others:
        again = next((d for d in decide_contrasts(other) if d.contrast == first.contrast), None)
        if again is not None and not isinstance(again.compared, str):
            differences.append((other.title, again.compared.difference))
    if not differences:
        return []
    low, high = (f(differences, key=lambda pair: pair[1].value) for f in (min, max))
    text = f"On {len(differences)} further test sets, {first.contrast.name} is from "
    ends = [number(end[1], "points", interval=False) for end in (low, high)]
    return [(text, ends[0], f" ({low[0]}) to ", ends[1], f" ({high[0]}).")]


def _not_trained_out(block: Block) -> list[Sentence]:
    labels = not_trained_out(block)
    if not labels:
        return []
    verb = "is" if len(labels) == 1 else "are"
    return [(f"{', '.join(labels)} {verb} not trained out, so that no rank is given.",)]


def _failed(blocks: Sequence[Block]) -> list[Sentence]:
    failed = sum(len(block.records) - len(block.finished) for block in blocks)
    total = sum(len(block.records) for block in blocks)
    return [(f"{failed} of {total} cells failed; see below.",)] if failed else []
