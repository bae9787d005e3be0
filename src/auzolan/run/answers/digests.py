"""The two digests by which a receipt names a transcript, and which only its nonce opens.

    request   HMAC-SHA-256(nonce, "auzolan/answer/request/v1\\n"  || RFC 8785 bytes of the list `messages`)
    response  HMAC-SHA-256(nonce, "auzolan/answer/response/v1\\n" || the text in UTF-8)

`messages` is what the client sent under that name, each message with all its
fields. The text is what was really sent back, from the first character to the
last. The nonce is 32 random bytes, fresh for every answer: without it a digest
can be neither opened nor guessed nor compared with another one, not even where
the question is "hello". The two prefixes keep a question from standing for an
answer. RFC 2104 and HMAC's use as a commitment: it is binding, as SHA-256 is
free of known collisions and the key has a fixed length below the block size.

Not under a digest: temperature and other settings of the request, and the
system prompt, which the service's record holds. Nothing here needs orjson, so
that a receipt can be checked by the base install.
"""

from __future__ import annotations

import hmac

from auzolan.core.record.canonical import JsonValue, as_list, as_object, canonical_bytes
from auzolan.core.record.errors import MalformedError

NONCE_BYTES = 32
_REQUEST = b"auzolan/answer/request/v1\n"
_RESPONSE = b"auzolan/answer/response/v1\n"


def messages_bytes(messages: JsonValue) -> bytes:
    """Return the bytes of a request's messages that its digest is taken over.

    Raises:
        MalformedError: not a list of objects, or something in them cannot be signed, such as a float.
    """
    for message in as_list(messages, "messages"):
        as_object(message, "messages")
    return canonical_bytes(messages)


def request_digest(nonce: bytes, asked: bytes) -> str:
    """Return the digest of what was asked, `asked` being the `messages_bytes`."""
    return hmac.digest(check_nonce(nonce), _REQUEST + asked, "sha256").hex()


def response_digest(nonce: bytes, text: str) -> str:
    """Return the digest of what was sent back.

    Raises:
        MalformedError: the text holds a lone surrogate, so it has no UTF-8.
    """
    try:
        return hmac.digest(check_nonce(nonce), _RESPONSE + text.encode(), "sha256").hex()
    except UnicodeEncodeError:
        raise MalformedError("answer: the text holds a lone surrogate, which is not valid UTF-8") from None


def check_nonce(nonce: bytes) -> bytes:
    """Return `nonce` if it has the one length that there is, else raise MalformedError."""
    if len(nonce) != NONCE_BYTES:
        raise MalformedError(f"nonce: expected {NONCE_BYTES} bytes, got {len(nonce)}")
    return nonce
