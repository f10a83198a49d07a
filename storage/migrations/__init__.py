"""Alembic migrations: from the first table on, and head equals the models."""
