"""How the store is logged in to: by secrets that may be replaced while it is in use."""

from typing import Any

import sqlalchemy as sa

from driftwatch.config.secret import NO_FILES, DatabaseSecrets, SecretError
from driftwatch.errors import StoreError


class Login:
    """The URL of the store, made anew from the files of its secrets for each new connection."""

    def __init__(self, url: sa.URL, secrets: DatabaseSecrets = NO_FILES) -> None:
        self._url = url
        self._secrets = secrets
        self.seen: tuple[str, ...] = ()
        """Every password so far, to be cut out of what a driver says."""
        self._note(url)

    def renew(
        self, dialect: sa.Dialect, _entry: Any, _arguments: Any, parameters: dict[str, Any]
    ) -> None:
        """Before a connection is made (`do_connect`): with what the files hold now.

        StoreError: a file holds no secret; the connections that are open stay.
        """
        try:
            url = self._secrets.applied(self._url)
        except SecretError as error:
            raise StoreError(str(error)) from error
        self._note(url)
        _, renewed = dialect.create_connect_args(url)
        parameters.update(renewed)

    def _note(self, url: sa.URL) -> None:
        found = (url.password, url.query.get("password"), url.query.get("sslpassword"))
        new = [str(one) for one in found if one and str(one) not in self.seen]
        self.seen = (*self.seen, *new)[-_REMEMBERED:]


_REMEMBERED = 16
