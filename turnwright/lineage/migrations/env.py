"""What Alembic runs: the migrations, on the connection that it is given, inside the transaction that is open on it."""

from alembic import context

from turnwright.lineage.catalog_tables import CatalogTable

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=CatalogTable.metadata,
    render_as_batch=True,  # SQLite changes a column by making the table again
)
with context.begin_transaction():
    context.run_migrations()
