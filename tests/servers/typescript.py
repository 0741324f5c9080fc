"""The compiler of TypeScript with the types of Grafana, to hold JSON to them."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.servers.parts import in_ci, require_program

PARTS = Path(__file__).parents[2] / ".ci" / "grafana-schema"

_PANELS = {
    "barchart": "BarChart",
    "bargauge": "BarGauge",
    "stat": "Stat",
    "state-timeline": "StateTimeline",
    "status-history": "StatusHistory",
    "table": "Table",
    "timeseries": "TimeSeries",
}
"""Kinds of panel whose options have types of their own."""

_PRELUDE = """
import type { AnnotationQuery, Dashboard, DataQuery } from '@grafana/schema';

// JSON has the values of enumerations, not their names.
type Plain<T> = T extends string ? `${T}`
  : T extends number | boolean | null | undefined ? T
  : T extends (infer U)[] ? Plain<U>[]
  : T extends object ? { [K in keyof T]: Plain<T[K]> }
  : T;

// What the two plugins of stores take; no package has their types.
interface SqliteQuery extends DataQuery {
  queryText: string; rawQueryText: string; queryType: 'table'; timeColumns: string[];
}
interface PostgresQuery extends DataQuery {
  rawSql: string; rawQuery: true; editorMode: 'code'; format: 'table';
}
type Board = Plain<Omit<Dashboard, 'annotations' | 'id'> & {
  id: null;
  annotations?: { list?: AnnotationQuery<SqliteQuery | PostgresQuery>[] };
}>;
"""


def compiler() -> list[str]:
    """How the compiler is started; where it is missing, fail in CI and skip elsewhere."""
    node = require_program("node", package="nodejs npm")
    found = PARTS / "node_modules" / "typescript" / "bin" / "tsc"
    if not found.exists():
        message = f"the types of Grafana are not installed; get them with: npm ci --prefix {PARTS}"
        if in_ci():
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    return [str(node), str(found)]


def complaints(folder: Path, boards: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is wrong with dashboards by name, one line each; none if they have the types."""
    program = compiler()
    (folder / "node_modules").symlink_to(PARTS / "node_modules")
    lines = [_PRELUDE, *map(_import, _PANELS)]
    for name, board in boards.items():
        lines += _constants(name, board)
    (folder / "boards.ts").write_text("\n".join(lines), "utf-8")
    done = subprocess.run(
        [
            *program, "--noEmit", "--strict", "--skipLibCheck", "--target", "es2022",
            "--module", "esnext", "--moduleResolution", "bundler", "boards.ts",
        ],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = [line for line in done.stdout.splitlines() if "error TS" in line]
    assert bool(found) == bool(done.returncode), done.stdout + done.stderr
    return found


def _import(kind: str) -> str:
    name = _PANELS[kind]
    path = f"raw/composable/{name.lower()}/panelcfg/x/{name}PanelCfg_types.gen"
    return f"import type * as {name} from '@grafana/schema/dist/esm/{path}';"


def _constants(name: str, board: Mapping[str, Any]) -> list[str]:
    made = [f"export const {name} = {json.dumps(board)} satisfies Board;"]
    for panel in board["panels"]:
        if panel["type"] == "row":
            continue
        kind, options = _PANELS[panel["type"]], json.dumps(panel["options"])
        made.append(
            f"export const {name}_{panel['id']} = {options} satisfies Plain<{kind}.Options>;"
        )
        custom = panel["fieldConfig"]["defaults"].get("custom")
        if custom is not None:
            made.append(
                f"export const {name}_{panel['id']}_custom = {json.dumps(custom)}"
                f" satisfies Partial<Plain<{kind}.FieldConfig>>;"
            )
    return made
