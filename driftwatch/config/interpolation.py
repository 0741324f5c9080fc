"""`${NAME}` and `${NAME:-default}` in text values, from the environment."""

import re
from collections.abc import Mapping

_TOKEN = re.compile(
    r"\$\$|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<fallback>:-(?P<default>[^}]*))?\}|\$\{"
)


def interpolate(text: str, env: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """The text with its variables put in, and what is wrong with it (never a value).

    `${NAME}` must be set (it may be empty); `${NAME:-default}` takes the default when NAME is
    unset or empty; `$$` is one `$`; a `$` before anything else is itself.

    >>> interpolate("${A}-${B:-b}-$$-$5", {"A": "a"})
    ('a-b-$-$5', ())
    >>> interpolate("${C}", {})
    ('', ("the environment variable C is not set; set it, or write '${C:-a default}'",))
    """
    faults: list[str] = []

    def put(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        name = match["name"]
        if name is None:
            faults.append("a '${' without a name and a '}'; write ${NAME}, or $$ for a plain $")
            return ""
        if match["fallback"] is not None:
            return env.get(name) or match["default"]
        if name not in env:
            faults.append(
                f"the environment variable {name} is not set; "
                f"set it, or write '${{{name}:-a default}}'"
            )
        return env.get(name, "")

    return _TOKEN.sub(put, text), tuple(faults)
