"""
Run the migrations on the connection that `polyvalent.db.migrate` hands over.

Alembic loads this file by its path; the transaction is the caller's.
"""

from alembic import context

from polyvalent.db.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by building it anew
)
context.run_migrations()
