"""Run MariaDB, MySQL and PostgreSQL servers, empty, with one user who may create databases."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.services import mysql_programs
from tests.services.process import Home, Server, find_program, free_port, serving, succeeds, temporary_home

NAME = USER = "badges"
# Without the writes that make a commit of MariaDB or MySQL survive a crash.
QUICK = ("--innodb-flush-log-at-trx-commit=0", "--skip-log-bin")
Words = list[str | Path]


@contextlib.contextmanager
def mariadb_server(*, durable: bool = False) -> Iterator[tuple[Server, Mapping[str, str]]]:
    """Run a MariaDB server that may be stopped and started meanwhile.

    Yield it and the environment that leads to it: ``DATABASE_URL``. ``durable``: commits survive a crash, as in
    production. Measurements need that; tests do not, and it would double their time.
    """
    install, server, client = (
        find_program(name, package="mariadb-server") for name in ("mariadb-install-db", "mariadbd", "mariadb")
    )
    with temporary_home("mariadb", accounts=["mysql"]) as home:
        home.run(
            install, "--no-defaults", f"--datadir={home.folder / 'data'}",
            "--skip-test-db", "--auth-root-authentication-method=normal",
        )  # fmt: skip
        command: Words = [server, "--no-defaults", *([] if durable else QUICK)]
        with _serving_mysql(home, command, client=[client, "--no-defaults"]) as running:
            yield running


@contextlib.contextmanager
def mysql_server(*, durable: bool = False) -> Iterator[tuple[Server, Mapping[str, str]]]:
    """Run a MySQL server, fetched if need be; otherwise like ``mariadb_server``."""
    programs = mysql_programs.programs()
    print(f"MySQL {programs.version}", file=sys.stderr, flush=True)
    # The programs may be where another account cannot read them; root says that root is meant.
    account: Words = ["--user=root"] if os.geteuid() == 0 else []
    with temporary_home("mysql", accounts=["root"]) as home:
        server: Words = [*programs.server, *account]
        home.run(*server, f"--datadir={home.folder / 'data'}", "--initialize-insecure")
        command: Words = [*server, "--mysqlx=0", "--secure-file-priv=NULL", *([] if durable else QUICK)]
        with _serving_mysql(home, command, client=programs.client) as running:
            yield running


@contextlib.contextmanager
def postgres_server(*, durable: bool = False) -> Iterator[tuple[Server, Mapping[str, str]]]:
    """Run a PostgreSQL server; otherwise like ``mariadb_server``."""
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
        command: Words = [server, f"-D{data}", "-h127.0.0.1", f"-p{port}", f"-k{home.folder}"]
        if not durable:
            command += ["-cfsync=off", "-csynchronous_commit=off", "-cfull_page_writes=off"]
        psql: Words = [client, "--no-psqlrc", "-h127.0.0.1", f"-p{port}", f"-U{USER}"]

        def has_database() -> bool:
            return any(
                succeeds(*psql, *words, PGPASSWORD=password)
                for words in ([f"-d{NAME}", "-cSELECT 1"], ["-dpostgres", f"-cCREATE DATABASE {NAME}"])
            )

        with serving(home, command, is_ready=has_database) as running:
            yield running, {"DATABASE_URL": f"postgres://{USER}:{password}@127.0.0.1:{port}/{NAME}"}


DATABASES = {"mariadb": mariadb_server, "mysql": mysql_server, "postgres": postgres_server}
"""Name of a database server -> context manager that runs it."""


@contextlib.contextmanager
def database(name: str, *, durable: bool = False) -> Iterator[Mapping[str, str]]:
    """Run one of them and yield the environment that leads to it."""
    with DATABASES[name](durable=durable) as (_, environment):
        yield environment


@contextlib.contextmanager
def _serving_mysql(home: Home, command: Words, *, client: Words) -> Iterator[tuple[Server, Mapping[str, str]]]:
    """Run a server of MariaDB or MySQL whose system tables exist."""
    port, password = str(free_port()), secrets.token_hex(12)
    grants = home.write(
        "init.sql",
        f"ALTER USER root@localhost IDENTIFIED BY '{password}';\n"
        f"CREATE DATABASE IF NOT EXISTS {NAME};\n"
        f"CREATE USER IF NOT EXISTS '{USER}'@'127.0.0.1' IDENTIFIED BY '{password}';\n"
        f"GRANT ALL ON *.* TO '{USER}'@'127.0.0.1';\n",
    )
    listening: Words = [
        f"--datadir={home.folder / 'data'}", f"--socket={home.folder / 'socket'}", f"--init-file={grants}",
        f"--pid-file={home.folder / 'pid'}",
        "--bind-address=127.0.0.1", f"--port={port}", "--skip-name-resolve",
        # As in Tutor's MySQL, so that index lengths and comparisons are those of production.
        "--character-set-server=utf8mb4", "--collation-server=utf8mb4_unicode_ci",
    ]  # fmt: skip
    ping: Words = [*client, "--protocol=tcp", "-h127.0.0.1", f"-P{port}", f"-u{USER}", "-eSELECT 1", NAME]
    with serving(home, [*command, *listening], is_ready=lambda: succeeds(*ping, MYSQL_PWD=password)) as running:
        yield running, {"DATABASE_URL": f"mysql://{USER}:{password}@127.0.0.1:{port}/{NAME}"}
