"""Templates of annotations: numbers by `query`, and links.

A template is expanded by Prometheus whenever a rule is evaluated. Names of monitors and features
may hold anything: `%q` quotes them for PromQL, `urlquery` for a URL.
"""

from driftwatch.config.settings import LinkSettings
from driftwatch.exposition.rules.expression import merged

_FEATURE = ("job", "monitor", "feature", "window")
UNKNOWN = "unknown while no daemon shows it"


def name(label: str) -> str:
    return f"{{{{ $labels.{label} }}}}"


def selector(metric: str, labels: tuple[str, ...], more: str = "") -> str:
    """A metric with these labels to be filled in by printf."""
    return f"{metric}{{{','.join(f'{one}=%q' for one in labels)}{more}}}"


def query(expr: str, labels: tuple[str, ...], shown: str, otherwise: str = UNKNOWN) -> str:
    """`shown` with `.` as the answer, or `otherwise`. expr: with a %q for each of the labels."""
    values = " ".join(f"$labels.{one}" for one in labels)
    escaped = expr.replace('"', '\\"')
    ending = f"{{{{ else }}}}{otherwise}" if otherwise else ""
    return f'{{{{ with printf "{escaped}" {values} | query }}}}{shown}{ending}{{{{ end }}}}'


def clause(metric: str, shown: str, more: str = "") -> str:
    """A part of a sentence about a metric of the alert's feature and window, with the sample as
    `.`; nothing where it is not known."""
    expr = merged(selector(metric, _FEATURE, more))
    return query(expr, _FEATURE, f"{{{{ with first . }}}}{shown}{{{{ end }}}}", otherwise="")


def value(form: str = "%.3g") -> str:
    """The value of the sample."""
    return f'{{{{ value . | printf "{form}" }}}}'


def word(label: str) -> str:
    """A label of the sample."""
    return f'{{{{ label "{label}" . }}}}'


def since(metric: str, labels: tuple[str, ...]) -> str:
    """The moment that a metric tells."""
    shown = '{{ (. | first | value | toTime).Format "2006-01-02 15:04 MST" }}'
    return query(merged(selector(metric, labels)), labels, shown)


def several(expr: str, labels: tuple[str, ...], one: str) -> str:
    """The samples of an answer, in its order, separated by commas."""
    shown = "{{ range $i, $one := . }}{{ if $i }}, {{ end }}" + one + "{{ end }}"
    return query(expr, labels, shown)


def top_features() -> str:
    """The three flagged features of the monitor with the largest effect, over the same window.
    Both sides select the monitor: this is asked for each alert that fires."""
    labels = ("job", "monitor", "window")
    effect = merged(selector("driftwatch_effect_size", labels))
    verdict = selector("driftwatch_verdict_level", labels)
    return several(
        f"sort_desc(topk(3, {effect} and on (feature) {verdict} > 0))",
        (*labels, *labels),
        '{{ $one | label "feature" }} {{ $one | value | printf "%.3g" }}',
    )


def explanation(links: LinkSettings, *more: str) -> dict[str, str]:
    """The link to the explanation of the alert's feature over its window. more: labels that say
    which part of the rows it is about."""
    keys = ("monitor", "feature", "window", *more)
    parts = "&".join(f"{key}={{{{ $labels.{key} | urlquery }}}}" for key in keys)
    return {"explanation_url": f"{links.driftwatch}/explain?{parts}"}


def dashboard(links: LinkSettings, uid: str, *variables: str) -> dict[str, str]:
    """The link to one of the dashboards, with these labels as its variables; none without
    Grafana."""
    if links.grafana is None:
        return {}
    parts = "&".join(f"var-{key}={{{{ $labels.{key} | urlquery }}}}" for key in variables)
    return {"dashboard_url": f"{links.grafana}/d/{uid}" + (f"?{parts}" if parts else "")}


def runbook(links: LinkSettings, alert: str) -> dict[str, str]:
    return {"runbook_url": f"{links.runbooks}/{alert}.md"}
