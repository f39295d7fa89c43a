"""MariaDB and PostgreSQL servers of our own, empty, with one user who may create databases."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.services.process import Server, find_program, free_port, serving, succeeds, temporary_home

NAME = USER = "badges"


@contextlib.contextmanager
def mariadb() -> Iterator[Mapping[str, str]]:
    """Run a MariaDB server; gives the environment that leads to it: ``DATABASE_URL``."""
    with mariadb_server() as (_, environment):
        yield environment


@contextlib.contextmanager
def mariadb_server() -> Iterator[tuple[Server, Mapping[str, str]]]:
    """Run a MariaDB server that may be stopped and started meanwhile; gives it and what ``mariadb`` gives."""
    install, server, client = (
        find_program(name, package="mariadb-server") for name in ("mariadb-install-db", "mariadbd", "mariadb")
    )
    port, password = str(free_port()), secrets.token_hex(12)
    with temporary_home("mariadb", accounts=["mysql"]) as home:
        data, socket = home.folder / "data", home.folder / "socket"
        home.run(
            install, "--no-defaults", f"--datadir={data}",
            "--skip-test-db", "--auth-root-authentication-method=normal",
        )  # fmt: skip
        grants = home.write(
            "init.sql",
            f"ALTER USER root@localhost IDENTIFIED BY '{password}';\n"
            f"CREATE DATABASE IF NOT EXISTS {NAME};\n"
            f"CREATE USER IF NOT EXISTS '{USER}'@'127.0.0.1' IDENTIFIED BY '{password}';\n"
            f"GRANT ALL ON *.* TO '{USER}'@'127.0.0.1';\n",
        )
        command: list[str | Path] = [
            server, "--no-defaults", f"--datadir={data}", f"--socket={socket}", f"--init-file={grants}",
            f"--pid-file={home.folder / 'pid'}",
            "--bind-address=127.0.0.1", f"--port={port}", "--skip-name-resolve",
            # As in Tutor's MySQL, so that index lengths and comparisons are those of production.
            "--character-set-server=utf8mb4", "--collation-server=utf8mb4_unicode_ci",
            # Tests need no durability, and half of their time would go into it.
            "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin",
        ]  # fmt: skip
        ping: list[str | Path] = [
            client, "--no-defaults", "--protocol=tcp", "-h127.0.0.1", f"-P{port}", f"-u{USER}",
            "-eSELECT 1", NAME,
        ]  # fmt: skip
        with serving(home, command, is_ready=lambda: succeeds(*ping, MYSQL_PWD=password)) as running:
            yield running, {"DATABASE_URL": f"mysql://{USER}:{password}@127.0.0.1:{port}/{NAME}"}


@contextlib.contextmanager
def postgres() -> Iterator[Mapping[str, str]]:
    """Run a PostgreSQL server; gives the environment that leads to it: ``DATABASE_URL``."""
    # Debian keeps the server's programs out of PATH, in a folder for each version.
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    initdb, server, client = (
        find_program(name, package="postgresql", folders=folders) for name in ("initdb", "postgres", "psql")
    )
    port, password = str(free_port()), secrets.token_hex(12)
    with temporary_home("postgres", accounts=["postgres"]) as home:
        data = home.folder / "data"
        password_file = home.write("password", password)
        home.run(
            initdb, f"--pgdata={data}", f"--username={USER}", f"--pwfile={password_file}",
            "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
        )  # fmt: skip
        command: list[str | Path] = [
            server, f"-D{data}", "-h127.0.0.1", f"-p{port}", f"-k{home.folder}",
            "-cfsync=off", "-csynchronous_commit=off", "-cfull_page_writes=off",
        ]  # fmt: skip
        psql: list[str | Path] = [client, "--no-psqlrc", "-h127.0.0.1", f"-p{port}", f"-U{USER}"]
        create: list[str | Path] = [*psql, "-dpostgres", f"-cCREATE DATABASE {NAME}"]
        with serving(home, command, is_ready=lambda: succeeds(*create, PGPASSWORD=password)):
            yield {"DATABASE_URL": f"postgres://{USER}:{password}@127.0.0.1:{port}/{NAME}"}
