"""who changed whose role; one active job that predicts."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ACTIVE_PREDICT = sa.text("kind = 'predict' AND state IN ('queued', 'running')")


def upgrade() -> None:
    op.create_table(
        "role_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("annotator_id", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("role_before", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.CheckConstraint(
            "act IN ('add', 'role', 'deactivate', 'reactivate')", name=op.f("ck_role_change_act")
        ),
        sa.ForeignKeyConstraint(
            ["annotator_id"], ["annotator.id"], name=op.f("fk_role_change_annotator_id")
        ),
        sa.ForeignKeyConstraint(["by_id"], ["annotator.id"], name=op.f("fk_role_change_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_change")),
    )
    with op.batch_alter_table("role_change") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_role_change_annotator_id"), ["annotator_id"], unique=False
        )
    with op.batch_alter_table("job") as batch_op:
        batch_op.create_index(
            "uq_job_active_predict",
            ["kind"],
            unique=True,
            sqlite_where=_ACTIVE_PREDICT,
            postgresql_where=_ACTIVE_PREDICT,
        )
