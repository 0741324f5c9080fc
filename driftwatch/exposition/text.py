"""The text exposition format: escaping and numbers.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/ (text format 0.0.4); the lines
made here are valid in OpenMetrics 1.0 as well.
"""

import math
from collections.abc import Mapping

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def clean(value: str) -> str:
    """A label value that UTF-8 can carry and that every parser reads to its end.

    A lone surrogate and NUL (which ends the input of Prometheus' lexer) become U+FFFD.

    >>> clean("a\\x00b")
    'a\ufffdb'
    """
    if value.isascii() and "\0" not in value:
        return value
    whole = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\0", "\ufffd")


def labels_text(labels: Mapping[str, str]) -> str:
    r"""The labels between the braces, in the order given, values escaped.

    >>> print(labels_text({"monitor": 'a "b"', "window": "1h"}))
    monitor="a \"b\"",window="1h"
    """
    return ",".join(
        f'{name}="{clean(value).translate(_ESCAPES)}"' for name, value in labels.items()
    )


def number_text(value: float) -> str:
    """A finite number in its shortest form that reads back the same.

    >>> number_text(2.0), number_text(0.1), number_text(1385164800.0)
    ('2', '0.1', '1385164800')
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} is not exposed: what is not known has no sample")
    if value == int(value) and abs(value) < 2**53:
        return str(int(value))
    return repr(float(value))
