"""the customer's lock

One function takes the locks of some customers, whoever they are by now. Locks are taken in the order of their distinct
keys. A profile may be merged away while its lock is waited for; then all locks are given back (the inner block is rolled
back) and taken anew for whom it went into, so that nobody ever waits while holding the lock of a profile that is gone.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.execute("""
        CREATE FUNCTION lock_customers(given text[]) RETURNS text[] LANGUAGE plpgsql AS $$
        DECLARE
            now_are text[];
            lock bigint;
        BEGIN
            LOOP
                now_are := given;
                IF EXISTS (SELECT FROM customer_aliases a WHERE a.id = ANY(given)) THEN
                    now_are := ARRAY(
                        SELECT coalesce((SELECT a.customer FROM customer_aliases a WHERE a.id = g.id), g.id)
                        FROM unnest(given) WITH ORDINALITY AS g (id, place) ORDER BY place);
                END IF;
                BEGIN
                    IF cardinality(now_are) = 1 THEN
                        PERFORM pg_advisory_xact_lock(hashtextextended(now_are[1], 0));
                    ELSE
                        FOR lock IN
                            SELECT DISTINCT hashtextextended(each, 0) AS key FROM unnest(now_are) AS each ORDER BY key
                        LOOP
                            PERFORM pg_advisory_xact_lock(lock);
                        END LOOP;
                    END IF;
                    IF NOT EXISTS (SELECT FROM customer_aliases a WHERE a.id = ANY(now_are)) THEN
                        RETURN now_are;
                    END IF;
                    RAISE SQLSTATE 'TROPA';
                EXCEPTION WHEN SQLSTATE 'TROPA' THEN
                    NULL;  -- merged meanwhile: the locks are given back, and it begins again
                END;
            END LOOP;
        END $$
    """)


def downgrade() -> None:
    op.execute("DROP FUNCTION lock_customers(text[])")
