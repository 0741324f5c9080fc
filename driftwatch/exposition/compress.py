"""gzip of a body whose first part is compressed already.

A deflate stream that ends with a full flush ends on a byte and refers to nothing before it, so that
another may follow it; CRC-32 goes on from where it stopped. One gzip member comes out, which every
client reads (several members in a row are read by many, not by all). RFC 1951 and 1952.
"""

import zlib
from dataclasses import dataclass

_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
_LEVEL = 1


@dataclass(frozen=True, slots=True)
class Compressed:
    """The first part of a body: an unfinished deflate stream, with CRC-32 and length so far."""

    deflated: bytes
    checksum: int
    length: int


def compress(text: bytes) -> Compressed:
    """Compress a first part, to be finished by `finish` any number of times."""
    stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    deflated = stream.compress(text) + stream.flush(zlib.Z_FULL_FLUSH)
    return Compressed(deflated, zlib.crc32(text), len(text))


def finish(first: Compressed, rest: bytes) -> bytes:
    """The gzip member of the first part followed by `rest`.

    >>> import gzip
    >>> gzip.decompress(finish(compress(b"one "), b"two"))
    b'one two'
    """
    stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    deflated = stream.compress(rest) + stream.flush()
    checksum = zlib.crc32(rest, first.checksum)
    length = (first.length + len(rest)) & 0xFFFFFFFF
    trailer = checksum.to_bytes(4, "little") + length.to_bytes(4, "little")
    return _HEADER + first.deflated + deflated + trailer
