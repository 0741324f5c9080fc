"""Addresses of stores and of the webhook, from text and from files of secrets."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.config.conftest import Load, Tell, monitor

REST = monitor().partition("\n")[2]


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("sqlite:///x.db", "sqlite:///x.db"),
        ("sqlite:////var/lib/x y.db", "sqlite:////var/lib/x y.db"),
        ("sqlite+pysqlite:///x.db", "sqlite+pysqlite:///x.db"),
        ("postgresql://h/db", "postgresql+psycopg://h/db"),
        ("postgresql+psycopg://u:p%40ss@h:5433/db", "postgresql+psycopg://u:p%40ss@h:5433/db"),
        ("postgresql:///db?host=%2Frun%2Fx", "postgresql+psycopg:///db?host=%2Frun%2Fx"),
        ("postgresql://u:a/b@h/db", "postgresql+psycopg://u:a%2Fb@h/db"),
        ("postgresql://u@[::1]:5/db", "postgresql+psycopg://u@[::1]:5/db"),
    ],
)
def test_urls_of_both_stores_are_taken(load: Load, given: str, taken: str) -> None:
    settings = load(f"store: '{given}'\nsources: {{logs: {{url: '{given}2'}}}}\n{REST}")

    assert settings.store_url == taken
    assert settings.sources["logs"].url == taken + "2"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("logs.db", "not a URL; write sqlite:///file.db or postgresql://user@host:5432/database"),
        ("mysql://h/db", "the dialect 'mysql' is not supported as store; write sqlite or postg"),
        ("postgres://h/db", "the dialect 'postgres' is not supported as store; did you mean 'pos"),
        ("sqllite:///x", "the dialect 'sqllite' is not supported as store; did you mean 'sqlite'?"),
        ("postgresql+asyncpg://h/db", "the driver 'asyncpg' is not supported; write 'postgresql:/"),
        ("postgresql://h:port/db", "a URL that cannot be read; in user and password write @ as %4"),
        ("postgresql://u:a@b@h/db", "a URL whose host cannot be read; in user and password write"),
        ("postgresql://u:p@h", "names no database; end the URL with /database"),
        ("sqlite://", "an SQLite URL must name a file; write sqlite:///file.db (relative)"),
        ("sqlite:///:memory:", "an SQLite URL must name a file; write"),
        ("sqlite:///file:x.db", "an SQLite URL must name a file; write"),
        ("sqlite://x.db", "an SQLite URL has no host, user or password; write"),
        ("sqlite:///x.db?mode=ro", "an SQLite URL has no options here; write"),
    ],
)
def test_urls_that_cannot_be_used(tell: Tell, url: str, told: str) -> None:
    (line,) = tell(f"store: '{url}'\n{monitor()}")

    assert line.startswith(f"1: store: {told}")


def test_url_and_password_from_files(load: Load, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("  postgresql://u@h/db \n")
    (tmp_path / "password").write_text("p@:/ß word\n")
    (tmp_path / "hook").write_text("https://example.org/token\r\n")
    (tmp_path / "bearer").write_text("Bearer x\n")

    settings = load(
        "store: {url_file: url, password_file: password}\n"
        "notify: {webhook: {url_file: hook, headers: {A: b}, header_files: {Authorization: "
        "bearer}}}\n"
        f"sources: {{logs: {{url: 'postgresql://u@h/x', password_file: '{tmp_path}/password'}}}}\n"
        + REST
    )

    engine = create_engine(settings.store_url)
    assert engine.url.password == "p@:/ß word"
    assert (engine.url.username, engine.url.host, engine.url.database) == ("u", "h", "db")
    assert create_engine(settings.sources["logs"].url).url.password == "p@:/ß word"
    assert settings.webhook is not None
    assert settings.webhook.url == "https://example.org/token"
    assert settings.webhook.headers_now() == {"A": "b", "Authorization": "Bearer x"}
    (tmp_path / "bearer").write_text("Bearer y")
    assert settings.webhook.headers_now()["Authorization"] == "Bearer y"


def test_urls_work_on_real_stores(load: Load, database_url: str) -> None:
    settings = load(f"store: '{database_url}'\n{monitor()}")

    engine = create_engine(settings.store_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 41 + 1")).scalar_one() == 42
    engine.dispose()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot read the file named here: No such file or directory; write the path"),
        (b"", "the file named here is empty; write the secret alone into it"),
        (b" \n", "the file named here is empty; write the secret alone into it"),
        (b"a\nb\n", "the file named here holds more than one line; write the secret alone into it"),
        (b"x" * 70_000, "the file named here holds more than one line; write"),
        (b"\xff", "the file named here is not UTF-8 text; write the secret alone into it"),
    ],
)
@pytest.mark.parametrize("key", ["url_file", "password_file"])
def test_files_of_secrets_that_cannot_be_used(
    tell: Tell, tmp_path: Path, key: str, content: bytes | None, told: str
) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    url = "" if key == "url_file" else "  url: postgresql://u@h/db\n"

    (line,) = tell(f"store:\n{url}  {key}: secret\n{monitor()}")

    assert line.startswith(f"{3 if url else 2}: store.{key}: {told}")


def test_directory_in_place_of_a_secret(tell: Tell, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()

    (line,) = tell(f"store: {{url_file: secret}}\n{monitor()}")

    assert line == (
        "1: store.url_file: cannot read the file named here: Is a directory; write the path of a "
        f"file that driftwatch may read (a relative one starts at {tmp_path})"
    )


@pytest.mark.parametrize(
    ("store", "told"),
    [
        ("{url: sqlite:///x, url_file: y}", "store.url_file: stands beside url; keep one of the"),
        ("{password_file: p}", "store: has no address; add url or url_file"),
        ("{url: sqlite:///x, password_file: p}", "store.url: SQLite has no password; remove pass"),
        ("{url: 'postgresql://u:x@h/d', password_file: p}", "store.url: holds a password beside"),
        ("{url: 'postgresql://h/d?password=x', password_file: p}", "store.url: holds a password b"),
        ("{url: 3}", 'store.url: must be text; put it in quotes: "..."'),
        ("{url: ' '}", "store.url: must not be blank; remove the key or write a value"),
    ],
)
def test_parts_that_do_not_fit(tell: Tell, tmp_path: Path, store: str, told: str) -> None:
    (tmp_path / "p").write_text("secret")

    (line,) = tell(f"store: {store}\n{monitor()}")

    assert line.startswith(f"1: {told}")


@pytest.mark.parametrize(
    ("webhook", "told"),
    [
        ("{}", "webhook: has no address; add url or url_file"),
        ("{url: 'ftp://h/x'}", "webhook.url: not an http or https URL; write it like https://"),
        ("{url: 'https:///x'}", "webhook.url: not an http or https URL"),
        ("{url: 'http://h:x/'}", "webhook.url: a URL that cannot be read; write it like"),
        ("{url: 'http://h:0/'}", "webhook.url: not an http or https URL"),
        ("{url: 'http://h/a b'}", "webhook.url: a URL holds printable ASCII without spaces"),
        ("{url: 'http://h/ä'}", "webhook.url: a URL holds printable ASCII without spaces"),
        ("{url: 'http://u:p@h/'}", "webhook.url: a URL with user or password is not supported"),
        ("{url: 'http://h/', headers: [x]}", "webhook.headers: must be a mapping, not a list"),
        ("{url: 'http://h/', headers: {A: 3}}", "webhook.headers.A: must be text; put it in"),
        ("{url: 'http://h/', headers: {A: }}", "webhook.headers.A: has no value; write one"),
        ("{url: 'http://h/', headers: {'A b': x}}", "webhook.headers[not shown]: not the name of"),
        ('{url: "http://h/", headers: {A: "x\\ny"}}', "webhook.headers.A: a header's value is one"),
        ("{url: 'http://h/', headers: {A: '€'}}", "webhook.headers.A: a header's value is one"),
        ("{url: 'http://h/', timeout: 0s}", "webhook.timeout: '0s' must be longer than nothing"),
    ],
)
def test_webhooks_that_cannot_be_used(tell: Tell, webhook: str, told: str) -> None:
    (line,) = tell(f"notify: {{webhook: {webhook}}}\n{monitor()}")

    assert line.startswith(f"1: notify.{told}")


def test_store_and_source_in_one_file_are_found_by_their_paths(tell: Tell, tmp_path: Path) -> None:
    (line,) = tell(
        f"store: sqlite:///{tmp_path}/x/../logs.db\nsources: {{logs: sqlite:///logs.db}}\n{REST}"
    )

    assert line == (
        "2: sources.logs: the same file as the store; give driftwatch a file of its own"
    )
