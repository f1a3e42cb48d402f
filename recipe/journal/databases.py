"""A journal in a database: opened by several processes at once, the tables made by whichever comes first."""

from __future__ import annotations

import time

from optuna.storages import BaseStorage, RDBStorage, get_storage

RETRY_SECONDS = (0.2, 1.0, 3.0)  # two processes that make the tables at the same moment are in each other's way
LOCK_SECONDS = 60  # that a process waits for another one's writing to an SQLite file


def open_database(address: str) -> BaseStorage:
    """Open Optuna's storage in a database, and make its tables where there are none.

    Parameters
    ----------
    address : as SQLAlchemy has it, such as ``"sqlite:///runs.db"`` or ``"postgresql+psycopg://user@host/name"``

    Raises
    ------
    ImportError
        If the database's driver is not installed.
    ValueError
        If it is no address.
    OSError
        If the database does not answer.
    """
    from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

    engine = {"connect_args": {"timeout": LOCK_SECONDS}} if address.startswith("sqlite") else {}
    for pause in (*RETRY_SECONDS, None):
        try:
            return get_storage(RDBStorage(address, engine_kwargs=engine))  # with a memory for trials that are done
        except (ArgumentError, NoSuchModuleError) as error:
            raise ValueError(
                f"This is no address of a database: {_one_line(error)} Received: {hide_password(address)}. Give one "
                "such as sqlite:///runs.db or postgresql+psycopg://user@host/name."
            ) from error
        except ImportError as error:
            raise ImportError(
                f"The driver for this database is not installed: {_one_line(error)} Received: "
                f"{hide_password(address)}. Install it, such as psycopg[binary] for postgresql+psycopg://."
            ) from error
        except DBAPIError as error:
            if pause is None:
                raise OSError(
                    f"The database does not answer as it should: {_one_line(error.orig)} Received: "
                    f"{hide_password(address)}. See that it runs, and that the address and the user are right."
                ) from error
            time.sleep(pause)
    raise AssertionError  # the last pause is None


def hide_password(address: str) -> str:
    """Return an address for people to read.

    Examples
    --------
    >>> hide_password("postgresql+psycopg://ada:secret@host/runs")
    'postgresql+psycopg://ada:***@host/runs'
    """
    scheme, _, rest = address.partition("://")
    login, at, place = rest.rpartition("@")
    user, colon, _ = login.partition(":")
    return f"{scheme}://{user}{':***' if colon else ''}{at}{place}"


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if text.endswith((".", "?")) else f"{text}."
