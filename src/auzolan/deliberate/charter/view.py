"""What is shown of a constitution or of a selection, as plain values; no words, no markup.

Everything follows from signed records and from the counts that their tallies
publish (`gather`). What a tally withholds stays withheld: it is None here.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from auzolan.core.kinds.constitution import Principle
from auzolan.core.record.governance import FloorArticle
from auzolan.deliberate.overview import Dot
from auzolan.deliberate.ratify.parameters import Parameters

APPROVALS = "B"  # the grade of ballots that only approve


@dataclass(frozen=True)
class Share:
    """Votes of some people on one statement.

    Attributes:
        agree, disagree, passed: how many.
        whole: of how many people this is a part.
        lower_ppm, upper_ppm: between them the share that agrees plausibly lies, in millionths; None where ballots only
            approve, and where everybody is counted.
    """

    agree: int
    disagree: int
    passed: int
    whole: int
    lower_ppm: int | None
    upper_ppm: int | None


@dataclass(frozen=True)
class Support:
    """Who supports a statement.

    Attributes:
        all, groups: votes of all, and by group; None where the tally withholds them.
        approvals: whether ballots only approve.
        exact: whether a small community was counted exactly.
        min_cell: fewest people that a published count is about.
    """

    all: Share | None
    groups: tuple[tuple[str, Share], ...] | None
    approvals: bool = False
    exact: bool = False
    min_cell: int = 1


@dataclass(frozen=True)
class Text:
    """Words of the community.

    Attributes:
        words: "" where they were taken out.
        language: BCP 47 tag, "" where it is not stated.
        translations: language -> words, for reading only.
    """

    words: str
    language: str = ""
    translations: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Entry:
    """An article, a view that is acknowledged, or what did not get in.

    Attributes:
        label: a principle's number such as "2.1", the place of a selected statement such as "3", or "#11".
        text: its words.
        support: who supports it.
        is_article: whether it got in.
        is_principle: whether it was voted on as a principle of a draft, rather than as a statement.
        standing: why it did not get in; "" for an article.
        how: by which rule an article came in.
        against: groups that disagree, in the vote that this is about.
        contested_before: groups that disagreed in the deliberation before, where that put it to the vote.
        rival: label and words of what it excludes.
        block_margin: how many more who disagree would end an article's standing.
        admit_margin: how many more who agree it lacks.
        holds, unopposed: of 100 resamples.
        sources: the statements that a principle rests on.
        transformation, editor: how its words came about.
        left_out: who left it out of the wording, and why.
        goes_to_vote: whether a contested statement is put to the people's vote.
        reach: what part of a seat those behind an acknowledged view reach.
        why: the statement whose author can ask `auzolan deliberate why`.
    """

    label: str
    text: Text
    support: Support
    why: int
    is_article: bool = False
    is_principle: bool = False
    standing: str = ""
    how: str = ""
    against: tuple[str, ...] = ()
    contested_before: tuple[str, ...] = ()
    rival: tuple[str, str] | None = None
    block_margin: int | None = None
    admit_margin: int | None = None
    holds: int | None = None
    unopposed: int | None = None
    sources: tuple[tuple[int, str], ...] = ()
    transformation: str = Principle.VERBATIM
    editor: str = ""
    left_out: tuple[str, str] | None = None
    goes_to_vote: bool = False
    reach: Fraction | None = None


@dataclass(frozen=True)
class Presence:
    """Who of a declared part of the people took part; None where that is not published, or not known.

    Attributes:
        value: of the stratum.
        took_part: participants who declared it.
        may_vote: people of that kind on the roll.
        is_few: whether they are not named among the participants, because few of them or none took part.
    """

    value: str
    took_part: int | None
    may_vote: int | None
    is_few: bool = False


@dataclass(frozen=True)
class Stratum:
    """One way in which participants declared who they are, such as their district.

    Attributes:
        name: of the stratum.
        values: who took part, and how many may vote.
        undeclared: participants who declared nothing, or what few declared; None where withheld.
    """

    name: str
    values: tuple[Presence, ...]
    undeclared: int | None


@dataclass(frozen=True)
class Turnout:
    """How many took part, and who: `roll` is how many may vote, 0 where that is not known."""

    participants: int
    votes: int
    roll: int
    strata: tuple[Stratum, ...]


@dataclass(frozen=True)
class Proof:
    """A certificate, its statements replaced by label and words."""

    ejr_ratio: Fraction
    is_core: bool
    strongest: tuple[str, str] | None
    reach: Fraction


@dataclass(frozen=True)
class Charter:
    """All that is shown.

    Attributes:
        record: id of the constitution or selection.
        is_ratified: whether it is a constitution.
        title, date: as signed.
        commons: name of the community.
        principals: names of those who govern, in force now.
        floor: rights that no vote lowers.
        demo: whether its keys are throw-away ones.
        trial: whether it was selected with another number of articles than the rules say.
        replaces: id of the constitution that it replaces, or None.
        grade, rules_known, rules: of the outcome.
        identity, licence: of the vote, as the importer states them.
        articles: in their order.
        acknowledged: views that are acknowledged.
        left: what did not get in.
        never_voted: statements that were not put to the people's vote; empty for a selection.
        groups: name -> people; n_unassigned stand in none.
        min_cell: fewest people that a published count is about.
        turnout: of the vote.
        deliberated: how many took part in the deliberation before, or None.
        proof: the certificate, None where nothing could be selected.
        records: (kind, id) of what all this rests on.
        recounted: whether the ballots were counted again just now.
        dots: the opinion map.
    """

    record: str
    is_ratified: bool
    title: str
    date: str
    commons: str
    principals: tuple[str, ...]
    floor: tuple[FloorArticle, ...]
    demo: bool
    trial: bool
    replaces: str | None
    grade: str
    rules_known: str
    rules: Parameters
    identity: str
    licence: str
    articles: tuple[Entry, ...]
    acknowledged: tuple[Entry, ...]
    left: tuple[Entry, ...]
    never_voted: tuple[Entry, ...]
    groups: tuple[tuple[str, int], ...]
    n_unassigned: int
    min_cell: int
    turnout: Turnout
    deliberated: int | None
    proof: Proof | None
    records: tuple[tuple[str, str], ...]
    recounted: bool
    dots: tuple[Dot, ...]
