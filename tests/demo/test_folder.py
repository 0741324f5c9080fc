"""The demo's folder: nobody else's files, one demo at a time, names with anything in them."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from driftwatch.config.load import load_settings
from driftwatch.demo.folder import own_folder, write_config
from driftwatch.errors import ConfigError, DriftwatchError


def test_it_is_made_and_may_be_taken_again(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "demo"
    for _ in range(2):
        with own_folder(folder):
            write_config(folder, "127.0.0.1:0")
            for name in ("log.db", "log.db-wal", "store.db", "store.db-shm", "log.db-journal"):
                (folder / name).touch()


def test_one_demo_at_a_time(tmp_path: Path) -> None:
    with (
        own_folder(tmp_path),
        pytest.raises(DriftwatchError, match="another demo runs in the folder"),
        own_folder(tmp_path),
    ):
        pass


@pytest.mark.parametrize("name", ["thesis.tex", "config.yaml", "store.db"])
def test_other_files_are_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious")
    with (
        pytest.raises(DriftwatchError, match=f"files that are not the demo's .{name}"),
        own_folder(tmp_path),
    ):
        pass
    assert [one.name for one in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "precious"


def test_a_stranger_beside_the_demos_files(tmp_path: Path) -> None:
    with own_folder(tmp_path):
        (tmp_path / "notes.txt").touch()
    with pytest.raises(DriftwatchError, match=r"notes\.txt"), own_folder(tmp_path):
        pass


def test_what_cannot_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DriftwatchError, match="choose another with --folder"):
            own_folder(folder).__enter__()


@pytest.mark.parametrize("name", ["a?b", "100%", 'a"b', "a\\b", "a\nb"])
def test_names_that_no_url_can_hold(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="choose another folder"), own_folder(tmp_path / name):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["plain", "a b", "$HOME", "${X}", "{x}", "ü#1", "it's"])
def test_the_configuration_serves_from_anywhere(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path(name)
    with own_folder(folder):
        write_config(folder, "127.0.0.1:0")
    monkeypatch.chdir("/")
    settings = load_settings(tmp_path / name / "config.yaml")
    assert make_url(settings.store_url).database == f"{tmp_path}/{name}/store.db"
    assert make_url(settings.sources["airport"].url).database == f"{tmp_path}/{name}/log.db"
