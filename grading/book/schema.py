"""nbgrader's tables, made all at once: a run that is killed leaves the whole gradebook or none of it.

nbgrader itself makes its tables one after the other and notes the schema's version last. Killed in between,
it leaves a gradebook that misses tables and, since it is no new one any more, never gets its version: such a
gradebook cannot be upgraded. Here it is completed.
"""

import sqlalchemy as sql

from grading.book.course import tools
from grading.book.standing import told

VERSION = sql.Table(  # as alembic keeps it
    "alembic_version", sql.MetaData(), sql.Column("version_num", sql.String(32), nullable=False)
)


def make_tables(url: str) -> None:
    """Make the gradebook's tables and note their version, in one transaction; a versioned one stays as it is.

    Raises GradebookError when the database cannot be reached or written.
    """
    with tools(), told(url):
        engine = sql.create_engine(url)
        try:
            with engine.connect() as db:
                if _version(db):
                    return
            from nbgrader import api

            head = api.get_alembic_version()
            with engine.begin() as db:
                if db.dialect.name == "sqlite":
                    db.exec_driver_sql("BEGIN IMMEDIATE")  # Python's driver begins none for tables
                todays = _todays(db, api.Base.metadata)
                api.Base.metadata.create_all(db)
                if todays:  # of other tables nobody knows the version
                    VERSION.create(db, checkfirst=True)
                    db.execute(VERSION.insert().values(version_num=head))
        finally:
            engine.dispose()


def _version(db: sql.Connection) -> str | None:
    if not sql.inspect(db).has_table(VERSION.name):
        return None
    return db.scalar(sql.select(VERSION.c.version_num))


def _todays(db: sql.Connection, wanted: sql.MetaData) -> bool:
    """Whether the tables that are there have the columns of today's schema."""
    look = sql.inspect(db)
    there = set(look.get_table_names()) & set(wanted.tables)
    return all({c["name"] for c in look.get_columns(t)} == set(wanted.tables[t].c.keys()) for t in there)
