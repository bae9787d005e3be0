"""The nouns: what each kind of record says, one module per stage.

`deliberate` has three more, `proposals`, `selection` and `constitution`; `teach` has `dataset`
besides, and `run` has `answer`.

`read_kind` turns a record into its dataclass. A kind that is not known here is
kept, traced and verified all the same; only its body is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable

from auzolan.core.kinds.answer import Answer
from auzolan.core.kinds.constitution import Constitution, Draft
from auzolan.core.kinds.deliberate import Snapshot, Tally
from auzolan.core.kinds.govern import Document
from auzolan.core.kinds.oversee import Endorsement
from auzolan.core.kinds.proposals import Proposals, Shortlist
from auzolan.core.kinds.run import Anchor, RuntimePolicy, Service
from auzolan.core.kinds.selection import Selection
from auzolan.core.kinds.teach import Adapter, Dataset
from auzolan.core.record.governance import GOVERNANCE_KIND, read_governance
from auzolan.core.record.record import Record
from auzolan.core.record.tombstone import TOMBSTONE_KIND, erased_by

_READERS: dict[str, Callable[[Record], object]] = {
    GOVERNANCE_KIND: lambda record: read_governance(record.body),
    TOMBSTONE_KIND: erased_by,
    Adapter.KIND: Adapter.from_record,
    Anchor.KIND: Anchor.from_record,
    Answer.KIND: Answer.from_record,
    Constitution.KIND: Constitution.from_record,
    Dataset.KIND: Dataset.from_record,
    Document.KIND: Document.from_record,
    Draft.KIND: Draft.from_record,
    Endorsement.KIND: Endorsement.from_record,
    Proposals.KIND: Proposals.from_record,
    RuntimePolicy.KIND: RuntimePolicy.from_record,
    Selection.KIND: Selection.from_record,
    Service.KIND: Service.from_record,
    Shortlist.KIND: Shortlist.from_record,
    Snapshot.KIND: Snapshot.from_record,
    Tally.KIND: Tally.from_record,
}
KNOWN_KINDS = frozenset(_READERS)


def read_kind(record: Record) -> object | None:
    """Return what a record of a known kind says, or None for an unknown kind.

    Raises:
        MalformedError: the kind is known and the body does not have its form.
    """
    reader = _READERS.get(record.kind)
    return reader(record) if reader else None
