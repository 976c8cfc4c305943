"""SQL statements, each parsed once in a process: SQLAlchemy parses and keys a text anew whenever one is made."""

import functools

import sqlalchemy
from sqlalchemy import TextClause


@functools.lru_cache(maxsize=512)
def text(sql: str) -> TextClause:
    """As sqlalchemy.text. The result is shared: do not change it."""
    return sqlalchemy.text(sql)
