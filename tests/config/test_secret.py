"""Files of secrets are read again when they are needed, and never shown."""

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from driftwatch.config.secret import DatabaseSecrets, SecretError, SecretFile
from tests.config.conftest import Load, monitor

REST = monitor().partition("\n")[2]
AT_FIRST = make_url("postgresql+psycopg://u:old@h/db")


def secret(path: Path, text: str, option: str = "store.password_file") -> SecretFile:
    path.write_text(text)
    return SecretFile(option, path)


def test_a_replaced_password_is_in_the_url_from_then_on(tmp_path: Path) -> None:
    files = DatabaseSecrets(password_file=secret(tmp_path / "p", "old\n"))
    assert files.applied(AT_FIRST) == AT_FIRST
    (tmp_path / "p").write_text("n@w:/ß\n")
    assert files.applied(AT_FIRST) == AT_FIRST.set(password="n@w:/ß")


def test_a_replaced_url_is_the_url_from_then_on(tmp_path: Path) -> None:
    files = DatabaseSecrets(
        secret(tmp_path / "u", "postgresql://v:new@other/db", "store.url_file"),
    )
    assert files.applied(AT_FIRST) == make_url("postgresql+psycopg://v:new@other/db")
    both = DatabaseSecrets(files.url_file, secret(tmp_path / "p", "newest"))
    assert both.applied(AT_FIRST) == make_url("postgresql+psycopg://v:newest@other/db")


@pytest.mark.parametrize(
    "text", ["sqlite:///s3cret.db", "s3cret", "postgresql://u:s3cret@h", "mysql://s3cret@h/db"]
)
def test_a_url_of_another_kind_is_refused_without_a_word_of_it(tmp_path: Path, text: str) -> None:
    files = DatabaseSecrets(secret(tmp_path / "u", text, "sources.logs.url_file"))
    with pytest.raises(SecretError, match=r"^sources\.logs\.url_file: .* no longer holds") as told:
        files.applied(AT_FIRST)
    assert "s3cret" not in str(told.value)


def test_a_file_that_is_gone_is_told_by_its_option_alone(tmp_path: Path) -> None:
    one = secret(tmp_path / "s3cret", "x")
    one.path.unlink()
    with pytest.raises(SecretError) as told:
        one.read()
    assert str(told.value).startswith(
        "store.password_file: cannot read the file named here: No such file or directory; write"
    )
    assert "s3cret" not in f"{told.value} {one!r}"


def test_the_configuration_remembers_the_files(load: Load, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://u:s3cret@h/db")
    (tmp_path / "password").write_text("s3cret")
    settings = load(
        "store: {url_file: url}\n"
        "notify: {webhook: {url_file: hook}}\n"
        "sources: {logs: {url: 'postgresql://u@h/x', password_file: password}}\n" + REST
        if (tmp_path / "hook").write_text("https://h/s3cret")
        else ""
    )
    assert settings.store_secrets.url_file == SecretFile("store.url_file", tmp_path / "url")
    logs = settings.sources["logs"].secrets
    assert logs.password_file == SecretFile("sources.logs.password_file", tmp_path / "password")
    assert settings.webhook is not None
    (tmp_path / "hook").write_text("https://h/other")
    assert settings.webhook.url_now() == "https://h/other"
    assert "s3cret" not in repr(settings)


def test_what_is_in_the_configuration_itself_has_no_file(load: Load) -> None:
    settings = load(monitor())
    assert not settings.store_secrets
    assert not settings.sources["logs"].secrets
