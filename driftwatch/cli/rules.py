"""`driftwatch rules`: alerting rules and routes, from the configuration."""

from datetime import timedelta
from pathlib import Path

import typer

from driftwatch.cli.whole_file import write_whole
from driftwatch.config.settings import Settings
from driftwatch.errors import DriftwatchError
from driftwatch.exposition.rules.generate import Format, Options, generate
from driftwatch.window import parse_duration

FINE, DIFFERENT = 0, 3


def write_rules(settings: Settings, form: Format, options: Options, output: Path | None) -> None:
    """Print the file, or write it. DriftwatchError when it cannot be written."""
    text = generate(settings, form, options)
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        write_whole(output, text)
    except OSError as error:
        raise DriftwatchError(
            f"{output} cannot be written: {error.strerror}; name a file that may be, or leave "
            "--output out"
        ) from error


def check_rules(settings: Settings, form: Format, options: Options, file: Path) -> int:
    """Whether a file is what would be written now: 0, or 3 if it is not. DriftwatchError when it
    cannot be read."""
    try:
        there = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DriftwatchError(
            f"{file} cannot be read; write it with --output {file} in place of --check"
        ) from error
    if there == generate(settings, form, options):
        typer.echo(f"{file} is what the configuration gives")
        return FINE
    typer.echo(
        f"{file} is not what the configuration gives; write it again with --output {file} and "
        "have it loaded"
    )
    return DIFFERENT


def age_of(text: str) -> timedelta:
    """The duration of --old-reference. BadParameter if it is none."""
    try:
        seconds = parse_duration(text)
        if not seconds:
            raise ValueError("nothing is younger")
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is not a duration; write it like 400d", param_hint="--old-reference"
        ) from error
    return timedelta(seconds=seconds)


def label_of(text: str, option: str) -> str:
    """A name that stands in rules as it is. BadParameter if it has other characters."""
    if not text or not all(one.isalnum() or one in "_.-/" for one in text) or not text.isascii():
        raise typer.BadParameter(
            f"{text!r} has other characters than letters, digits and _ . - /", param_hint=option
        )
    return text
