import gzip
import zlib

from hypothesis import given
from hypothesis import strategies as st

from driftwatch.exposition.compress import compress, finish


@given(st.binary(), st.binary())
def test_one_member_holds_both_parts(first: bytes, rest: bytes) -> None:
    member = finish(compress(first), rest)
    assert gzip.decompress(member) == first + rest
    decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)  # stops after one member
    assert decoder.decompress(member) == first + rest
    assert decoder.unused_data == b""


def test_it_is_smaller() -> None:
    text = b'driftwatch_window_rows{monitor="delay-model",feature="dep_delay"} 930\n' * 1000
    assert len(finish(compress(text), b"")) < len(text) / 20
