"""Basic authentication by bcrypt hashes, as cheap as it can be for who is let in."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from enum import Enum, auto

import bcrypt

REMEMBERED = 256
"""Pairs of user and password that were right lately; each takes its bcrypt but once."""

WAITING = 32
"""Passwords that may wait to be compared: bcrypt takes a core for a twentieth of a second."""

_LONGEST = 72
"""Bytes of a password that bcrypt looks at; all that make such hashes ignore the rest."""

_NOBODY = "$2b${cost:02d}$" + "." * 53
"""The hash of no password, for users that do not exist: they take as long as the others."""


class Admission(Enum):
    ADMITTED = auto()
    REFUSED = auto()
    BUSY = auto()
    """Too many wait already; try again."""


class Login:
    """Compares passwords, one at a time and beside the loop. Used by one event loop.

    What was right once is kept as a keyed digest that also covers the user's hash: a changed hash
    counts from the next request on. What was wrong is not kept, so that nobody who guesses can
    push out those who are let in.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._one = asyncio.Lock()
        self._waiting = 0

    async def admit(self, users: Mapping[str, str], authorization: str) -> Admission:
        """Whether the header names a user with the right password."""
        given = credentials(authorization)
        if given is None:
            return Admission.REFUSED
        name, password = given
        hashed = users.get(name) or _NOBODY.format(cost=_dearest(users))
        digest = self._digest(name.encode(), hashed.encode(), password)
        if digest in self._known:
            self._known.move_to_end(digest)
            return Admission.ADMITTED
        if self._waiting >= WAITING:
            return Admission.BUSY
        self._waiting += 1
        try:
            async with self._one:
                right = await asyncio.to_thread(_matches, password, hashed)
        finally:
            self._waiting -= 1
        if not right or name not in users:
            return Admission.REFUSED
        self._known[digest] = None
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return Admission.ADMITTED

    def _digest(self, *parts: bytes) -> bytes:
        told = b"".join(len(part).to_bytes(8) + part for part in parts)
        return hmac.digest(self._key, told, hashlib.sha256)


def credentials(authorization: str) -> tuple[str, bytes] | None:
    """User and password of an `Authorization: Basic` header; None if it is none.

    >>> credentials("Basic cHJvbTpwOnc="), credentials("Bearer x"), credentials("Basic !")
    (('prom', b'p:w'), None, None)
    """
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
        return (name.decode(), password) if colon else None
    except (binascii.Error, ValueError):
        return None


def _matches(password: bytes, hashed: str) -> bool:
    try:
        return bcrypt.checkpw(password[:_LONGEST], hashed.encode())
    except ValueError:  # a password with a NUL, which no hash is of
        return False


def _dearest(users: Mapping[str, str]) -> int:
    """The highest cost of a hash, which is the first number of it."""
    return max((int(one.split("$")[2]) for one in users.values()), default=10)
