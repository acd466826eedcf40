"""Writers of one file: in order, never two at once, never held up by one that died or gave up."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from sqlalchemy import event

from mmcore.errors import StoreError
from mmcore.store import engine, turns
from mmcore.store.engine import Store, sqlite_url
from mmcore.store.migrate import migrate
from mmcore.store.tables import Setting
from mmcore.store.turns import Turns

HOLD = """
import sys, time
from pathlib import Path
from mmcore.store.turns import Turns
with Turns(Path(sys.argv[1])).turn(10):
    print("in", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def database(tmp_path):
    return tmp_path / "rayon.db"


@pytest.fixture
def sqlite(database):
    store = Store(sqlite_url(database))
    migrate(store)
    yield store
    store.close()


@pytest.fixture
def holder(database):
    """Return a process that has the turn."""
    arguments = [sys.executable, "-c", HOLD, str(database)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "in\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def put(store, name):
    with store.writing() as session:
        session.add(Setting(name=name, value={}))


def wait_until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_threads_come_in_the_order_they_asked(database):
    line, came = Turns(database), []

    def work(number):
        with line.turn(10):
            came.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    with line.turn(10):
        for waiting, thread in enumerate(threads, start=1):
            thread.start()
            wait_until(lambda n=waiting: len(line._threads._waiting) == n)
    for thread in threads:
        thread.join()
    assert came == list(range(6))


def test_two_queues_of_one_file_never_let_two_in(database):
    inside, most = [], []

    def work(line):
        for _ in range(30):
            with line.turn(10):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    # descriptors of their own: what separate processes have
    threads = [threading.Thread(target=work, args=(Turns(database),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 120 and set(most) == {1}


def test_waiting_ends_with_the_name_of_the_process_that_writes(database, holder):
    line = Turns(database)
    with pytest.raises(StoreError, match=rf"busy for 0 s: process {holder.pid} .*try again"):
        with line.turn(0.05):
            pass
    holder.kill()  # as hard as it gets: the kernel takes the lock back
    with line.turn(10):
        pass


def test_who_gave_up_does_not_come_in_later(database, holder):
    line = Turns(database)
    for _ in range(2):
        with pytest.raises(StoreError), line.turn(0.05):
            pass
    os.kill(holder.pid, signal.SIGKILL)
    with Turns(database).turn(10), pytest.raises(StoreError), line.turn(0.05):
        pass
    with line.turn(10):
        pass


def test_a_thread_gives_up_behind_another_thread(database):
    line = Turns(database)
    with line.turn(10):
        caught = []

        def work():
            with pytest.raises(StoreError, match="another part of this program") as error:
                with line.turn(0.01):
                    pass
            caught.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert caught
    with line.turn(0.01):
        pass


def test_a_copy_of_the_descriptor_in_a_forked_process_does_not_keep_the_turn(database):
    line = turns._FileLine(database)
    held = line.enter(1)
    copy = os.dup(held)  # what a fork makes
    turns._release(held)
    again = line.enter(1)
    assert again is not None
    turns._release(again)
    os.close(copy)


def test_a_transaction_inside_another_is_refused_at_once(sqlite):
    with sqlite.writing(), pytest.raises(RuntimeError, match="inside another"):
        put(sqlite, "inner")
    put(sqlite, "outer")


def test_the_turn_ends_with_an_exception_a_failed_begin_and_a_failed_commit(sqlite, monkeypatch):
    with pytest.raises(KeyError), sqlite.writing():
        raise KeyError
    monkeypatch.setattr(engine, "TURN_PATIENCE_S", 0.5)
    for moment in ("begin", "commit"):

        def fail(connection, moment=moment):
            raise OSError(moment)

        event.listen(sqlite.engine, moment, fail)
        with pytest.raises(OSError, match=moment):
            put(sqlite, moment)
        event.remove(sqlite.engine, moment, fail)
    put(sqlite, "after")


def test_an_abandoned_transaction_gives_its_turn_back(sqlite, monkeypatch):
    monkeypatch.setattr(engine, "TURN_PATIENCE_S", 5)
    block = sqlite.writing()
    session = block.__enter__()
    session.add(Setting(name="lost", value={}))
    session.flush()
    del block, session
    gc.collect()
    put(sqlite, "kept")
    with sqlite.reading() as session:
        assert session.get(Setting, "lost") is None


def test_a_database_in_memory_needs_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = Store("sqlite://")
    migrate(store)
    put(store, "a")
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_names_of_one_file_share_one_queue(sqlite, database, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    files = set()
    for url in (
        f"sqlite:///file:{database}?uri=true",
        sqlite_url(tmp_path / "link" / "rayon.db"),
        sqlite.url,
    ):
        store = Store(url)
        put(store, url)
        files.add(store._turns._processes._now)
        store.close()
    assert files == {tmp_path.resolve() / "rayon.db.writers"}


@pytest.mark.parametrize("missing", ["module", "locks"])
def test_without_file_locks_sqlite_waits_by_itself(database, monkeypatch, missing):
    def no_locks(file):
        raise OSError("No locks available")

    if missing == "module":
        monkeypatch.setattr(turns, "fcntl", None)
    else:
        monkeypatch.setattr(turns, "_opened", no_locks)
    store = Store(sqlite_url(database))
    migrate(store)
    put(store, "a")
    with store.reading() as session:
        assert session.get(Setting, "a") is not None
    store.close()
