"""Every key that the shape of the file has, as one dotted path each."""

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo

from driftwatch.config.reading import inner_shape
from driftwatch.config.shape import RootShape, Shape

_OF_FEATURE = "monitors[].features[].reference"
_NAMES = {"sources": "<name>", "thresholds": "<measure>", "threshold": "<measure>"}


def schema_keys() -> dict[str, FieldInfo]:
    """Path to field. `defaults` repeats keys of a monitor, `prediction` those of a feature, and
    the reference of a feature those of the monitor's."""
    return {
        path: field
        for path, field in _keys(RootShape, "")
        if not path.startswith(("defaults.", "monitors[].prediction.", f"{_OF_FEATURE}."))
    }


def _keys(shape: type[Shape], parent: str) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in shape.model_fields.items():
        key = field.alias or name
        path = f"{parent}.{key}" if parent else key
        yield path, field
        inner = inner_shape(field.annotation)
        if inner is not None:
            yield from _keys(inner, path + _step(field.annotation, key))


def _step(annotation: Any, key: str) -> str:
    origins = {get_origin(annotation), *(get_origin(part) for part in get_args(annotation))}
    if list in origins:
        return "[]"
    return f".{_NAMES[key]}" if dict in origins else ""
