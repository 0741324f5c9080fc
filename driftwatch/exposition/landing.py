"""The page that a person sees first: what drifts, how far each monitor is, and where the rest is.

It is made of what /metrics shows: no SQL. It loads nothing, runs no script and has one style sheet,
which the header of the answer allows by its hash.
"""

import base64
import hashlib
import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from prometheus_client.parser import text_string_to_metric_families

import driftwatch
from driftwatch.exposition.page import Page
from driftwatch.window import format_duration

_INFO = "driftwatch_monitor_info"
_WATERMARK = "driftwatch_watermark_timestamp_seconds"
_DRIFTING = "driftwatch_features_drifting"
_NOT_JUDGED = "driftwatch_features_not_judged"
_LEVEL = "driftwatch_verdict_level"

_WORDS = {1: "warning", 2: "critical"}
MOST_SHOWN = 100
"""Features that are listed; the page says how many more there are."""


@dataclass(slots=True)
class _Monitor:
    """What is shown of one: counts of features by severity, summed over the lengths of window."""

    source: str = ""
    until: float | None = None
    features: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, order=True)
class _Drifting:
    level: int
    monitor: str
    feature: str
    window: str


def landing(
    page: Page, now: datetime, up_for: timedelta, troubles: Sequence[str], *, more: bool = True
) -> str:
    """HTML. now: of the page, by its clock; troubles: why it is not healthy or not ready; more:
    whether /config and /explain are there to be linked to."""
    monitors = _monitors(page, now)
    drifting, unlisted = _drifting(page, now)
    version = html.escape(driftwatch.__version__)
    up = format_duration(max(0, round(up_for.total_seconds()) // 60 * 60))
    return _PAGE.format(
        style=_STYLE,
        version=version,
        state=_state(troubles),
        up="less than a minute" if up == "0s" else up,
        config=_CONFIG_LINK if more else "",
        drifting=_drifting_table(drifting, unlisted, linked=more),
        monitors=_monitor_table(monitors),
    )


def _samples(page: Page, now: datetime, *names: str) -> Iterator[tuple[str, dict[str, str], float]]:
    for family in text_string_to_metric_families(page.selected(now, names).decode()):
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value


def _monitors(page: Page, now: datetime) -> dict[str, _Monitor]:
    found: dict[str, _Monitor] = {}
    for name, labels, value in _samples(page, now, _INFO, _WATERMARK, _DRIFTING, _NOT_JUDGED):
        monitor = found.setdefault(labels["monitor"], _Monitor())
        if name == _INFO:
            monitor.source = labels["source"]
        elif name == _WATERMARK:
            monitor.until = value
        else:
            kind = labels.get("severity", "not judged")
            monitor.features[kind] = monitor.features.get(kind, 0) + int(value)
    return found


def _drifting(page: Page, now: datetime) -> tuple[list[_Drifting], int]:
    """The worst ones, and how many more there are. Lines are chosen before they are parsed: there
    may be a hundred thousand of them, and few drift."""
    lines = page.selected(now, {_LEVEL}).decode().splitlines()
    chosen = [one for one in lines if not one.startswith("#") and not one.endswith((" 0", " 0.0"))]
    chosen.sort(key=lambda one: one.rpartition(" ")[2], reverse=True)
    shown = "".join(f"{one}\n" for one in chosen[:MOST_SHOWN])
    found = [
        _Drifting(-int(sample.value), *(sample.labels[n] for n in ("monitor", "feature", "window")))
        for family in text_string_to_metric_families(shown)
        for sample in family.samples
    ]
    return sorted(found), len(chosen) - len(found)


def _state(troubles: Sequence[str]) -> str:
    if not troubles:
        return '<p class="state"><span class="mark ok">running</span></p>'
    told = "".join(f"<li>{html.escape(one)}</li>" for one in troubles)
    return f'<p class="state"><span class="mark critical">not well</span></p><ul>{told}</ul>'


def _drifting_table(drifting: Sequence[_Drifting], unlisted: int, *, linked: bool) -> str:
    if not drifting:
        return '<p class="quiet">No feature drifts in its latest window.</p>'
    rows = "".join(_drifting_row(one, linked=linked) for one in drifting)
    rest = f'<p class="quiet">… and {unlisted:,} more; see the metrics.</p>' if unlisted else ""
    return (
        '<table><thead><tr><th scope="col">Verdict</th><th scope="col">Monitor</th>'
        '<th scope="col">Feature</th><th scope="col">Window</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>{rest}"
    )


def _drifting_row(one: _Drifting, *, linked: bool) -> str:
    word = _WORDS[-one.level]
    asked = {"monitor": one.monitor, "feature": one.feature, "window": one.window}
    link = html.escape(f"/explain?{urlencode(asked)}")
    monitor, feature, window = map(html.escape, (one.monitor, one.feature, one.window))
    if linked:
        feature = f'<a href="{link}">{feature}</a>'
    return (
        f'<tr><td><span class="mark {word}">{word}</span></td><td>{monitor}</td>'
        f"<td>{feature}</td><td>{window}</td></tr>"
    )


def _monitor_table(monitors: dict[str, _Monitor]) -> str:
    if not monitors:
        return '<p class="quiet">No monitor is shown yet.</p>'
    rows = "".join(_monitor_row(name, monitors[name]) for name in sorted(monitors))
    return (
        '<table><thead><tr><th scope="col">Monitor</th><th scope="col">Source</th>'
        '<th scope="col">Counted up to (UTC)</th>'
        '<th scope="col" class="number">Critical</th><th scope="col" class="number">Warning</th>'
        '<th scope="col" class="number">Not judged</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _monitor_row(name: str, monitor: _Monitor) -> str:
    until = (
        "not yet"
        if monitor.until is None
        else datetime.fromtimestamp(monitor.until, UTC).strftime("%Y-%m-%d %H:%M")
    )
    counts = "".join(
        f'<td class="number">{monitor.features.get(kind, 0):,}</td>'
        for kind in ("critical", "warning", "not judged")
    )
    return (
        f'<tr><th scope="row">{html.escape(name)}</th><td>{html.escape(monitor.source)}</td>'
        f"<td>{until}</td>{counts}</tr>"
    )


_STYLE = """
:root { color-scheme: light dark; --ink: #1c2530; --soft: #59636e; --line: #d9dee4;
  --paper: #fbfcfd; --link: #0b5cad; --ok: #1a7f4b; --warning: #8a5a00; --critical: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaef; --soft: #9aa5b1; --line: #333c46;
  --paper: #14191f; --link: #7db8f5; --ok: #5fd39a; --warning: #f2b84b; --critical: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 3rem; max-width: 60rem; color: var(--ink);
  background: var(--paper); font: 1rem/1.5 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: end; }
h1 { margin: 0; font-size: 1.6rem; letter-spacing: -.01em; }
h2 { margin: 2rem 0 .5rem; font-size: 1.05rem; }
p { margin: .25rem 0; } .quiet, header p { color: var(--soft); }
a { color: var(--link); text-underline-offset: .15em; }
a:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: .75rem 0 0; padding: .6rem 0;
  list-style: none; border: solid var(--line); border-width: 1px 0; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .75rem .4rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
thead th { color: var(--soft); font-size: .85rem; font-weight: 600; overflow-wrap: normal; }
tbody th { font-weight: 600; } .number { text-align: right; padding-right: 0; }
.number + .number { padding-left: 1rem; }
.mark { font-weight: 650; } .mark::before { content: "\\25CF"; margin-right: .4em; }
.ok { color: var(--ok); } .warning { color: var(--warning); } .critical { color: var(--critical); }
"""

_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""The Content-Security-Policy of the page."""

_CONFIG_LINK = '<li><a href="/config">Configuration</a></li>\n'

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>driftwatch</title>
<style>{style}</style>
</head>
<body>
<header><h1>driftwatch</h1><p>Version {version}, up for {up}</p>{state}</header>
<nav aria-label="Pages"><ul>
<li><a href="/metrics">Metrics</a></li>
{config}<li><a href="/-/healthy">Health</a></li>
<li><a href="/-/ready">Readiness</a></li>
</ul></nav>
<main>
<h2>Drifting now</h2>
<div class="scroll">{drifting}</div>
<h2>Monitors</h2>
<div class="scroll">{monitors}</div>
</main>
</body>
</html>
"""
