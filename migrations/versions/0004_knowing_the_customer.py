"""Orders, stages, engagement and first touch."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision: str = '0004'
down_revision: str | None = '0003'
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table('orders',
    sa.Column('customer', sa.Text(), nullable=False),
    sa.Column('order', sa.Text(), nullable=False),
    sa.Column('placed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('gross', sa.Numeric(precision=14, scale=2), nullable=False, comment="As the shop said it, in the order's own currency"),
    sa.Column('refunded', sa.Numeric(precision=14, scale=2), nullable=False),
    sa.Column('rate', sa.Numeric(precision=20, scale=8), nullable=False, comment="Of the installation's currency for one of the order's"),
    sa.Column('net', sa.Numeric(precision=14, scale=2), nullable=False, comment="What is left of it, in the installation's currency"),
    sa.Column('currency', sa.Text(), nullable=False),
    sa.Column('products', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('codes', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False, comment='Offer codes that were used'),
    sa.ForeignKeyConstraint(['customer'], ['customers.id'], name=op.f('orders_customer_fkey')),
    sa.PrimaryKeyConstraint('customer', 'order', name=op.f('orders_pkey')),
    comment='Kept true by projection from order_placed, order_cancelled and order_refunded'
    )
    op.create_index('orders_customer_placed_at_idx', 'orders', ['customer', 'placed_at'], unique=False)
    op.create_index('orders_placed_at_idx', 'orders', ['placed_at'], unique=False)
    op.create_table('stage_visits',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('customer', sa.Text(), nullable=False),
    sa.Column('model', sa.Text(), nullable=False, comment='Which set of stages'),
    sa.Column('stage', sa.Text(), nullable=False),
    sa.Column('rank', sa.Integer(), nullable=False),
    sa.Column('entered_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('exited_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('cause', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['customer'], ['customers.id'], name=op.f('stage_visits_customer_fkey')),
    sa.PrimaryKeyConstraint('id', name=op.f('stage_visits_pkey')),
    comment='Append-only but for exited_at; one is open for a customer and model'
    )
    op.create_index('stage_visits_customer_idx', 'stage_visits', ['customer', 'id'], unique=False)
    op.create_index('stage_visits_open_key', 'stage_visits', ['customer', 'model'], unique=True, postgresql_where=sa.text('exited_at IS NULL'))
    op.create_index('stage_visits_stage_idx', 'stage_visits', ['stage', 'entered_at'], unique=False)
    op.add_column('customers', sa.Column('revenue', sa.Numeric(precision=14, scale=2), server_default=sa.text('0'), nullable=False, comment='Of orders that stand'))
    op.add_column('customers', sa.Column('engaged_at', sa.DateTime(timezone=True), nullable=True, comment='Their last verified open, click or visit'))
    op.add_column('customers', sa.Column('engagement', sa.Double(), server_default=sa.text('0'), nullable=False, comment='As it was at engagement_at'))
    op.add_column('customers', sa.Column('engagement_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('customers', sa.Column('first_touch', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True))
    op.add_column('customers', sa.Column('stage', sa.Text(), nullable=True))
    op.add_column('customers', sa.Column('stage_since', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column('customers', 'stage_since')
    op.drop_column('customers', 'stage')
    op.drop_column('customers', 'first_touch')
    op.drop_column('customers', 'engagement_at')
    op.drop_column('customers', 'engagement')
    op.drop_column('customers', 'engaged_at')
    op.drop_column('customers', 'revenue')
    op.drop_index('stage_visits_stage_idx', table_name='stage_visits')
    op.drop_index('stage_visits_open_key', table_name='stage_visits', postgresql_where=sa.text('exited_at IS NULL'))
    op.drop_index('stage_visits_customer_idx', table_name='stage_visits')
    op.drop_table('stage_visits')
    op.drop_index('orders_placed_at_idx', table_name='orders')
    op.drop_index('orders_customer_placed_at_idx', table_name='orders')
    op.drop_table('orders')
