"""Reads responses to matrix surveys of Decidim, as an administrator exports them: JSON or CSV.

One file, or a folder or zip with several. Rows are found by the number in
brackets with which they begin (`decidim_rows`), what they mean by their words
(`decidim_answers`); columns by their names, in whatever language. The first
column is the respondent, and becomes a pseudonym here. The date orders answers
of one person to one statement and goes no further; what else stands before the
first question (hash of the address, status) is not looked at, but for one
thing: whether it holds both statuses. An empty cell means that the statement
was not seen; it is never filled in.

Where one person answered on one statement twice, the later date counts; an
answer with a date that cannot be read counts as earlier than any other. Where
that does not decide and the answers differ, none counts. The order of files
and rows never decides, since it tells nothing.

Checks: the bounds of `source`, the form of `decidim_responses`; the first
column holds what can be an ID (no e-mail address, no number as spreadsheets
shorten them, which would make one of two people); rows are on the list of
statements, if there is one, and none says what another statement says.
Does not check: who somebody is. Where a survey was open to people who were not
signed in, one person may answer often, and in some versions of Decidim all who
were not signed in have one ID. Since 0.24 (decidim/decidim#6850) the ID is made
with a secret of the survey, so that it differs from survey to survey for the
same person: who answered two surveys counts as two people, and surveys that
share nobody are counted. So each person is asked to answer one survey, and
opinion groups rest on what people said within one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.deliberate.conversation import Cleaning, Conversation, Pseudonym
from auzolan.deliberate.sources.decidim_answers import Answers, Place
from auzolan.deliberate.sources.decidim_responses import Response, Responses, identifier
from auzolan.deliberate.sources.decidim_rows import Row, Wordings, moment, same_text
from auzolan.deliberate.sources.decidim_texts import statements_of
from auzolan.deliberate.sources.polis_raw import Names, Progress, no_progress, step
from auzolan.deliberate.sources.source import AnyPath, Source, open_source
from auzolan.deliberate.sources.survey_words import meanings
from auzolan.deliberate.sources.texts import MAX_TEXT
from auzolan.deliberate.votes import Packing, pack

_SHEETS = (".xlsx", ".xls", ".ods")
_ABOUT = 4  # ID, date, hash of the address, status: with fewer, the last is not the status
_NAMED = 6
OTHER_WORDS = "rows whose words are not those on the list, read by their number"


def read_decidim_survey(
    path: AnyPath,
    pseudonym: Pseudonym,
    statements: Mapping[int, str] | None = None,
    *,
    translations: Mapping[int, Collection[str]] | None = None,
    words: Mapping[str, int] | None = None,
    progress: Progress = no_progress,
) -> Conversation:
    """Read responses to one survey or several.

    Args:
        path: of a JSON or CSV file, or of a folder or zip of such files.
        pseudonym: turns an ID into a pseudonym; different ids into different ones.
        statements: id -> text, of all statements that were asked; None to take the texts of the rows.
        translations: id -> what the statement says in further languages; a row in words of none of them is counted as
            `OTHER_WORDS`.
        words: what each word means, 1, 0 or -1, beside the known ones; one that is given here means only this.
        progress: called now and then with the name of a file and how many responses were read.

    Raises:
        UsageError: the path cannot be read, holds spreadsheets or no responses, words do not fit, or there are
            translations and no statements.
        MalformedError: a file has not the form of an export, a row is not on the list or says what another
            statement says, or a word is not known.
        VerificationError: an option of a question means two things.
        NotCheckedError: a file could not be read to its end.
    """
    known = meanings(words or {})
    if statements is None and translations is not None:
        raise UsageError("translations are told apart by the statements that they are of; give these, too")
    listed = None if statements is None else Wordings(statements, translations)
    reader = _Reader(pseudonym, listed, known)
    with open_source(path) as source:
        members = _members(source)
        for member in members:
            reader.read(source, member, progress)
        name = source.name
    if not reader.texts_by_statement:
        raise MalformedError(
            f"{name}: no row of a matrix question begins with the number of a statement, such as “[12] ”"
        )
    packing = pack(reader.answers.rows(), [*reader.texts_by_statement, *(statements or ())])
    if not packing.table.n_votes:
        raise MalformedError(f"{name}: there is not a single vote")
    texts = reader.texts_by_statement if statements is None else statements
    shown, masking = statements_of(packing.table.statements, texts)
    sign, evidence = reader.answers.evidence()
    return Conversation(
        tool="decidim-survey",
        layout=_layout(members),
        table=packing.table,
        statements=shown,
        agree_sign=sign,
        sign_evidence=evidence,
        rows_read=len(reader.answers) + reader.answers.several + reader.votes_of_nobody,
        cleaning=(*reader.cleaning(packing), *masking),
    )


def _members(source: Source) -> list[str]:
    """Return the files with responses.

    Raises:
        UsageError: there is none, or a spreadsheet.
    """
    for name in source.members:
        if name.lower().endswith(_SHEETS):
            raise UsageError(f"{name} is a spreadsheet; export the responses from Decidim as CSV or JSON")
        if name.lower().endswith(".zip") and name != source.name:
            raise UsageError(f"{name} is a zip in {source.name}; unpack it, and name the folder with its files")
    found = [name for name in source.members if source.is_single or name.lower().endswith((".json", ".csv"))]
    if not found:
        raise UsageError(f"{source.name} holds no file ending in .json or .csv")
    return found


def _layout(members: list[str]) -> str:
    more = f" and {len(members) - _NAMED} more" if len(members) > _NAMED else ""
    return f"responses to matrix surveys: {', '.join(members[:_NAMED])}{more}"


class _Reader:
    """Reads files one by one.

    Attributes:
        answers: what was chosen.
        texts_by_statement: the text of each row that was met, the first by the name of the file.
        votes_of_nobody: rows answered in responses without an ID.
    """

    def __init__(self, pseudonym: Pseudonym, listed: Wordings | None, words: Mapping[str, int]) -> None:
        self.answers = Answers(words)
        self.texts_by_statement: dict[int, str] = {}
        self.votes_of_nobody = 0
        self._names = Names(pseudonym)
        self._listed = listed
        self._words = words
        self._members_of: dict[str, set[str]] = {}  # file -> pseudonyms
        self._nobody = self._repeated = self._undated = self._about = self._mixed = self._others = 0
        self._in_other_words = self._edited = 0

    def read(self, source: Source, member: str, progress: Progress) -> None:
        """Read one file."""
        people = self._members_of.setdefault(member, set())
        statuses: set[str] = set()
        about = 0
        responses = Responses(source, member, self._listed, self._words, self._meet)
        for number, response in enumerate(responses, start=1):
            about = max(about, len(response.about))
            if len(response.about) >= _ABOUT - 1 and response.about[-1]:
                statuses.add(response.about[-1])
            if response.who:
                self._take(member, response, people)
            else:
                self._nobody += 1
                self.votes_of_nobody += len(response.answered)
            step(progress, member, number)
        self._about += about
        self._others += responses.others
        self._mixed += len(statuses) > 1

    def _take(self, member: str, response: Response, people: set[str]) -> None:
        name = self._names[identifier(response)]
        self._repeated += name in people
        people.add(name)
        at = next((at for at in map(moment, response.about) if at is not None), 0)
        self._undated += not at
        for row, choices in response.answered:
            if len(choices) > 1:
                self.answers.several += 1
                continue
            (choice,) = choices
            place = None if choice.place is None else Place(member, row.question, choice.place)
            self.answers.add(name, row.statement, at, choice.word, place, f"{response.where}, row [{row.statement}]")

    def _meet(self, row: Row, where: str) -> None:
        """Check a row and keep its text.

        Raises:
            MalformedError: it is not on the list, or says what another statement says.
        """
        if self._listed is not None:
            if row.statement not in self._listed.numbers:
                raise MalformedError(
                    f"{where}: the row [{row.statement}] of question {row.question} is not on the list of statements. "
                    "If this is another question of the survey, export JSON, where it cannot be taken for a row"
                )
            numbers = self._listed.numbers_of(row.text)
            if numbers and row.statement not in numbers:
                raise MalformedError(
                    f"{where}: the row [{row.statement}] of question {row.question} has the words of statement "
                    f"{min(numbers)}, so that it cannot be told which of the two people answered"
                )
            self._in_other_words += not numbers
        text = row.text[: MAX_TEXT + 1]  # one that is longer is not shown, and this much tells that it is
        first = self.texts_by_statement.setdefault(row.statement, text)
        self._edited += self._listed is None and not same_text(first, text)

    def cleaning(self, packing: Packing) -> tuple[Cleaning, ...]:
        """Return every rule and what it did; call it when all is read."""
        people = set().union(*self._members_of.values())
        silent = len(people - set(packing.table.participants))
        missing = len(self._listed.numbers - set(self.texts_by_statement)) if self._listed else 0
        answers = self.answers
        return (
            Cleaning(
                "responses without an ID of the respondent left out", votes=self.votes_of_nobody, others=self._nobody
            ),
            Cleaning("rows in which more than one option was chosen not counted as votes", votes=answers.several),
            Cleaning("earlier votes replaced by later ones of the same participant", votes=packing.replaced),
            Cleaning("votes cast at the same moment that differ", votes=packing.ambiguous),
            Cleaning("answers in unknown words read by the place of their option", others=answers.by_place),
            Cleaning("responses without a date that can be read, taken as earlier than others", others=self._undated),
            Cleaning("further responses of a participant to the same survey", others=self._repeated),
            Cleaning("participants without a single vote", others=silent),
            Cleaning(
                "surveys that share no participant with another, though one person may be in both", others=self._alone()
            ),
            Cleaning(
                "surveys with responses of people both signed in and not, which are not told apart", others=self._mixed
            ),
            Cleaning("columns about the respondent left out (date, hash of the address, status)", others=self._about),
            Cleaning("other questions left out", others=self._others),
            Cleaning(OTHER_WORDS, others=self._in_other_words),
            Cleaning("rows of a statement that has other words in the row that came first", others=self._edited),
            Cleaning("statements of the list that no survey has", others=missing),
        )

    def _alone(self) -> int:
        """Return how many of several files with responses share nobody with another."""
        files = [people for people in self._members_of.values() if people]
        seen: dict[str, int] = {}
        for people in files:
            for name in people:
                seen[name] = seen.get(name, 0) + 1
        return sum(all(seen[name] == 1 for name in people) for people in files) if len(files) > 1 else 0
