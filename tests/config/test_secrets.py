"""No secret is ever shown: not in a message, a repr, a traceback or a log."""

import logging
import traceback
from pathlib import Path

import pytest

from driftwatch.errors import ConfigError
from tests.config.conftest import Load, monitor

SECRET = "hunter2secret"
ENV = {"SECRET": SECRET, "URL": f"mysql://u:{SECRET}@h/db", "BARE": f"{SECRET}"}
REST = monitor().partition("\n")[2]

BROKEN = [
    # databases
    f"store: mysql://u:{SECRET}@h/db",
    f"store: postgresql://u:{SECRET}@h",
    f"store: postgresql://u:x@{SECRET}@h/db",
    f"store: postgresql://u:x/{SECRET}@h/db",
    f"store: postgresql://u:{SECRET}:5@h:{SECRET}/db",
    f"store: postgresql+x://u:{SECRET}@h/db",
    f"store: sqlite://u:{SECRET}@h/db",
    f"store: {SECRET}",
    f"store: [postgresql://u:{SECRET}@h/db]",
    f"store: {{url: 'postgresql://u:{SECRET}@h/db', urll: {SECRET}}}",
    f"store: {{url: 'postgresql://u:{SECRET}@h/db', password: {SECRET}}}",
    f"store: {{'postgresql://u:{SECRET}@h/db'}}",
    f"store: {{url: {{'postgresql://u:{SECRET}@h/db': 1}}}}",
    f"store: {{url: 'postgresql://u:{SECRET}@h/db', password_file: {SECRET}}}",
    f"store: {{url_file: {SECRET}}}",
    "store: {url_file: bad-secret}",
    "store: {url_file: two-lines}",
    "store: {url: 'postgresql://u@h', password_file: good-secret}",
    "store: {url: sqlite:///x, password_file: good-secret}",
    f"store: {{url: 'postgresql://u:{SECRET}@h/db', password_file: good-secret}}",
    "store: ${URL}",
    "store: ${BARE}",
    "store: 'postgresql://u:${SECRET}@h'",
    f"store: 'postgresql://u:${{NONE}}{SECRET}@h/db'",
    f"store: 'postgresql://u:${{{SECRET}@h/db'",
    f"store:\n  url:postgresql://u:{SECRET}@h/db",
    f"store: !postgresql://u:{SECRET}@h/db",
    f"store: *{SECRET}",
    f"store: &{SECRET} &x {SECRET}",
    f"store: @{SECRET}",
    f"store: '{SECRET}",
    f'store: "{SECRET}\\q"',
    f"store: a: {SECRET}",
    f"store: [{SECRET}",
    f"store: !!int {SECRET}",
    f"store: x\nstore: {SECRET}",
    f"store:\n\t{SECRET}: 1",
    f"sources: {{'postgresql://u:{SECRET}@h/db': }}",
    f"sources: {{a: sqlite:///x, 'postgresql://u:{SECRET}@h/db': }}\nmonitors: [{{name: x}}]",
    f"sources: {{a: sqlite:///x}}\nmonitors: [{{source: 'postgresql://u:{SECRET}@h/db'}}]",
    f"sources: {{a: {{url: 'mysql://u:{SECRET}@h/db', max_concurrent: {SECRET}}}}}",
    f"sources: 'postgresql://u:{SECRET}@h/db'",
    f"postgresql://u:{SECRET}@h/db: 1",
    f"postgresql://u:{SECRET}@h/db",
    # the webhook
    f"notify: {{webhook: 'https://{SECRET}'}}",
    f"notify: {{webhook: {{url: 'ftp://{SECRET}'}}}}",
    f"notify: {{webhook: {{url: 'https://u:{SECRET}@h/'}}}}",
    f"notify: {{webhook: {{url: 'https://h/{SECRET} x'}}}}",
    f"notify: {{webhook: {{url: 'https://h:{SECRET}/'}}}}",
    f"notify: {{webhook: {{url: 'https://h/{SECRET}', timeout: x}}}}",
    f"notify: {{webhook: {{url: 'https://h/', headers: 'Authorization {SECRET}'}}}}",
    f"notify: {{webhook: {{url: 'https://h/', headers: {{'Authorization {SECRET}': }}}}}}",
    f"notify: {{webhook: {{url: 'https://h/', headers: {{A: [{SECRET}]}}}}}}",
    f'notify: {{webhook: {{url: "https://h/", headers: {{A: "{SECRET}\\n"}}}}}}',
    f"notify: {{webhook: {{url: 'https://h/', headers: {{A: '€{SECRET}'}}}}}}",
    "notify: {webhook: {url: '${SECRET}'}}",
    f"notify: {{webhook: {{url: 'https://h/', header_files: {{A: {SECRET}}}}}}}",
    "notify: {webhook: {url: 'https://h/', header_files: {A: two-lines}}}",
    "notify: {webhook: {url: 'https://h/', header_files: {'A b': good-secret}}}",
    "notify: {webhook: {url: 'https://h/', header_files: {A: good-secret}, headers: {a: x}}}",
    f"notify: {{webhook: {{url: 'https://h/', header_files: [{SECRET}]}}}}",
    # variables where no secret belongs
    *(
        f"sources: {{a: sqlite:///x}}\nmonitors: [{{name: x, {key}: '${{SECRET}}'}}]"
        for key in (
            *("source", "pane", "every", "delay", "catch_up", "start", "min_rows", "thresholds"),
            *("windows", "reference", "features", "volume", "alert", "bogus"),
            *("zone", "recheck", "widen", "version", "segments", "exclude", "query", "partition"),
            *("explain_prediction",),
        )
    ),
    *(
        f"sources: {{a: sqlite:///x}}\nmonitors: [{{name: x, {line}}}]"
        for line in (
            "windows: ['${SECRET}']",
            "timestamp: {column: a, format: '${SECRET}Z', zone: Asia/Tokyo}",
            "timestamp: {column: a, zone: '${SECRET}'}",
            "recheck: ['${SECRET}'], widen: '${SECRET}', version: {handover: '${SECRET}'}",
            "segments: ['${SECRET}', [x, '${SECRET}'], '${SECRET}']",
            "segments: [{columns: '${SECRET}', levels: ['${SECRET}', ['${SECRET}', x]], limit: 1}]",
            "segments: {by: [a], windows: ['${SECRET}'], page: '${SECRET}'}",
            "prediction: p, features: [a], explain_prediction: {features: ['${SECRET}']}",
            "features: ['${SECRET}'], exclude: [{from: 2026-11-23, to: 2026-11-24, "
            "reason: '${SECRET}', feature: '${SECRET}x'}]",
            "features: [a], exclude: [{from: 2026-11-23, to: 2026-11-24, reason: a, feature: b}]",
            *(
                f"reference: {{{key}: '${{SECRET}}', where: '${{SECRET}}', source: '${{SECRET}}'}}"
                for key in ("rolling", "seasonal", "table", "query", "file", "cohort")
            ),
            "reference: {from: '${SECRET}', to: '${SECRET}'}",
            "timestamp: {column: '${SECRET}', format: '${SECRET}'}",
            "timestamp: '${SECRET}', features: ['${SECRET}', '${SECRET}', '@${SECRET}']",
            "features: [{name: x, kind: '${SECRET}', bins: '${SECRET}', levels: '${SECRET}'}]",
            "features: [{name: x, bins: {edges: ['${SECRET}'], method: '${SECRET}'}}]",
            "thresholds: {js_distance: '${SECRET}'}, volume: {warning: '${SECRET}'}",
        )
    ),
    "monitors: [{name: '${SECRET}', features: ['${SECRET}'], exclude: [{from: 2026-11-23, "
    "to: 2026-11-24, reason: a, feature: b}]}]",
    "listen: ${SECRET}",
    "grace: ${SECRET}",
    "retention: {panes: '${SECRET}', hours: '${SECRET}', '${SECRET}': 1}",
    "monitors: [{name: '${SECRET}'}, {name: '${SECRET}'}]",
    "monitors: ${SECRET}",
]


@pytest.mark.parametrize("text", BROKEN)
def test_no_message_holds_a_secret(
    load: Load, tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "good-secret").write_text(SECRET)
    (tmp_path / "bad-secret").write_text(f"mysql://u:{SECRET}@h/db")
    (tmp_path / "two-lines").write_text(f"{SECRET}\n{SECRET}\n")

    with caplog.at_level(logging.DEBUG), pytest.raises(ConfigError) as caught:
        load(f"{text}\n", ENV)

    shown = [str(caught.value), repr(caught.value), *traceback.format_exception(caught.value)]
    assert SECRET not in "\n".join(shown)
    assert SECRET not in caplog.text
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_no_repr_of_settings_holds_a_secret(load: Load, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        settings = load(
            "store: 'postgresql://u:${SECRET}@h/db'\n"
            "sources: {logs: 'postgresql://u:${SECRET}@h/db'}\n"
            "notify: {webhook: {url: 'https://h/${SECRET}', headers: {A: 'Bearer ${SECRET}'}}}\n"
            + REST,
            ENV,
        )

    assert SECRET in settings.store_url
    assert settings.webhook is not None
    assert settings.webhook.headers == {"A": f"Bearer {SECRET}"}
    assert SECRET not in f"{settings!r} {settings} {settings.sources} {settings.webhook}"
    assert SECRET not in caplog.text
