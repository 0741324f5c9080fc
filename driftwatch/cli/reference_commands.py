"""The commands under `driftwatch reference`: names and options."""

from typing import Annotated

import typer

from driftwatch.cli import reference as reference_command
from driftwatch.cli.logs import LogFormat, LogLevel, start_logging
from driftwatch.cli.options import (
    DEFAULT_CONFIG,
    ColumnArgument,
    ConfigOption,
    FromOption,
    MonitorArgument,
    ToOption,
)
from driftwatch.config.load import load_settings

reference = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@reference.command("list")
def reference_list(monitor: MonitorArgument, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """List every version of every column."""
    reference_command.list_references(load_settings(config), monitor)


@reference.command("show")
def reference_show(
    monitor: MonitorArgument,
    column: Annotated[str, typer.Argument(help="One feature, or @volume.")],
    version: Annotated[
        int | None, typer.Option(help="Which version; default: the active one.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Show one reference bin by bin."""
    reference_command.show_reference(load_settings(config), monitor, column, version)


@reference.command("diff")
def reference_diff(
    monitor: MonitorArgument,
    first: Annotated[int, typer.Argument(help="A version, to be compared with.")],
    second: Annotated[int, typer.Argument(help="Another version.")],
    column: ColumnArgument = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Show how far two versions are apart."""
    reference_command.diff_references(load_settings(config), monitor, first, second, column)


@reference.command("capture")
def reference_capture(
    monitor: MonitorArgument,
    start: FromOption,
    end: ToOption,
    column: ColumnArgument = None,
    refit: Annotated[
        bool, typer.Option("--refit", help="Fit the bins anew; counts the range again.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why; kept with it.")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Make a range the new reference.

    It stays until another `reference` is configured. Alerts that fire are resolved.
    """
    start_logging(LogFormat.LOGFMT, LogLevel.WARNING)
    raise typer.Exit(
        reference_command.capture_reference(
            load_settings(config), monitor, column, start=start, end=end, refit=refit, reason=reason
        )
    )


@reference.command("activate")
def reference_activate(
    monitor: MonitorArgument,
    version: Annotated[int, typer.Argument(help="The version.")],
    column: ColumnArgument = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Compare with an older version again."""
    start_logging(LogFormat.LOGFMT, LogLevel.WARNING)
    raise typer.Exit(
        reference_command.activate_reference(load_settings(config), monitor, version, column)
    )
