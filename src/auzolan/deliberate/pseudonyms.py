"""Pseudonyms: who someone is in the source cannot be found without the community's own key.

HMAC-SHA-256 (RFC 2104) over the scope and the participant's id in the source,
cut to 16 bytes. One scope is one conversation: the same person has other
pseudonyms elsewhere, so tables of two conversations cannot be joined.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

from auzolan.core.record.errors import UsageError
from auzolan.deliberate.ballots import PSEUDONYM_BYTES

KEY_BYTES = 32


def pseudonyms(key: bytes, scope: str) -> Callable[[str], str]:
    """Return the function from ids in the source to pseudonyms, 32 hexadecimal digits each.

    Args:
        key: 32 secret bytes of the community.
        scope: name of the conversation.

    Raises:
        UsageError: a key of another length, or an empty scope.
    """
    if len(key) != KEY_BYTES:
        raise UsageError(f"the key of pseudonyms has {len(key)} bytes, expected {KEY_BYTES}")
    if not scope or "\x00" in scope:
        raise UsageError("the conversation needs a name, without zero bytes")
    start = hmac.new(key, _utf8(scope) + b"\x00", "sha256")

    def pseudonym(participant: str) -> str:
        state = start.copy()
        state.update(_utf8(participant))
        return state.digest()[:PSEUDONYM_BYTES].hex()

    return pseudonym


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise UsageError("expected words in UTF-8") from None
