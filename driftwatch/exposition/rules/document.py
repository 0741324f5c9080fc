"""What a file of rules is made of, before it is text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from driftwatch.alert.policy import Severity

INFO = "info"
"""The severity of what asks for nothing at once; alerts of the daemon itself have the other two."""

SEVERITIES = (Severity.CRITICAL.value, Severity.WARNING.value, INFO)


@dataclass(frozen=True, slots=True)
class Record:
    """A recording rule. why: remarks that stand before it."""

    name: str
    expr: str
    why: str = ""

    def plain(self) -> dict[str, Any]:
        return {"record": self.name, "expr": self.expr}


@dataclass(frozen=True, slots=True)
class Alert:
    """An alerting rule. lasting: its `for`, "" for none; annotations: all but the summary."""

    name: str
    expr: str
    severity: str
    summary: str
    annotations: Mapping[str, str]
    lasting: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    why: str = ""

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ValueError(f"{self.severity!r} is no severity; they are {SEVERITIES}")

    def plain(self) -> dict[str, Any]:
        return {
            "alert": self.name,
            "expr": self.expr,
            **({"for": self.lasting} if self.lasting else {}),
            "labels": {"severity": self.severity, **self.labels},
            "annotations": {"summary": self.summary, **self.annotations},
        }


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that Prometheus evaluates one after another, in this order."""

    name: str
    rules: tuple[Record | Alert, ...]

    def plain(self) -> dict[str, Any]:
        return {"name": self.name, "rules": [rule.plain() for rule in self.rules]}
