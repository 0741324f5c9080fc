"""The real parts that tests stand on are really there."""

import sqlalchemy as sa


def test_each_store_answers(database_url: str) -> None:
    engine = sa.create_engine(database_url)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT 1 + 1")) == 2
    engine.dispose()
