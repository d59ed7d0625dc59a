"""Lead a database from any earlier version to the tables of `polyvalent.db.schema`."""
