"""The database, PostgreSQL or SQLite: SQLAlchemy ends here."""
