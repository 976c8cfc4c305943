"""the shop: products, offers, and the codes that customers were given"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_index('sends_held_idx', 'sends', ['rule'], unique=False, postgresql_where=sa.text("state = 'held'"))
    op.create_table('offers',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False, comment='generated or pool'),
    sa.Column('prefix', sa.Text(), nullable=False),
    sa.Column('percent', sa.Numeric(precision=5, scale=2), nullable=True),
    sa.Column('amount', sa.Numeric(precision=14, scale=2), nullable=True),
    sa.Column('currency', sa.Text(), nullable=True),
    sa.Column('words', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('valid_for', sa.Interval(), nullable=True, comment='None: as long as its message is worth sending'),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('offers_pkey'))
    )
    op.create_table('products',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('name', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='A text for all languages, or an object of them'),
    sa.Column('category', sa.Text(), nullable=False),
    sa.Column('price', sa.Numeric(precision=14, scale=2), nullable=True),
    sa.Column('currency', sa.Text(), nullable=True),
    sa.Column('url', sa.Text(), nullable=True),
    sa.Column('image', sa.Text(), nullable=True),
    sa.Column('rating', sa.Numeric(precision=5, scale=2), nullable=True),
    sa.Column('stock', sa.Integer(), nullable=True),
    sa.Column('available', sa.Boolean(), nullable=False),
    sa.Column('attributes', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('related', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False, comment='Its accessories, best first'),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('products_pkey')),
    comment="The shop's own feed, the newest word of each"
    )
    op.create_index('products_category_idx', 'products', ['category', 'id'], unique=False, postgresql_where=sa.text('withdrawn_at IS NULL'))
    op.create_table('offer_codes',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('offer', sa.Text(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False, comment='The same code, however it is typed'),
    sa.Column('customer', sa.Text(), nullable=True),
    sa.Column('send', sa.Uuid(), nullable=True, comment='The first leg of the step that it was given at'),
    sa.Column('given_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('valid_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('redeemed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('redeemed_by', sa.Text(), nullable=True, comment="The order, where it is the customer's own"),
    sa.ForeignKeyConstraint(['customer'], ['customers.id'], name=op.f('offer_codes_customer_fkey')),
    sa.ForeignKeyConstraint(['offer'], ['offers.name'], name=op.f('offer_codes_offer_fkey')),
    sa.ForeignKeyConstraint(['send'], ['sends.id'], name=op.f('offer_codes_send_fkey')),
    sa.PrimaryKeyConstraint('id', name=op.f('offer_codes_pkey')),
    sa.UniqueConstraint('key', name=op.f('offer_codes_key_key')),
    sa.UniqueConstraint('send', 'offer', name=op.f('offer_codes_send_offer_key')),
    comment='Codes of a pool wait here until they are given; a generated one is written when it is'
    )
    op.create_index('offer_codes_customer_idx', 'offer_codes', ['customer'], unique=False)
    op.create_index('offer_codes_free_idx', 'offer_codes', ['offer', 'id'], unique=False, postgresql_where=sa.text('given_at IS NULL AND redeemed_at IS NULL'))
    op.create_index('offer_codes_given_idx', 'offer_codes', ['offer', 'given_at'], unique=False)


def downgrade() -> None:
    op.drop_index('offer_codes_given_idx', table_name='offer_codes')
    op.drop_index('offer_codes_free_idx', table_name='offer_codes', postgresql_where=sa.text('given_at IS NULL AND redeemed_at IS NULL'))
    op.drop_index('offer_codes_customer_idx', table_name='offer_codes')
    op.drop_table('offer_codes')
    op.drop_index('products_category_idx', table_name='products', postgresql_where=sa.text('withdrawn_at IS NULL'))
    op.drop_table('products')
    op.drop_table('offers')
    op.drop_index('sends_held_idx', table_name='sends', postgresql_where=sa.text("state = 'held'"))
