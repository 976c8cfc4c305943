"""Bringing a database to this release's schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config

ROOT = Path(__file__).parent.parent


def configuration(url: str) -> Config:
    """Alembic's configuration for a database (an SQLAlchemy URL)."""
    config = Config(toml_file=str(ROOT / "pyproject.toml"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def migrate(url: str) -> None:
    """Run what is missing. Blocks, and must not be called inside a running event loop."""
    command.upgrade(configuration(url), "head")
