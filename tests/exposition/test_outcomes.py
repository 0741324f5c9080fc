import inspect

from driftwatch import errors
from driftwatch.exposition.outcomes import OUTCOMES, SUCCESSES


def test_every_class_of_error_has_its_outcome_in_the_list() -> None:
    classes = [one for _, one in inspect.getmembers(errors, inspect.isclass)]
    declared = {one.outcome for one in classes if issubclass(one, errors.DriftwatchError)}
    assert declared <= set(OUTCOMES)
    assert {"timeout", "source_error", "store_error", "internal_error", "conflict"} <= declared


def test_no_outcome_is_listed_twice_and_no_error_is_a_success() -> None:
    assert len(set(OUTCOMES)) == len(OUTCOMES)
    assert errors.DriftwatchError.outcome not in SUCCESSES
