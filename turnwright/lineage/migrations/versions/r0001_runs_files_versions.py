"""Runs with their files, seeds and prompts; versions of datasets."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NAME = sa.String(255)
_DIGEST = sa.String(64)


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "run",
        sa.Column("key", sa.Integer(), primary_key=True),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("run_id", _NAME, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started", sa.String(40), nullable=False),
        sa.Column("finished", sa.String(40)),
        sa.Column("config_digest", _DIGEST, nullable=False),
        sa.Column("dataset", _NAME),
        sa.Column("stamp", _DIGEST, nullable=False),
        sa.UniqueConstraint("place", "run_id"),
    )
    op.create_table(
        "content",
        sa.Column("sha256", _DIGEST, primary_key=True),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger()),
    )
    op.create_table(
        "run_file",
        _owner("run_key", "run.key"),
        sa.Column("name", _NAME, primary_key=True),
        sa.Column("sha256", _DIGEST, sa.ForeignKey("content.sha256"), nullable=False),
        sa.Column("stage", sa.String(32), nullable=False),
    )
    op.create_index("run_file_sha256", "run_file", ["sha256"])
    op.create_table(
        "derivation",
        _owner("run_key", "run.key"),
        sa.Column("child", _NAME, primary_key=True),
        sa.Column("parent", _NAME, primary_key=True),
    )
    op.create_table(
        "run_seed",
        _owner("run_key", "run.key"),
        sa.Column("seed_id", _NAME, primary_key=True),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("locator", sa.Text(), nullable=False),
        sa.Column("base_digest", _NAME, nullable=False),
    )
    op.create_index("run_seed_id", "run_seed", ["seed_id"])
    op.create_table(
        "run_prompt",
        _owner("run_key", "run.key"),
        sa.Column("role", sa.String(64), primary_key=True),
        sa.Column("digest", _DIGEST, nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
    )
    op.create_index("run_prompt_digest", "run_prompt", ["digest"])
    op.create_table(
        "dataset_version",
        sa.Column("key", sa.Integer(), primary_key=True),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("dataset", _NAME, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", _DIGEST, nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("published", sa.String(40), nullable=False),
        sa.UniqueConstraint("place", "dataset", "version"),
    )
    op.create_table(
        "version_part",
        _owner("version_key", "dataset_version.key"),
        sa.Column("position", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("run_id", _NAME, nullable=False),
    )
    op.create_table(
        "version_file",
        _owner("version_key", "dataset_version.key"),
        sa.Column("name", _NAME, primary_key=True),
        sa.Column("sha256", _DIGEST, sa.ForeignKey("content.sha256"), nullable=False),
    )
    op.create_index("version_file_sha256", "version_file", ["sha256"])


def downgrade() -> None:
    """Takes them away; nothing is lost, because the folders tell it all again."""
    for table in ("version_file", "version_part", "dataset_version"):
        op.drop_table(table)
    for table in ("run_prompt", "run_seed", "derivation", "run_file", "content", "run"):
        op.drop_table(table)


def _owner(name: str, parent: str) -> "sa.Column[int]":
    return sa.Column(
        name, sa.Integer(), sa.ForeignKey(parent, ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
