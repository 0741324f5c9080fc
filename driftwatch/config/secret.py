"""Files of secrets: a password or a whole URL, alone in a file that may be replaced at any time."""

from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from driftwatch.errors import ConfigError

_LARGEST_BYTES = 65_536


class SecretError(ConfigError):
    """The file of a secret holds none. The message names neither its path nor what it holds."""


def read_secret(path: Path) -> str:
    """The one line of a file, stripped. SecretError says why there is none.

    The path is not shown: people write secrets there.
    """
    try:
        with path.open("rb") as opened:
            content = opened.read(_LARGEST_BYTES + 1)
        text = content.decode("utf-8-sig").strip()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SecretError(
            f"cannot read the file named here: {reason}; write the path of a file that driftwatch "
            f"may read (a relative one starts at {Path.cwd()})"
        ) from None
    except UnicodeDecodeError:
        raise SecretError(
            "the file named here is not UTF-8 text; write the secret alone into it"
        ) from None
    if not text or len(text.splitlines()) > 1 or len(content) > _LARGEST_BYTES:
        told = "is empty" if not text else "holds more than one line"
        raise SecretError(f"the file named here {told}; write the secret alone into it")
    return text


@dataclass(frozen=True, slots=True)
class SecretFile:
    """Where a secret is read again whenever it is needed.

    option: the place in the configuration that names the file, such as `store.password_file`.
    """

    option: str
    path: Path = field(repr=False)

    def read(self) -> str:
        """What the file holds now. SecretError names the option."""
        try:
            return read_secret(self.path)
        except SecretError as error:
            raise SecretError(f"{self.option}: {error}") from None


@dataclass(frozen=True, slots=True)
class DatabaseSecrets:
    """The files that the URL of a database is made of; None: it is in the configuration itself."""

    url_file: SecretFile | None = None
    password_file: SecretFile | None = None

    def __bool__(self) -> bool:
        return self.url_file is not None or self.password_file is not None

    def applied(self, url: URL) -> URL:
        """The URL as the files make it now; `url` is that of the start, of the same kind.

        SecretError: a file cannot be read, or its URL is none, or of another kind of database.
        """
        if self.url_file is not None:
            url = _replaced(url, self.url_file)
        if self.password_file is not None:
            url = url.set(password=self.password_file.read())
        return url


def _replaced(url: URL, file: SecretFile) -> URL:
    try:
        found = make_url(file.read())
        same = found.get_backend_name() == url.get_backend_name() and bool(found.database)
    except (ArgumentError, ValueError):
        same = False
    if not same:
        raise SecretError(
            f"{file.option}: the file named here no longer holds the URL of a "
            f"{url.get_backend_name()} database; correct it, or start driftwatch again if the "
            "database has moved to another kind"
        )
    return found.set(drivername=url.drivername)


NO_FILES = DatabaseSecrets()
"""Of a URL that stands in the configuration itself."""
