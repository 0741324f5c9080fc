"""The user's SQL store: inspected, fitted and scanned with SELECT alone; only counts leave it."""

from driftwatch.source.bucket import bucket
from driftwatch.source.catalog import ColumnInfo
from driftwatch.source.file import FileSource, open_file
from driftwatch.source.inspect import RelationInfo
from driftwatch.source.kinds import KindProposal
from driftwatch.source.plan import ScanPlan
from driftwatch.source.source import Source, open_source
from driftwatch.source.statement import ScanColumn
from driftwatch.source.value import ColumnType
from driftwatch.source.values import LevelList

__all__ = [
    "ColumnInfo",
    "ColumnType",
    "FileSource",
    "KindProposal",
    "LevelList",
    "RelationInfo",
    "ScanColumn",
    "ScanPlan",
    "Source",
    "bucket",
    "open_file",
    "open_source",
]
