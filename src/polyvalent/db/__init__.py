"""
Keep what must outlive the process: SQLite in a file by default, PostgreSQL by URL.

`engine` opens a database and hands out connections, `schema` draws the tables, `migrate` leads
a database to them, `key_file` keeps the key ring beside the database, `rotate` seals anew.
"""

from polyvalent.db.engine import Connection, Database, lock, next_id, open_database

__all__ = ["Connection", "Database", "lock", "next_id", "open_database"]
