"""The pages of the kit that people read: the admin's `README.md`, and the text of the process.

Texts of people are escaped for Markdown. How participants are spread over surveys: by month of birth where twelve can
be divided by their number, else by day of birth, else by links that the organisers hand out. A birthday has nothing
to do with an opinion, everybody knows theirs, and nobody is asked for it.
"""

from __future__ import annotations

from collections.abc import Iterator

from auzolan.deliberate.shortlist.listing import LONG, lacking, long
from auzolan.deliberate.shortlist.phrases import Phrases, phrases_of
from auzolan.deliberate.shortlist.plan import Kit
from auzolan.deliberate.wording.draft_file import escaped

_ENGLISH = "en"
_MONTHS, _DAYS = 12, 31
_MOST_NAMED = 100  # statements without a translation, by number


def readme(kit: Kit) -> str:
    """Return what the admin reads, in the main language and in English."""
    main = kit.languages[0]
    pages = ["\n".join(_readme(kit, phrases_of(main)))]
    if phrases_of(main).words.language != _ENGLISH:
        pages.append("\n".join(_readme(kit, phrases_of(_ENGLISH))))
    return "\n\n---\n\n".join(pages) + "\n"


def _readme(kit: Kit, phrases: Phrases) -> Iterator[str]:
    say = phrases.say
    yield f"# {say('r_title')}\n"
    yield say("r_final", record=kit.record) if kit.record else say("r_draft")
    warnings = list(_warnings(kit, phrases))
    if warnings:
        yield f"\n## {say('r_warnings')}\n"
        yield from (f"- {each}" for each in warnings)
    yield f"\n## {say('r_figures')}\n"
    yield from (f"- {each}" for each in _figures(kit, phrases))
    yield f"\n## {say('r_contents')}\n"
    yield f"- {say('r_statements')}"
    for language in kit.languages:
        yield f"- {say('r_process', language=language)}"
        yield f"- {say('r_survey', language=language)}"
    yield f"\n## {say('r_steps')}\n"
    keys = ("process", "old", "new", "paste", "question", "settings", "clean", "fixed", "open", "export", "import")
    for number, key in enumerate(keys, 1):
        yield f"{number}. {say(f'r_s_{key}')}"
    yield f"\n## {say('r_not')}\n"
    yield say("r_not_text")


def _warnings(kit: Kit, phrases: Phrases) -> Iterator[str]:
    for language in kit.languages[1:]:
        if missing := lacking(kit.statements, language):
            shown = phrases.numbers(missing[:_MOST_NAMED]) + (" …" if len(missing) > _MOST_NAMED else "")
            yield phrases.say("r_lacking", language=language, list=shown)
    if found := long(kit.statements):
        yield phrases.say("r_long", limit=LONG, list=phrases.numbers(found))
    if kit.choice.n_hidden:
        yield phrases.say("r_hidden", n=kit.choice.n_hidden)
    if never := kit.balance().pairs_never_together:
        yield phrases.say("r_never", n=never)


def _figures(kit: Kit, phrases: Phrases) -> Iterator[str]:
    balance = kit.balance()
    rows = sum(map(len, kit.surveys))
    yield phrases.say("r_n_statements", n=len(kit.statements), proposals=kit.choice.n_candidates)
    yield phrases.say("r_n_surveys", n=len(kit.surveys), span=_span(balance.per_survey), rows=rows)
    if len(kit.surveys) > 1:
        yield phrases.say("r_times", span=_span(balance.times))
        yield phrases.say("r_pairs", n=balance.pairs_never_together, all=balance.pairs)
        yield phrases.say("r_positions", span=_span(balance.mean_positions))


def _span(ends: tuple[int, int]) -> str:
    return f"{ends[0]}" if ends[0] == ends[1] else f"{ends[0]}-{ends[1]}"


def process_page(kit: Kit, language: str) -> str:
    """Return what participants read before they answer."""
    return "\n".join(_process(kit, language, phrases_of(language))) + "\n"


def _process(kit: Kit, language: str, phrases: Phrases) -> Iterator[str]:
    say = phrases.say
    n = len(kit.statements)
    yield f"# {say('p_title', name=escaped(kit.name))}\n"
    yield say("p_intro", proposals=kit.choice.n_candidates, statements=say("p_statements", n=n)) + "\n"
    yield say("p_who") + "\n"
    yield from _ways(kit, phrases)
    yield f"\n## {say('p_how')}\n"
    yield from _how(kit, phrases)
    yield f"\n## {say('p_after')}\n"
    yield say("p_result") + "\n"
    yield say("p_privacy")
    if kit.record:
        yield "\n" + say("p_check", link=f"<{kit.link}>" if kit.link else f"`{kit.record}`")
    yield f"\n## {say('p_list')}\n"
    for each in kit.statements:
        text = escaped(each.text.get(language) or each.text[kit.languages[0]])
        cited = [cited.key.rsplit("/", 1)[-1] for cited in each.proposals]
        rests = say("p_rests", n=len(cited), list=", ".join(cited))
        mark = "" if each.own_words else r" \*"
        yield f"{each.id}. {text}{mark} ({rests})"


def _ways(kit: Kit, phrases: Phrases) -> Iterator[str]:
    """Yield who answers which survey."""
    n, most = len(kit.surveys), max(map(len, kit.surveys))
    if n == 1:
        yield phrases.say("p_one_survey")
        return
    yield phrases.say("p_surveys" if n <= _DAYS else "p_links", n=n, most=most) + "\n"
    for i in range(1, n + 1):
        yield f"- {_way(i, n, phrases)}"


def _way(i: int, n: int, phrases: Phrases) -> str:
    if n > _DAYS:
        return phrases.say("p_survey", i=i)
    if _MONTHS % n == 0:
        each = _MONTHS // n
        return phrases.say("p_month", i=i, months=phrases.words.listed(phrases.months[(i - 1) * each : i * each]))
    first, last = (_DAYS * (i - 1)) // n + 1, (_DAYS * i) // n
    return phrases.say("p_days" if first < last else "p_day", i=i, first=first, last=last)


def _how(kit: Kit, phrases: Phrases) -> Iterator[str]:
    say = phrases.say
    if kit.choice.by == "none" and len(kit.quotas) == 1:
        yield say("p_no_quotas") + "\n"
    else:
        yield say("p_quotas") + "\n"
        for each in kit.quotas:  # a list, as editors of older Decidims lose tables
            name = escaped(phrases.group(each.name, kit.choice.by))
            yield f"- {say('p_quota', group=name, n=each.places, all=each.proposals)}"
        yield ""
    all_hidden = kit.choice.n_hidden == kit.choice.n_candidates
    order = "p_order_votes" if kit.choice.has_votes else "p_order_hidden" if all_hidden else "p_order"
    yield say(order, seed=phrases.words.quoted(escaped(kit.choice.seed)))
    if kit.choice.n_hidden and not all_hidden:
        yield "\n" + say("p_hidden", n=kit.choice.n_hidden)
    yield "\n" + say("p_only_asked")
    edited = sum(not each.own_words for each in kit.statements)
    yield "\n" + (say("p_edited", n=edited) if edited else say("p_verbatim"))
