"""Who was given which variant of an experiment."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = '0005'
down_revision: str | None = '0004'
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table('assignments',
    sa.Column('customer', sa.Text(), nullable=False),
    sa.Column('experiment', sa.Text(), nullable=False, comment='journey/experiment'),
    sa.Column('variant', sa.Text(), nullable=False),
    sa.Column('exposed_at', sa.DateTime(timezone=True), nullable=False, comment='When they first came to where the variants part'),
    sa.ForeignKeyConstraint(['customer'], ['customers.id'], name=op.f('assignments_customer_fkey')),
    sa.PrimaryKeyConstraint('customer', 'experiment', name=op.f('assignments_pkey'))
    )
    op.create_index('assignments_experiment_idx', 'assignments', ['experiment', 'variant'], unique=False)


def downgrade() -> None:
    op.drop_index('assignments_experiment_idx', table_name='assignments')
    op.drop_table('assignments')
