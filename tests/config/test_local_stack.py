"""The local stack: its processes, its keys, its environment, and the end of what an earlier one left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from backend.core.environment import VARIABLES
from config.local import envfile, environment, keys, orphans, procfile, run, supervision
from config.local.environment import Options
from config.local.profiles import PROFILES
from workers import process as worker_process
from workers.wake_ups import QUEUES

pytestmark = pytest.mark.sqlite_only

SLEEPER = "import time; print('ready', flush=True); time.sleep(60)"
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]).wait()"


@contextmanager
def process(var: Path, name: str = "web", code: str = SLEEPER) -> Iterator[subprocess.Popen[str]]:
    """A process started as the stack starts its own; it is ready when this returns."""
    running = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, orphans.MARK: name, "VAR_DIR": str(var)},
    )
    assert running.stdout
    with running:
        try:
            assert running.stdout.readline() == "ready\n"
            yield running
        finally:
            orphans.end(var, patience=0)


def test_the_procfile_names_every_process_and_release_is_none_of_them() -> None:
    names = procfile.processes()
    assert set(names) == {"web", "beat", "flower", "sandbox-gateway", *(f"worker-{queue}" for queue in QUEUES)}
    assert names["beat"] == "python -m workers beat"


def test_processes_start_broker_first_and_beat_last() -> None:
    started = [stage.name for stage in supervision.stages(with_broker=True)]
    assert started == ["broker", "sandbox-gateway", "web", "workers", "beat"]
    assert "broker" not in [stage.name for stage in supervision.stages(with_broker=False)]


def test_a_folder_with_odd_characters_survives_supervisors_configuration(tmp_path: Path) -> None:
    var = tmp_path / "100% mine"
    (var / "run").mkdir(parents=True)
    text = supervision.configure(var, supervision.stages(with_broker=True)).read_text()
    assert f"{tmp_path}/100%% mine/log/web.log" in text


def test_keys_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "keys.env"
    first = keys.load_or_create(path)
    assert keys.load_or_create(path) == first
    assert path.stat().st_mode & 0o777 == 0o600
    assert first.keys() == {"SECRET_KEY", "TOKEN_KEY", "FIELD_KEY", "SANDBOX_SECRET"}


def test_a_key_that_is_missing_is_added_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "keys.env"
    envfile.write(path, {"SECRET_KEY": "old"})
    assert keys.load_or_create(path)["SECRET_KEY"] == "old"
    assert len(envfile.read(path)["TOKEN_KEY"]) == 64


@pytest.mark.parametrize("value", ["it's", 'a"b', "a\\b\\", "${HOME} $HOME", "two\nlines", "# no comment", " spaces "])
def test_an_environment_file_is_read_back_as_it_was_written(tmp_path: Path, value: str) -> None:
    envfile.write(tmp_path / "x.env", {"NAME": value, "NEXT": "1"})
    assert envfile.read(tmp_path / "x.env") == {"NAME": value, "NEXT": "1"}


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_sets_only_variables_that_somebody_reads(profile: str) -> None:
    assert PROFILES[profile].keys() <= VARIABLES.keys()


def test_what_the_caller_set_wins_over_the_profile(tmp_path: Path) -> None:
    options = Options("fast", 8123, tmp_path)
    composed = environment.compose({"ENV_FILE": os.devnull, "PAY_WITHIN": "7s", "DEBUG": ""}, options)
    assert composed["PAY_WITHIN"] == "7s"
    assert composed["DRAFT_LIFETIME"] == PROFILES["fast"]["DRAFT_LIFETIME"]
    assert composed["DEBUG"] == "1"
    assert composed["PUBLIC_URL"] == "http://localhost:8123"
    assert composed["SANDBOX_URL"] == "http://127.0.0.1:8124"
    assert composed["CALL_LOOPBACK"] == "1"
    assert "CALL_LOOPBACK" not in environment.compose({"ENV_FILE": os.devnull, "DEBUG": "0"}, options)


def test_a_second_terminal_learns_of_the_callers_own_settings_too(tmp_path: Path) -> None:
    caller = {"ENV_FILE": os.devnull, "DATABASE_URL": "postgresql://somewhere/else", "EDITOR": "vi"}
    composed = environment.compose(caller, Options("default", 8000, tmp_path))
    environment.keep(tmp_path / "stack.env", composed, caller)
    shared = envfile.read(tmp_path / "stack.env")
    assert shared["DATABASE_URL"] == "postgresql://somewhere/else"
    assert shared["VAR_DIR"] == str(tmp_path)
    assert not shared.keys() & {"ENV_FILE", "PATH", "EDITOR"}


def test_a_second_stack_in_the_same_folder_is_refused_with_the_firsts_pid(tmp_path: Path) -> None:
    with run.alone(tmp_path), pytest.raises(run.CannotStartError, match=rf"pid {os.getpid()}"), run.alone(tmp_path):
        pass


@pytest.mark.parametrize(
    ("variable", "value"),
    [("REDIS_URL", "redis://127.0.0.1:1/0"), ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")],
)
def test_a_service_that_the_caller_named_is_never_replaced_by_another_one(
    tmp_path: Path, variable: str, value: str
) -> None:
    caller = {name: text for name, text in os.environ.items() if name not in {"REDIS_URL", "DATABASE_URL"}}
    done = subprocess.run(
        [sys.executable, "-m", "config.local.run", "--var", str(tmp_path), "--port", "65000"],
        env={**caller, variable: value, "ENV_FILE": os.devnull},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert f"{variable} cannot be reached" in done.stderr


def test_a_process_that_outlived_its_supervisor_is_ended_with_its_children(tmp_path: Path) -> None:
    with process(tmp_path, code=PARENT) as orphan:
        assert orphan.pid in [found.pid for found in orphans.running(tmp_path)]
        assert orphans.end(tmp_path, patience=0.5) == 2
        assert orphans.running(tmp_path) == []


def test_children_are_ended_when_their_parent_was_killed_first(tmp_path: Path) -> None:
    with process(tmp_path, code=PARENT) as orphan:
        orphan.kill()
        orphan.wait()
        assert len(orphans.running(tmp_path)) == 1
        orphans.end(tmp_path)
        assert orphans.running(tmp_path) == []


def test_a_parent_is_told_first_and_ends_its_children_itself(tmp_path: Path) -> None:
    told = f"import signal; signal.signal(signal.SIGTERM, lambda *_: print('told', flush=True)); {SLEEPER}"
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {told!r}]).wait()"
    with process(tmp_path, code=code) as parent:
        orphans.end(tmp_path, patience=0.2)
        assert parent.stdout
        assert parent.stdout.read() == ""


def test_a_process_that_ignores_term_is_killed(tmp_path: Path) -> None:
    with process(tmp_path, code=f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPER}"):
        orphans.end(tmp_path, patience=0.2)
        assert orphans.running(tmp_path) == []


def test_processes_of_another_name_or_of_another_folder_are_left_alone(tmp_path: Path) -> None:
    with process(tmp_path / "mine", "web") as web, process(tmp_path / "other", "beat") as other:
        assert orphans.end(tmp_path / "mine", "beat") == 0
        assert orphans.end(tmp_path) == 0
        assert (web.poll(), other.poll()) == (None, None)


def test_one_that_its_parent_never_buries_is_not_waited_for(tmp_path: Path) -> None:
    with process(tmp_path) as zombie:
        begun = time.monotonic()
        orphans.end(tmp_path, patience=90)
        assert time.monotonic() - begun < 45  # else it waited
        assert psutil.Process(zombie.pid).status() == psutil.STATUS_ZOMBIE


def test_the_broker_of_the_stack_can_be_told_from_others(tmp_path: Path) -> None:
    """Valkey would write its title over the environment that it was started with."""
    given = {**os.environ, orphans.MARK: "broker", "VAR_DIR": str(tmp_path), "REDIS_URL": "", "ENV_FILE": os.devnull}
    (tmp_path / "run").mkdir()
    broker = [sys.executable, "-m", "config.local.child", "broker"]
    with subprocess.Popen(broker, env=given, cwd=procfile.PATH.parent, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        assert any("Ready to accept connections" in line for line in running.stdout)
        assert orphans.end(tmp_path, "broker") == 1
        assert running.wait() == 0


@pytest.mark.parametrize("arguments", [[], ["mial"], ["mail", "beat"]])
def test_a_mistyped_worker_is_refused_with_the_list_of_names(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "workers", *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "mail|payments|calls|timers|beat" in done.stderr


def test_each_worker_serves_the_queue_it_is_named_after() -> None:
    for queue in QUEUES:
        assert worker_process.options(queue)["queues"] == [queue]
