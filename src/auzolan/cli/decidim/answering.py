"""Edge: `auzolan deliberate publish --to decidim-api`: official answers, one by one, on a live Decidim.

Decidim notifies authors and followers of every proposal that is answered. So
nothing is sent without being told so, nobody is answered twice, and one run at a time is at it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from auzolan.cli.ballots import Evidence
from auzolan.cli.commons import Commons, read_user_file
from auzolan.cli.decidim.importing import fetched, headers_of
from auzolan.cli.decidim.publishing import PublishOptions, write_back_of
from auzolan.cli.output import hint, print_json, progress_bar
from auzolan.core.lm.wire import read_address
from auzolan.core.record.disk import DiskFiles, exclusive_lock
from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.core.record.record import Record
from auzolan.core.record.view import LedgerView
from auzolan.deliberate.decidim.api.answering import Answer, write_answers
from auzolan.deliberate.decidim.api.asking import Api
from auzolan.deliberate.decidim.api.signing_in import signed_in
from auzolan.deliberate.decidim.write_back.answers import AnswerFiles


@dataclass(frozen=True)
class Access:
    """How to sign in; the fields are the options of the same names."""

    token_file: Path | None = None
    client_id: str | None = None
    credentials: Path | None = None
    yes_notify: bool = False
    resend: bool = False


def publish_answers(
    place: Commons,
    ledger: LedgerView,
    record: Record,
    address: str,
    options: PublishOptions,
    access: Access,
    as_json: bool,
) -> None:
    """Answer the proposals of a live Decidim.

    Raises:
        UsageError: nobody said that people may be notified, the address or access does not fit, another run is at it,
            or an earlier one may have sent an answer and nobody knows.
        VerificationError: the constitution does not hold.
        StorageError: the Decidim or the network failed; running again goes on.
    """
    evidence = Evidence(place.public, place.private)
    with progress_bar("checking"):
        back = write_back_of(ledger, evidence, record, options)
    files = AnswerFiles(back.published, back.answers(evidence), options.of_answers)
    answers = [Answer(each.component, each.proposal, each.state, each.texts) for each in files.given()]
    left = files.about().left
    if not access.yes_notify:
        raise UsageError(
            f"this gives official answers to {len(answers):,} proposals on {back.published.host}, and notifies their "
            "authors and followers at once; if that is what you want, add --yes-notify-participants"
        )
    if not answers:
        raise UsageError(f"there is nothing to answer; {sum(left.values()):,} proposals are left out")
    if (host := read_address(address).host) != back.published.host.split(":")[0]:  # before anything secret is sent
        raise UsageError(f"the proposals are of {back.published.host}, and the address is of {host}")
    store = fetched(place, f"answers to {back.published.host} of {record.id}")
    with alone(store), _headers(address, access) as headers:
        api = Api(address, time.monotonic, time.sleep, random.SystemRandom().random, headers=headers)
        try:
            with progress_bar("answering") as bar:
                written = write_answers(
                    api, answers, store, time.sleep, bar, replace=options.replace, resend=access.resend
                )
        finally:
            api.close()
    if as_json:
        print_json({**written._asdict(), "left_out": dict(left), "host": back.published.host})
        return
    hint(f"answered {written.sent:,} proposals; {written.standing:,} had this answer already")
    if written.answered_by_others:
        hint(
            f"{written.answered_by_others:,} proposals were left as they are: somebody else answered them since the "
            "import; --replace-answers replaces these answers"
        )
    if written.not_shown:
        hint(f"{written.not_shown:,} answers were taken and are not shown yet: the component publishes them later")


@contextmanager
def alone(store: DiskFiles) -> Iterator[None]:
    """Let no other run give answers that are noted in the same place.

    Raises:
        UsageError: another run does.
        StorageError: the place cannot be locked.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(exclusive_lock(store.root / "answering.lock"))
        except UsageError:
            raise UsageError("another run is giving these answers now; wait until it has ended") from None
        yield


@contextmanager
def _headers(address: str, access: Access) -> Iterator[Mapping[str, str]]:
    """Yield the headers of an administrator.

    Raises:
        UsageError: there is no access, or there are two.
        MalformedError: the credentials are not two lines.
    """
    if (access.credentials is None) is (access.token_file is None):
        raise UsageError("answering needs an administrator: name a --credentials or a --token-file, one of the two")
    if access.credentials is None:
        yield headers_of(access.token_file, access.client_id)
        return
    lines = read_user_file(access.credentials, 10_000).decode("utf-8", "replace").split()
    if len(lines) != 2:
        raise MalformedError("--credentials: expected two lines, the key and the secret of API credentials")
    with signed_in(address, lines[0], lines[1], time.monotonic) as headers:
        yield headers
