"""`driftwatch dashboards` writes what is committed, and says what it lacks."""

import importlib.abc
import importlib.machinery
import json
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest

from driftwatch.cli.dashboards import SDK
from tests.cli.shop import Shop

TOP = Path(__file__).parents[2]
COMMITTED = TOP / "deploy" / "grafana" / "dashboards"


def test_the_committed_ones_are_those_of_the_sample(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DRIFTWATCH_STORE", raising=False)
    said = shop.run("dashboards", "--config", str(TOP / "config.yaml"), "--output", "made/new")
    assert said.code == 0, said.all
    made = {path.name: path.read_bytes() for path in (shop.folder / "made" / "new").iterdir()}
    assert made == {path.name: path.read_bytes() for path in COMMITTED.iterdir()}, (
        "run: driftwatch dashboards --output deploy/grafana/dashboards"
    )
    assert said.out.split() == [f"made/new/{name}" for name in (
        "driftwatch-fleet.json", "driftwatch-monitor.json", "driftwatch-feature.json",
        "driftwatch-health.json",
    )]  # fmt: skip


def test_the_store_decides_which_data_source_is_asked(shop: Shop) -> None:
    shop.store = "postgresql://driftwatch:S3cret-pw@db.example.org/driftwatch"
    shop.config()
    assert shop.run("dashboards").code == 0
    text = (shop.folder / "dashboards" / "driftwatch-monitor.json").read_text("utf-8")
    assert json.loads(text)["uid"] == "driftwatch-monitor"
    assert "grafana-postgresql-datasource" in text
    assert "sqlite" not in text
    assert "db.example.org" not in text


def test_a_full_disk_leaves_the_dashboards_that_were_there(shop: Shop) -> None:
    shop.config()
    assert shop.run("dashboards").code == 0
    folder = shop.folder / "dashboards"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    shop.store = "postgresql://driftwatch@db.example.org/driftwatch"
    shop.config()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        done = shop.run("dashboards")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert done.code == 1
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


class _Without(importlib.abc.MetaPathFinder):
    """A machine on which the SDK is not installed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.split(".", maxsplit=1)[0] == SDK:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None


def test_without_the_extra_it_says_how_to_get_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(sys.modules):
        if name.startswith((SDK, "driftwatch.exposition.dashboards")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [_Without(), *sys.meta_path])
    shop.config()
    said = shop.run("dashboards")
    assert said.code == 1
    assert "pip install 'driftwatch-daemon[dashboards]'" in said.err
    assert not (shop.folder / "dashboards").exists()
