"""The name of a table as the file writes it."""

import re

_QUALIFIED = re.compile(r"([A-Za-z_]\w*)\.([A-Za-z_]\w*)")


def split_table(text: str) -> tuple[str | None, str]:
    """Schema and name. Only a plain `schema.table` is split; anything else is a name as it is.

    >>> split_table("ml.predictions"), split_table("predictions"), split_table("odd name.x")
    (('ml', 'predictions'), (None, 'predictions'), (None, 'odd name.x'))
    """
    match = _QUALIFIED.fullmatch(text)
    return (match[1], match[2]) if match else (None, text)
