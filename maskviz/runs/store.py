"""The store: one row per run in SQLite (WAL), for the queue and for what must be atomic.

The folders hold everything else, so a lost database is rebuilt from them. Connections are
opened per operation: nothing of SQLite's is carried through a fork.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import MissingDependencyError, RunError, StoreError
from ..paths import is_full, no_room
from ..training.folder import Run, folders, read_json, read_run, run_folder, runs_home, update_json

_KEPT = ("state", "reason", "engine", "created", "started", "ended", "pid", "process_started")
_MIRRORED = {*_KEPT, "attempts", "parent"}  # in the folder's state.json as well


@lru_cache(maxsize=1)
def _table() -> Any:
    from sqlalchemy import Column, Float, Integer, MetaData, String, Table

    return Table(
        "runs",
        MetaData(),
        Column("id", String, primary_key=True),
        Column("state", String, nullable=False, index=True),
        Column("reason", String, nullable=False, default=""),
        Column("engine", String, nullable=False, default="local"),
        Column("created", Float, nullable=False),
        Column("started", Float),
        Column("ended", Float),
        Column("pid", Integer),
        Column("process_started", Float),
        Column("cancel_requested", Float),
        Column("parent", String),
        Column("attempts", Integer, nullable=False, default=0),
        Column("resumed_step", Integer, nullable=False, default=-1),
    )


def available() -> bool:
    """Tell whether the store can be used here; a bare training machine has no SQLAlchemy."""
    from importlib.util import find_spec

    return find_spec("sqlalchemy") is not None


class Store:
    """Runs and their states.

    >>> store = Store()                             # doctest: +SKIP
    >>> [run.state for run in store.runs()]         # doctest: +SKIP
    ['running', 'done']
    """

    def __init__(self, path: Path | None = None) -> None:
        try:
            from sqlalchemy import create_engine, event, inspect
            from sqlalchemy.pool import NullPool
        except ImportError:
            raise MissingDependencyError(
                "The queue of runs needs SQLAlchemy: pip install sqlalchemy, or train in the "
                "foreground."
            ) from None
        self.path = path or runs_home() / "runs.sqlite"
        self._engine = create_engine(
            f"sqlite:///{self.path}", poolclass=NullPool, connect_args={"timeout": 30}
        )
        event.listen(self._engine, "connect", _pragmas)
        event.listen(self._engine, "begin", _begin)
        with self._read() as connection:
            there = inspect(connection).has_table("runs")
        if not there:
            with self._write() as connection:
                _table().create(connection, checkfirst=True)

    @contextmanager
    def _write(self, **options: Any) -> Iterator[Any]:
        from sqlalchemy.exc import DatabaseError, IntegrityError

        try:
            with self._engine.execution_options(**options).begin() as connection:
                yield connection
        except IntegrityError:  # an answer, and no fault of the file
            raise
        except DatabaseError as error:
            if is_full(self.path.parent):
                raise no_room(self.path.parent) from None
            raise StoreError(
                f"The store of runs cannot be used ({error.orig}): see whether {self.path.name} "
                "can be written, or move it away; it is made anew from the runs' folders."
            ) from None

    def _read(self) -> AbstractContextManager[Any]:
        return self._write(maskviz_reads=True)

    # reading --------------------------------------------------------------------------------

    def rows(self, *states: str) -> list[dict[str, Any]]:
        """Return the rows, newest first; only those in `states` where some are given."""
        table = _table()
        query = table.select().order_by(table.c.created.desc(), table.c.id)
        if states:
            query = query.where(table.c.state.in_(states))
        with self._read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def row(self, run_id: str) -> dict[str, Any]:
        """Return one row; raises RunError where there is none."""
        table = _table()
        with self._read() as connection:
            found = (
                connection.execute(table.select().where(table.c.id == run_id)).mappings().first()
            )
        if found is None:
            run_folder(run_id)
            return self._adopt(run_id)
        return dict(found)

    def runs(self) -> list[Run]:
        """Return all runs, newest first."""
        self.adopt()
        root = self.path.parent
        rows = self.rows()
        return [
            read_run(root / r["id"], r) for r in rows if (root / r["id"] / "spec.toml").is_file()
        ]

    def run(self, run_id: str) -> Run:
        """Return one run; raises RunError where there is none."""
        return read_run(run_folder(run_id), self.row(run_id))

    # writing --------------------------------------------------------------------------------

    def add(self, folder: Path, state: str = "queued", **values: Any) -> None:
        """Add the row of a new run, in place of one that `adopt` made of its folder meanwhile."""
        row = {"state": state, "created": time.time(), "engine": "local", **values}
        insert = _table().insert().prefix_with("OR REPLACE").values(id=folder.name, **row)
        with self._write() as connection:
            connection.execute(insert)
        _mirror(folder, row)

    def update(self, run_id: str, **values: Any) -> None:
        """Change some fields of a row, and of the folder's state.json."""
        table = _table()
        with self._write() as connection:
            connection.execute(table.update().where(table.c.id == run_id).values(**values))
        _mirror(self.path.parent / run_id, values)

    def move(self, run_id: str, old: tuple[str, ...], **values: Any) -> bool:
        """Change a row only if its state is one of `old`; tell whether it was."""
        table = _table()
        query = table.update().where(table.c.id == run_id, table.c.state.in_(old)).values(**values)
        with self._write() as connection:
            moved = connection.execute(query).rowcount == 1
        if moved:
            _mirror(self.path.parent / run_id, values)
        return moved

    def claim(self) -> dict[str, Any] | None:
        """Take the oldest queued run of the local engine and mark it as running."""
        table = _table()
        waiting = (
            table.select()
            .where(table.c.state == "queued", table.c.engine == "local")
            .order_by(table.c.created)
            .limit(1)
        )
        with self._write() as connection:
            row = connection.execute(waiting).mappings().first()
            if row is None:
                return None
            taken = {"state": "running", "reason": "", "attempts": row["attempts"] + 1}
            taken |= {"started": row["started"] or time.time(), "ended": None}
            connection.execute(table.update().where(table.c.id == row["id"]).values(**taken))
        _mirror(self.path.parent / row["id"], taken)
        return {**row, **taken}

    def remove(self, run_id: str, states: tuple[str, ...], forever: Path) -> bool:
        """Take a row out if its state is one of `states`, its folder moved to `forever`.

        Both or neither: nobody starts or adopts the run in between. Raises OSError where the
        folder cannot be moved. Tells whether the state was right.
        """
        table = _table()
        query = table.delete().where(table.c.id == run_id, table.c.state.in_(states))
        with self._write() as connection:
            removed = connection.execute(query).rowcount == 1
            if removed:
                (self.path.parent / run_id).rename(forever)
        return removed

    def adopt(self) -> None:
        """Add rows for folders that have none: made without the store, or the store was lost."""
        from sqlalchemy import select

        table = _table()
        with self._read() as connection:
            known = set(connection.execute(select(table.c.id)).scalars())
        for folder in folders():
            if folder.name not in known:
                self._adopt(folder.name)

    def _adopt(self, run_id: str) -> dict[str, Any]:
        from sqlalchemy.exc import IntegrityError

        folder = run_folder(run_id)
        status = read_json(folder / "state.json")
        row = {k: status[k] for k in _MIRRORED if status.get(k) is not None}
        row.setdefault("created", (folder / "spec.toml").stat().st_mtime)
        row.setdefault("state", "failed")
        row.setdefault("reason", "It was never started: resume starts it.")
        try:
            with self._write() as connection:
                connection.execute(_table().insert().values(id=run_id, **row))
        except IntegrityError:  # another process was faster
            return self.row(run_id)
        return self.row(run_id)

    def must_be(self, run_id: str, states: tuple[str, ...], doing: str) -> dict[str, Any]:
        """Return the row, or raise RunError where its state does not allow `doing`."""
        row = self.row(run_id)
        if row["state"] not in states:
            allowed = " or ".join(states)
            raise RunError(f"The run {run_id!r} is {row['state']}: only {allowed} runs {doing}.")
        return row


def _mirror(folder: Path, values: dict[str, Any]) -> None:
    kept = {k: v for k, v in values.items() if k in _MIRRORED}
    if kept and folder.is_dir():
        with suppress(OSError):  # full or not to be written: the row is what counts
            update_json(folder / "state.json", **kept)


def _begin(connection: Any) -> None:
    # A writer takes the lock at once: one that reads first could fail when it comes to write.
    reads = connection.get_execution_options().get("maskviz_reads")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _pragmas(connection: Any, _record: Any) -> None:
    # The driver must not open transactions of its own: `begin` does, at once for writing.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")
