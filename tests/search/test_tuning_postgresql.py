"""A search in a real PostgreSQL server, which the test starts for itself."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tuning_examples import SPACE, check_two_processes

import recipe
from recipe.journal import Journal
from recipe.search import tune

pytestmark = [
    pytest.mark.slow,  # a server of its own: make test is what needs nothing but Python
    pytest.mark.timeout(180),
    pytest.mark.skipif(os.name == "nt", reason="the server is looked for where Debian and macOS have it"),
]


def find_program(name: str) -> str | None:
    """Debian keeps the server's programs out of the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a server with an empty database, in a folder of its own."""
    pytest.importorskip("psycopg", reason="the driver for PostgreSQL, psycopg, is not installed")
    initdb, pg_ctl = find_program("initdb"), find_program("pg_ctl")
    if initdb is None or pg_ctl is None:
        pytest.skip("PostgreSQL's initdb and pg_ctl are not installed (Debian: apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="recipe-postgresql-"))
    # The server refuses to run as root; Debian's package brings a user for it.
    as_user = []
    if os.geteuid() == 0:
        import pwd

        try:
            user = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = ["runuser", "-u", "postgres", "--"]
    port = free_port()

    def call(*arguments: str) -> None:
        log = folder / "call.txt"
        with log.open("w") as output:  # no pipe: the server would keep it open
            done = subprocess.run([*as_user, *arguments], cwd=folder, stdout=output, stderr=output, timeout=90)
        assert done.returncode == 0, log.read_text()

    data = str(folder / "data")
    try:
        call(initdb, "--pgdata", data, "--auth=trust", "--username=learner", "--encoding=UTF8", "--no-sync")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        call(pg_ctl, "--pgdata", data, "--wait", "--log", str(folder / "server.txt"), "--options", options, "start")
        try:
            yield f"postgresql+psycopg://learner@127.0.0.1:{port}/postgres"
        finally:
            call(pg_ctl, "--pgdata", data, "--wait", "--mode=immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_two_processes_share_a_study_in_postgresql(server, tmp_path):
    check_two_processes(server, tmp_path)


def test_journal_and_study_of_workers_lie_in_postgresql(server, monkeypatch):
    """Workers report their epochs to the server, so that the others' trials can be given up."""
    monkeypatch.setenv("RECIPE_JOURNAL", server)
    prepared = recipe.prepare(recipe.hold_out(recipe.load("mnist", source="sample", rows=150)))
    by_hand = recipe.train(SPACE.base, prepared)
    found = tune(prepared, SPACE, 2, executor="processes", workers=2, storage=server)
    assert [run.origin for run in found.trials] == ["script", "search", "search"]
    assert found.trials[0].history["val_data_loss"] == pytest.approx(by_hand.history["val_data_loss"], rel=1e-6)
    assert len(Journal(server).runs(data=prepared.data_key)) == 3
    assert all(trial.intermediate_values for trial in found.study.trials)
