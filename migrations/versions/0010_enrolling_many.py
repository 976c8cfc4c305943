"""entering many at once, and imports

A bulk and whom it named, frozen; what was handed over in files, and which of its rows were wrong.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table('bulks',
    sa.Column('id', sa.Text(), server_default=sa.text("'blk_' || replace(uuidv7()::text, '-', '')"), nullable=False),
    sa.Column('journey', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False, comment='list, csv, or segment and its name'),
    sa.Column('options', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('audience', sa.Integer(), nullable=False, comment='How many were named'),
    sa.Column('entering', sa.Integer(), nullable=False, comment='How many of them are to enter: places 1 to this'),
    sa.Column('reachable', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='How many of these each channel may reach'),
    sa.Column('volume', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='The forecast, at the rate it was drafted with'),
    sa.Column('per_second', sa.Double(), nullable=False),
    sa.Column('canary', sa.Integer(), nullable=True, comment='How many enter before somebody looks'),
    sa.Column('looked', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('reached', sa.Integer(), server_default=sa.text('0'), nullable=False, comment='The last place that was dealt with'),
    sa.Column('refused', sa.Integer(), server_default=sa.text('0'), nullable=False, comment='How many of these did not enter'),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('actor_name', sa.Text(), nullable=False),
    sa.Column('drafted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('approver', sa.Text(), nullable=True),
    sa.Column('approver_name', sa.Text(), nullable=True),
    sa.Column('approved_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_by', sa.Text(), nullable=True, comment='Who cancelled it'),
    sa.Column('stretch_at', sa.DateTime(timezone=True), nullable=True, comment='Real time: since when it has been running without a pause'),
    sa.Column('stretch_from', sa.Integer(), nullable=True, comment='The place that it had reached then'),
    sa.Column('chunk_at', sa.DateTime(timezone=True), nullable=True, comment='Real time: when some entered last'),
    sa.Column('asked', sa.Integer(), server_default=sa.text('0'), nullable=False, comment='Commands that its workflow is to hear'),
    sa.Column('told', sa.Integer(), server_default=sa.text('0'), nullable=False, comment='How many of these it was told'),
    sa.PrimaryKeyConstraint('id', name=op.f('bulks_pkey'))
    )
    op.create_index('bulks_untold_idx', 'bulks', ['id'], unique=False, postgresql_where=sa.text('told < asked'))
    op.create_table('imports',
    sa.Column('id', sa.Text(), server_default=sa.text("'imp_' || replace(uuidv7()::text, '-', '')"), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False, comment='customers, events or orders'),
    sa.Column('state', sa.Text(), nullable=False, comment='running, done, or broken off'),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('actor_name', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('rows', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('stored', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('known', sa.Integer(), server_default=sa.text('0'), nullable=False, comment='Stored before, by the same content'),
    sa.Column('wrong', sa.Integer(), server_default=sa.text('0'), nullable=False, comment='Rows that were not stored'),
    sa.PrimaryKeyConstraint('id', name=op.f('imports_pkey'))
    )
    op.create_table('import_problems',
    sa.Column('import', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('line', sa.Integer(), nullable=False),
    sa.Column('field', sa.Text(), nullable=False),
    sa.Column('problem', sa.Text(), nullable=False, comment='In our own words, never the value itself'),
    sa.ForeignKeyConstraint(['import'], ['imports.id'], name=op.f('import_problems_import_fkey'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('import', 'number', name=op.f('import_problems_pkey'))
    )
    op.create_table('bulk_customers',
    sa.Column('bulk', sa.Text(), nullable=False),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Text(), nullable=False, comment='As they were named'),
    sa.Column('about', sa.Text(), nullable=False),
    sa.Column('customer', sa.Text(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False, comment='waits, entered, refused, or left_out from the beginning'),
    sa.Column('rule', sa.Text(), nullable=True),
    sa.Column('facts', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('enrollment', sa.Text(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=True, comment='When it was decided, or told to those who were left out'),
    sa.ForeignKeyConstraint(['bulk'], ['bulks.id'], name=op.f('bulk_customers_bulk_fkey'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['customer'], ['customers.id'], name=op.f('bulk_customers_customer_fkey')),
    sa.ForeignKeyConstraint(['enrollment'], ['enrollments.id'], name=op.f('bulk_customers_enrollment_fkey')),
    sa.PrimaryKeyConstraint('bulk', 'place', name=op.f('bulk_customers_pkey')),
    comment='Whom a bulk named, frozen when it was drafted, and what became of each.'
    )
    op.create_index('bulk_customers_customer_idx', 'bulk_customers', ['customer'], unique=False, postgresql_where=sa.text('customer IS NOT NULL'))
    op.create_index('bulk_customers_named_idx', 'bulk_customers', ['customer_id'], unique=False, postgresql_where=sa.text('customer IS NULL'))
    op.create_index('bulk_customers_rule_idx', 'bulk_customers', ['bulk', 'rule', 'place'], unique=False, postgresql_where=sa.text('rule IS NOT NULL'))


def downgrade() -> None:
    op.drop_index('bulk_customers_rule_idx', table_name='bulk_customers', postgresql_where=sa.text('rule IS NOT NULL'))
    op.drop_index('bulk_customers_named_idx', table_name='bulk_customers', postgresql_where=sa.text('customer IS NULL'))
    op.drop_index('bulk_customers_customer_idx', table_name='bulk_customers', postgresql_where=sa.text('customer IS NOT NULL'))
    op.drop_table('bulk_customers')
    op.drop_table('import_problems')
    op.drop_table('imports')
    op.drop_index('bulks_untold_idx', table_name='bulks', postgresql_where=sa.text('told < asked'))
    op.drop_table('bulks')
