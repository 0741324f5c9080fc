"""`driftwatch dashboards`: the Grafana dashboards, as files."""

from collections.abc import Mapping
from pathlib import Path

import typer

from driftwatch.cli.whole_file import write_whole
from driftwatch.config.settings import Settings
from driftwatch.errors import ConfigError

SDK = "grafana_foundation_sdk"
EXTRA = "pip install 'driftwatch-daemon[dashboards]' (in the clone: pip install '.[dashboards]')"


def dashboards(settings: Settings, folder: Path) -> None:
    """Write a file per view into a folder, which is made; files of these names are replaced.

    ConfigError: the extra `dashboards` is not installed. OSError: they cannot be written.
    """
    made = _documents(settings)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        write_whole(folder / name, text)
        typer.echo(str(folder / name))


def _documents(settings: Settings) -> Mapping[str, str]:
    try:
        from driftwatch.exposition.dashboards.document import documents  # noqa: PLC0415 - an extra
        from driftwatch.exposition.dashboards.sql import StoreKind  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith(SDK):
            raise
        raise ConfigError(
            f"dashboards are made with grafana-foundation-sdk, which is not installed; get it with"
            f" {EXTRA}"
        ) from error
    sqlite = settings.store_url.startswith("sqlite")
    return documents(StoreKind.SQLITE if sqlite else StoreKind.POSTGRESQL)
