"""Arguments and options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", help="The configuration file.", envvar="DRIFTWATCH_CONFIG")
]
DEFAULT_CONFIG = Path("config.yaml")

MonitorArgument = Annotated[str, typer.Argument(help="The monitor's name.")]
ColumnArgument = Annotated[
    str | None, typer.Argument(help="One feature, or @volume; default: all of the monitor.")
]
FromOption = Annotated[
    str, typer.Option("--from", help="Where the range begins, such as 2026-09-01.")
]
ToOption = Annotated[str, typer.Option("--to", help="Where it ends; not part of it any more.")]
