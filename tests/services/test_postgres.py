"""Each test gets an empty PostgreSQL database of its own."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text

from tests.services.postgres import fresh_database


@pytest.mark.parametrize("round_", [1, 2])
def test_a_database_is_empty_and_keeps_chinese_text(postgres_url: str, round_: int) -> None:
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE reader (name text)"))
        connection.execute(text("INSERT INTO reader VALUES ('𠮷野 文')"))

        name = connection.execute(text("SELECT name FROM reader")).scalar_one()
        encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    engine.dispose()

    assert (name, encoding) == ("𠮷野 文", "UTF8")


def test_a_database_is_gone_afterwards_even_with_a_connection_open(postgres_server: str) -> None:
    with fresh_database(postgres_server) as url:
        engine = create_engine(url)
        connection = engine.connect()
        name = connection.execute(text("SELECT current_database()")).scalar_one()
    connection.invalidate()
    engine.dispose()

    server = create_engine(postgres_server.replace("postgresql://", "postgresql+psycopg://"))
    with server.connect() as other:
        names = other.execute(text("SELECT datname FROM pg_database")).scalars().all()
    server.dispose()
    assert "template0" in names
    assert name not in names
