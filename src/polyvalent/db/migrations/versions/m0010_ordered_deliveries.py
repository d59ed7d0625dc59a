"""
Keep deliveries in order by each object that they are about.

Revision 0010.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table of objects, fill it from the deliveries under way, and drop their key."""
    op.create_table(
        "delivery_object",
        sa.Column("delivery_id", ID, nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("subscription_id", ID, nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [f"{target}_id"],
                [f"{target}.id"],
                name=op.f(f"fk_delivery_object_{target}_id"),
                ondelete="CASCADE",
            )
            for target in ("delivery", "subscription")
        ),
        sa.PrimaryKeyConstraint("delivery_id", "object_key", name=op.f("pk_delivery_object")),
    )
    op.create_index(
        "ix_delivery_object_subscription_id_object_key_delivery_id",
        "delivery_object",
        ["subscription_id", "object_key", "delivery_id"],
    )
    op.execute(
        "INSERT INTO delivery_object (delivery_id, object_key, subscription_id) "
        "SELECT id, order_key, subscription_id FROM delivery "
        "WHERE order_key IS NOT NULL AND status <> 'delivered'"
    )
    op.drop_index("ix_delivery_subscription_id_order_key_status", "delivery")
    op.drop_column("delivery", "order_key")
    op.create_index("ix_delivery_status_created_at", "delivery", ["status", "created_at"])
