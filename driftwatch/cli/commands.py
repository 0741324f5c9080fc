"""The command line: names, options, exit codes (0 fine, 1 failure, 2 usage, 3 findings, 130 for
Ctrl-C)."""

import sys
from pathlib import Path
from typing import Annotated

import typer

import driftwatch
from driftwatch.cli import accept as accept_command
from driftwatch.cli import backfill as backfill_command
from driftwatch.cli import check as check_command
from driftwatch.cli import dashboards as dashboards_command
from driftwatch.cli import evaluate as evaluate_command
from driftwatch.cli import exclude as exclude_command
from driftwatch.cli import explain as explain_command
from driftwatch.cli import prune as prune_command
from driftwatch.cli import replay as replay_command
from driftwatch.cli import rules as rules_command
from driftwatch.cli import serve as serve_command
from driftwatch.cli import status as status_command
from driftwatch.cli.logs import LogFormat, LogLevel, log_the_rest, start_logging
from driftwatch.cli.options import (
    DEFAULT_CONFIG,
    ColumnArgument,
    ConfigOption,
    FromOption,
    MonitorArgument,
    ToOption,
)
from driftwatch.cli.pages import pages_of
from driftwatch.cli.reference_commands import reference
from driftwatch.cli.terminal import harmless_streams, open_console, show
from driftwatch.config.alternative import GRAMMAR
from driftwatch.config.load import load_settings
from driftwatch.config.shown import show_settings
from driftwatch.errors import DriftwatchError
from driftwatch.evaluate.backfill import Options
from driftwatch.exposition.rules import generate as rules_generate
from driftwatch.store.engine import open_store
from driftwatch.store.migrate import migrate as migrate_store

app = typer.Typer(
    name="driftwatch",
    help="Watches production models for drift by counting inside the SQL store.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
)


def main() -> None:
    """Run the command line. An error that driftwatch can name is one message and exit code 1."""
    harmless_streams()
    try:
        app()
    except DriftwatchError as error:
        show(open_console(stderr=True), str(error))
        sys.exit(1)
    except OSError as error:
        # Databases, files and ports have errors of their own: this is about the output.
        typer.echo(f"the output cannot be written: {error}", err=True)
        sys.exit(1)


@app.command()
def serve(
    config: ConfigOption = DEFAULT_CONFIG,
    log_format: Annotated[LogFormat, typer.Option(help="How log lines look.")] = LogFormat.LOGFMT,
    log_level: Annotated[LogLevel, typer.Option(help="The least that is logged.")] = LogLevel.INFO,
    lifecycle: Annotated[
        bool,
        typer.Option(
            "--enable-lifecycle", help="Let a POST to /-/reload read the configuration again."
        ),
    ] = False,
) -> None:
    """Run the daemon, which evaluates and serves /metrics.

    Every monitor is evaluated on its schedule until SIGTERM or SIGINT. SIGHUP reads the
    configuration again.
    """
    start_logging(log_format, log_level)
    log_the_rest()
    serve_command.serve(config, lifecycle=lifecycle)


@app.command()
def evaluate(
    config: ConfigOption = DEFAULT_CONFIG,
    once: Annotated[
        bool, typer.Option("--once", help="Catch up with what is complete now, then exit.")
    ] = False,
    monitor: Annotated[
        list[str] | None, typer.Option("--monitor", "-m", help="Only this monitor (repeatable).")
    ] = None,
) -> None:
    """Evaluate once, as from cron.

    Exits with 0 if nothing fires, 3 if an alert fires, 1 if a monitor failed.
    """
    # What the runner warns of is what the command itself says.
    start_logging(LogFormat.LOGFMT, LogLevel.WARNING, muted="driftwatch.daemon.runner")
    if not once:
        raise typer.BadParameter(
            "the daemon is `driftwatch serve`; here say --once", param_hint="--once"
        )
    raise typer.Exit(evaluate_command.evaluate_once(load_settings(config), monitor or []))


@app.command()
def check(
    config: ConfigOption = DEFAULT_CONFIG,
    offline: Annotated[
        bool, typer.Option("--offline", help="Only the file: connect to nothing.")
    ] = False,
) -> None:
    """Check the configuration, the store and the sources.

    Says what each monitor will scan and by which plan, and proposes kinds of columns. Exits with
    0 if all is well, 3 if there are warnings, 1 if something cannot be watched as it is.
    """
    raise typer.Exit(check_command.check(load_settings(config), offline=offline))


@app.command()
def status(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Show what fires, what is blind, and what scans cost."""
    status_command.status(load_settings(config))


@app.command()
def explain(
    monitor: Annotated[str, typer.Argument(help="The monitor's name.")],
    feature: Annotated[str, typer.Argument(help="The feature's name.")],
    config: ConfigOption = DEFAULT_CONFIG,
    window: Annotated[
        str | None, typer.Option(help="The window's length, such as 1d; default: the longest.")
    ] = None,
    end: Annotated[
        str | None, typer.Option(help="The window's end, such as 2013-02-10; default: the newest.")
    ] = None,
    segment: Annotated[
        str, typer.Option(help="One segment, such as country=DE; default: all rows.")
    ] = "",
) -> None:
    """Draw a feature's reference against a window, by bin."""
    explain_command.explain(
        load_settings(config), monitor, feature, segment=segment, window=window, end=end
    )


@app.command()
def replay(  # noqa: PLR0913, PLR0917 - one for each option
    monitor: MonitorArgument,
    alpha: Annotated[
        str | None, typer.Option(help="Judge by effect and p-value, at this alpha, such as 0.0001.")
    ] = None,
    effect: Annotated[
        str | None,
        typer.Option(metavar="WARNING[,CRITICAL]", help="The same, with these limits: 0.1,0.3."),
    ] = None,
    alert: Annotated[
        str | None, typer.Option(metavar="K/M", help="Fire on K flagged of M windows, such as 2/3.")
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(help=f"Another policy: {GRAMMAR}, such as effect:0.1,0.3@0.0001 or psi:0.2."),
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="The policy to compare with; default: what is configured.")
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="Where the range begins, such as 2026-09-01.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="Where it ends; not part of it any more.")
    ] = None,
    window: Annotated[
        str | None, typer.Option(help="Windows of this length alone, such as 1d.")
    ] = None,
    feature: Annotated[str | None, typer.Option(help="Show this feature alone.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Judge the stored past again by another policy.

    Says how many alerts it would have raised, when, and how it differs from what is configured.
    It reads stored counts alone and writes nothing.

    MEASURE is configured, calibrated (= effect), fixed (= js_distance), or a measure of
    `thresholds`. What a policy does not say stays as it is configured.
    """
    replay_command.replay(
        load_settings(config),
        monitor,
        replay_command.Asked(policy, effect, alpha, alert, against),
        replay_command.Shown(start, end, window, feature),
    )


@app.command()
def backfill(
    monitor: MonitorArgument,
    start: FromOption,
    end: ToOption,
    config: ConfigOption = DEFAULT_CONFIG,
    allow_shrink: Annotated[
        bool,
        typer.Option("--allow-shrink", help="Believe the log where it lost rows."),
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Count all of it, though a part is done.")
    ] = False,
) -> None:
    """Count a range of the past again and judge it again.

    It may run beside the daemon. Ctrl-C ends it; the same command goes on from there. Exits with
    0 when it is done, 130 after Ctrl-C.
    """
    start_logging(LogFormat.LOGFMT, LogLevel.WARNING)
    raise typer.Exit(
        backfill_command.backfill(
            load_settings(config), monitor, start=start, end=end,
            options=Options(allow_shrink=allow_shrink, restart=restart),
        )
    )  # fmt: skip


@app.command()
def accept(
    monitor: MonitorArgument,
    since: Annotated[str, typer.Option(help="When the change began, such as 2026-09-01.")],
    reason: Annotated[str, typer.Option(help="Why it is right; kept and shown.")],
    column: ColumnArgument = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Accept a change: what came since is right.

    Resolves the alerts and compares with the rows since then from now on.
    """
    accept_command.accept(load_settings(config), monitor, column, since=since, reason=reason)


@app.command()
def exclude(
    monitor: MonitorArgument,
    column: ColumnArgument = None,
    start: Annotated[
        str | None, typer.Option("--from", help="Where the range begins, such as 2026-11-23.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="Where it ends; not part of it any more.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why; kept and shown.")] = None,
    listed: Annotated[bool, typer.Option("--list", help="List what is excluded.")] = False,
    remove: Annotated[int | None, typer.Option(help="Take back the exclusion of this id.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Exclude a range: shown, but nobody is paged.

    Nothing is learned from it either. The ranges of the configuration are listed, too.
    """
    settings = load_settings(config)
    ranged = any(one is not None for one in (column, start, end, reason))
    if listed + (remove is not None) + ranged > 1:
        raise typer.BadParameter("one at a time: a range to exclude, --list, or --remove ID")
    if listed:
        exclude_command.list_exclusions(settings, monitor)
    elif remove is not None:
        exclude_command.remove_exclusion(settings, monitor, remove)
    elif start is None or end is None or reason is None:
        raise typer.BadParameter("say --from, --to and --reason; or --list, or --remove ID")
    else:
        exclude_command.exclude(settings, monitor, column, start=start, end=end, reason=reason)


@app.command()
def rules(
    config: ConfigOption = DEFAULT_CONFIG,
    form: Annotated[
        rules_generate.Format,
        typer.Option("--format", help="Rules for Prometheus or its Operator, or sample routes."),
    ] = rules_generate.Format.PROMETHEUS,
    job: Annotated[
        str, typer.Option(help="Under which job Prometheus scrapes the daemon.")
    ] = rules_generate.DEFAULT_JOB,
    old_reference: Annotated[
        str, typer.Option(help="From which age a reference is told to be old.")
    ] = "400d",
    name: Annotated[
        str, typer.Option(help="Of the PrometheusRule (kubernetes).")
    ] = rules_generate.DEFAULT_NAME,
    namespace: Annotated[
        str | None, typer.Option(help="Of the PrometheusRule; default: that of kubectl.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write this file; default: standard output.")
    ] = None,
    check: Annotated[
        Path | None, typer.Option(help="Only say whether this file is up to date.")
    ] = None,
) -> None:
    """Print alerting rules for Prometheus.

    Generated from the configuration: its labels and links. A monitor that is added needs no new
    file. With --check, exits with 0 if the file is up to date, 3 if it is not.
    """
    settings = load_settings(config)
    options = rules_generate.Options(
        job=rules_command.label_of(job, "--job"),
        name=rules_command.label_of(name, "--name"),
        namespace=None if namespace is None else rules_command.label_of(namespace, "--namespace"),
        old_reference=rules_command.age_of(old_reference),
    )
    if check is not None:
        raise typer.Exit(rules_command.check_rules(settings, form, options, check))
    rules_command.write_rules(settings, form, options, output)


@app.command()
def prune(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Delete what is older than `retention` keeps it."""
    prune_command.prune(load_settings(config))


app.add_typer(reference, name="reference", help="List, show, compare and capture references.")

configuration = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(configuration, name="config", help="Show the configuration.")


@configuration.command("show")
def config_show(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Print what is in use, without secrets.

    Every default is written out, and what comes from a variable is shown as its name.
    """
    typer.echo(show_settings(load_settings(config)), nl=False)


@app.command()
def dashboards(
    config: ConfigOption = DEFAULT_CONFIG,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder for the files; it is made.")
    ] = Path("dashboards"),
) -> None:
    """Write the Grafana dashboards as JSON files.

    Four of them: the fleet, one monitor, one feature, and driftwatch itself. Only the store of
    the configuration matters: its kind decides which data source they ask, and how.
    """
    dashboards_command.dashboards(load_settings(config), output)


@app.command()
def migrate(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Bring driftwatch's own tables to this release's schema."""
    store = open_store(load_settings(config).store_url)
    try:
        applied = migrate_store(store)
    finally:
        store.close()
    typer.echo(f"{store.name}: " + (f"applied {', '.join(applied)}" if applied else "up to date"))


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo keeps its files.")] = Path(
        "demo-run"
    ),
    listen: Annotated[str, typer.Option(help="Where /metrics is served.")] = "127.0.0.1:10777",
    seconds_per_day: Annotated[
        float, typer.Option(min=0.2, help="How fast December is replayed.")
    ] = 4.0,
) -> None:
    """Watch a year of real departures from New York.

    The months up to November at once, then December as it happens, on a clock that runs fast.
    Ctrl-C stops; started again, it continues where it stopped.
    """
    from driftwatch.demo.run import run_demo  # noqa: PLC0415 - loads a data set that only it needs

    start_logging(LogFormat.LOGFMT, LogLevel.WARNING)
    run_demo(folder, listen, seconds_per_day, pages_of)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(f"driftwatch {driftwatch.__version__}")
