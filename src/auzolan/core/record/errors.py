"""The errors of the package, split by who must act.

    AuzolanError            base of them all; `exit_code` is what the CLI returns
    ├── UsageError          the caller asked for something that cannot be done (2)
    ├── MalformedError      whoever made these bytes must make them again (1)
    ├── VerificationError   do not trust this; a check failed (1)
    └── NotCheckedError     nothing failed, but it could not be checked or done (3)
        ├── MissingError    bytes are needed that are not here
        ├── StaleError      what is here is older than what is known to exist
        └── StorageError    the disk or the network did not do its part

From outside bytes only these escape (tests/fuzz). "Could not check" is never
"passed" and never "failed", which is why `NotCheckedError` stands apart.
"""

from __future__ import annotations


class AuzolanError(Exception):
    """Base of all errors that the package raises on purpose."""

    exit_code = 1


class UsageError(AuzolanError):
    """The caller must ask for something else."""

    exit_code = 2


class MalformedError(AuzolanError):
    """The bytes do not have the form that their format demands."""


class VerificationError(AuzolanError):
    """A check failed: the content must not be trusted."""


class NotCheckedError(AuzolanError):
    """A check could not be made: neither passed nor failed."""

    exit_code = 3


class MissingError(NotCheckedError):
    """Bytes that a check needs are not available here."""


class StaleError(NotCheckedError):
    """What is here is older than what is known to exist."""


class StorageError(NotCheckedError):
    """A file could not be read or written: the machine's owner must act."""
