"""The list of what is personal: nobody adds a table, or a column that can hold words, without deciding about it."""

import pytest
from sqlalchemy import Table, UniqueConstraint
from sqlalchemy.types import ARRAY, JSON, LargeBinary, String

from adapters.database.personal import HELD, Held, Joined
from adapters.database.tables import metadata

WORDY = (String, JSON, LargeBinary, ARRAY)
TABLES = list(metadata.tables.values())
named = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)


def of_customers(table: Table) -> bool:
    return any(key.column.table.name == "customers" for column in table.columns for key in column.foreign_keys)


def test_the_list_names_every_table_and_no_other() -> None:
    assert set(HELD) == {table.name for table in TABLES}


@named
def test_every_column_that_can_hold_words_is_decided_about(table: Table) -> None:
    held: Held = HELD[table.name]
    if held.deleted:
        return
    wordy = {column.name for column in table.columns if isinstance(column.type, WORDY)}
    decided = [*held.kept, *held.surrogates, *held.cleared]

    assert set(decided) >= wordy, "decide in adapters/database/personal.py what becomes of these columns"
    assert set(decided) <= {column.name for column in table.columns}
    assert len(decided) == len(set(decided))


@named
def test_every_table_with_customers_says_how_to_find_and_how_to_join_them(table: Table) -> None:
    held: Held = HELD[table.name]

    if of_customers(table):
        assert held.of is not None
        assert held.joined is not Joined.ALONG
    if held.joined is Joined.MOVED:
        assert "customer" in table.columns
        uniques = [c for c in table.constraints if isinstance(c, UniqueConstraint)] + [table.primary_key]
        of_both = [c for c in uniques if "customer" in c.columns] + [
            i for i in table.indexes if i.unique and "customer" in i.columns
        ]
        assert of_both == [], "two profiles may both have such a row: join them apart, in adapters/database/merging.py"


def test_a_table_that_nobody_thought_of_would_be_found() -> None:
    assert of_customers(metadata.tables["consents"])
    assert not of_customers(metadata.tables["clock"])
