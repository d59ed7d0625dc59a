"""
Add bulk jobs, the files they wrote, what failed, and how far is proven.

Revision 0007.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def _own(table: str, column: str, other: str, *, gone: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete=gone)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "bulk_job",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("job_id", ID, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("instance_id", ID, nullable=False),
        sa.Column("element_key", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("object_name", sa.Text(), nullable=False),
        sa.Column("file_format", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("request_sealed", sa.Text(), nullable=False),
        sa.Column("key_sealed", sa.Text(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("completed_at", TIME, nullable=True),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("swept_at", TIME, nullable=True),
        _own("bulk_job", "job_id", "job", gone="SET NULL"),
        _own("bulk_job", "organization_id", "organization", gone="CASCADE"),
        _own("bulk_job", "instance_id", "instance", gone="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_job")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_bulk_job_organization_id_id", "bulk_job", ["organization_id", "id"])
    op.create_index("ix_bulk_job_instance_id", "bulk_job", ["instance_id"])
    op.create_index("ix_bulk_job_expires_at", "bulk_job", ["expires_at"])
    op.create_index("ix_bulk_job_job_id", "bulk_job", ["job_id"])
    op.create_table(
        "bulk_part",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("bulk_job_id", ID, nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("size_bytes", ID, nullable=False),
        sa.Column("pages", sa.Text(), nullable=True),
        sa.Column("row_marks", sa.LargeBinary(), nullable=True),
        _own("bulk_part", "bulk_job_id", "bulk_job", gone="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_part")),
        sa.UniqueConstraint(
            "bulk_job_id",
            "file",
            "format",
            "number",
            name=op.f("uq_bulk_part_bulk_job_id_file_format_number"),
        ),
        sa.UniqueConstraint("name", name=op.f("uq_bulk_part_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "bulk_error",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("bulk_job_id", ID, nullable=False),
        sa.Column("content_sealed", sa.Text(), nullable=False),
        _own("bulk_error", "bulk_job_id", "bulk_job", gone="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_error")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_bulk_error_bulk_job_id_id", "bulk_error", ["bulk_job_id", "id"])
    op.create_table(
        "bulk_watermark",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("instance_id", ID, nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("proven_until", TIME, nullable=False),
        sa.Column("snapshot_id", ID, nullable=True),
        _own("bulk_watermark", "instance_id", "instance", gone="CASCADE"),
        _own("bulk_watermark", "snapshot_id", "bulk_job", gone="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_watermark")),
        sa.UniqueConstraint(
            "instance_id", "query", name=op.f("uq_bulk_watermark_instance_id_query")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_bulk_watermark_snapshot_id", "bulk_watermark", ["snapshot_id"])
