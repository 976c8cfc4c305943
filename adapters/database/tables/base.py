"""What all tables share: names of constraints, and the columns that point at customers and enrollments."""

from sqlalchemy import Column, DateTime, ForeignKey, MetaData, Text, text

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)

INSTANT = DateTime(timezone=True)
EMPTY = text("'{}'::jsonb")


def customer_column(**options: bool) -> Column[str]:
    """Whose row it is: our own customer id."""
    return Column("customer", Text, ForeignKey("customers.id"), nullable=False, **options)  # type: ignore[arg-type]


def enrollment_column(*, nullable: bool = False) -> Column[str]:
    """Which walk a row belongs to."""
    return Column("enrollment", Text, ForeignKey("enrollments.id"), nullable=nullable)
