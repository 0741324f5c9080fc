"""alembic's entry: runs migrations on the connection that driftwatch hands over.

`driftwatch migrate` starts it. A connection of alembic's own would be a second place that knows
the store's URL, so there is none.
"""

from alembic import context

from driftwatch.store.schema import VERSION_TABLE, metadata

connection = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError("run `driftwatch migrate`: alembic is given its connection by driftwatch")

context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    compare_type=True,
    compare_server_default=True,
    render_as_batch=True,  # SQLite changes a table only by copying it
)
with context.begin_transaction():
    context.run_migrations()
