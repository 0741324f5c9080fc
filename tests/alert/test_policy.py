"""k of m has to be possible."""

import pytest

from driftwatch.alert.policy import AlertPolicy


@pytest.mark.parametrize(("k", "of"), [(0, 3), (4, 3), (1, 33), (-1, 1)])
def test_k_of_m_that_cannot_be(k: int, of: int) -> None:
    with pytest.raises(ValueError, match=f"not {k} of {of}"):
        AlertPolicy(k=k, of=of)


@pytest.mark.parametrize(("k", "of"), [(1, 1), (2, 3), (32, 32)])
def test_k_of_m_that_can(k: int, of: int) -> None:
    assert (AlertPolicy(k, of).k, AlertPolicy(k, of).of) == (k, of)
