"""Which addresses may be linked in public: those that are plainly of the proposal that they are said to be of.

Checks: http or https; the host of the proposal's key, without a user and a password; a path of harmless characters that
ends with the number of the proposal; no query, no fragment.
Does not check: that the page is there.
"""

from __future__ import annotations

import re

from auzolan.deliberate.decidim.entities import Key

_ADDRESS = re.compile(r"https?://([a-z0-9.-]+(?::[0-9]{1,5})?)((?:/[A-Za-z0-9._~-]+)*)/proposals/([1-9][0-9]*)/?")
_RECORD = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~%-]+)*/?(?:#[A-Za-z0-9._~-]+)?")
_LONGEST = 1_000


def link_of(key: Key, url: str | None) -> str | None:
    """Return the address of a proposal's page, or None where it is not plainly that."""
    found = _ADDRESS.fullmatch(url) if url and len(url) <= _LONGEST else None
    if found is None or int(found[3]) != key.id or key.kind != "proposal":
        return None
    host = found[1] if ":" in key.host else found[1].split(":")[0]
    return found[0].rstrip("/") if host == key.host and ".." not in found[2].split("/") else None


def record_link(url: str | None) -> str | None:
    """Return the address of a record, or None where it is not plainly one."""
    return url if url and len(url) <= _LONGEST and _RECORD.fullmatch(url) else None
