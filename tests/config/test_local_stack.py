"""The local stack: its processes, its keys, its environment, and the end of what an earlier one left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from backend.core.environment import VARIABLES
from config.local import envfile, environment, keys, orphans, process_table, procfile, run, supervision
from config.local.environment import Options
from config.local.profiles import PROFILES
from workers.__main__ import QUEUES, command

pytestmark = pytest.mark.sqlite_only

SLEEPER = "import time; print('ready', flush=True); time.sleep(60)"
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]).wait()"


@contextmanager
def process(pid_file: Path, code: str = SLEEPER) -> Iterator[subprocess.Popen[str]]:
    """A process group started as the stack starts its own: it leaves a pid file and is ready when this returns."""
    start = (
        f"from pathlib import Path; from config.local.orphans import record; record(Path({str(pid_file)!r})); {code}"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", start],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=procfile.PATH.parent,
    )
    assert running.stdout
    with running:
        try:
            assert running.stdout.readline() == "ready\n"
            yield running
        finally:
            running.kill()


def recorded(pid_file: Path) -> orphans.Leader:
    leader = orphans.recorded(pid_file)
    assert leader
    return leader


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
    first = keys.kept(path)
    assert keys.kept(path) == first
    assert path.stat().st_mode & 0o777 == 0o600
    assert first.keys() == {"SECRET_KEY", "TOKEN_KEY", "FIELD_KEY", "SANDBOX_SECRET"}


def test_a_key_that_is_missing_is_added_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "keys.env"
    envfile.write(path, {"SECRET_KEY": "old"})
    assert keys.kept(path)["SECRET_KEY"] == "old"
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
    with process(tmp_path / "web.pid", PARENT) as orphan:
        leader = recorded(tmp_path / "web.pid")
        assert leader.pid == orphan.pid
        assert len(leader.members()) == 2
        assert orphans.end([leader], patience=0.5) == 1
        assert leader.members() == []


def test_children_are_ended_when_their_parent_was_killed_first(tmp_path: Path) -> None:
    with process(tmp_path / "web.pid", PARENT) as orphan:
        leader = recorded(tmp_path / "web.pid")
        orphan.kill()
        orphan.wait()
        assert len(leader.members()) == 1
        orphans.end([leader])
        assert leader.members() == []


def test_a_process_that_ignores_term_is_killed(tmp_path: Path) -> None:
    code = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPER}"
    with process(tmp_path / "web.pid", code):
        leader = recorded(tmp_path / "web.pid")
        orphans.end([leader], patience=0.2)
        assert leader.members() == []


def test_a_process_under_the_same_pid_but_of_another_start_is_left_alone(tmp_path: Path) -> None:
    with process(tmp_path / "web.pid") as stranger:
        leader = replace(recorded(tmp_path / "web.pid"), started="another time")
        assert orphans.end([leader]) == 0
        assert stranger.poll() is None


@pytest.mark.skipif(shutil.which("ps") is None, reason="a machine without ps has /proc")
def test_ps_tells_the_same_where_there_is_no_proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_table, "_HAS_PROC", False)
    with process(tmp_path / "web.pid", PARENT) as leader:
        started = process_table.started(leader.pid)
        assert started
        assert process_table.started(leader.pid) == started
        child = next(pid for pid in process_table.group(leader.pid) if pid != leader.pid)
        mark = f"{orphans.MARK}={recorded(tmp_path / 'web.pid').mark}"
        assert process_table.environment_holds(child, mark)
        assert not process_table.environment_holds(child, mark + "0")
        os.kill(child, signal.SIGKILL)
    assert process_table.started(leader.pid) is None
    assert process_table.group(leader.pid) == []


def test_a_stale_or_senseless_pid_file_names_nobody(tmp_path: Path) -> None:
    with process(tmp_path / "web.pid") as gone:
        leader = recorded(tmp_path / "web.pid")
        gone.kill()
    assert not leader.is_alive()
    (tmp_path / "web.pid").write_text("12 34 56\n")
    assert orphans.recorded(tmp_path / "web.pid") is None
    assert orphans.recorded(tmp_path / "missing.pid") is None


@pytest.mark.parametrize("arguments", [[], ["mial"], ["mail", "beat"]])
def test_a_mistyped_worker_is_refused_with_the_list_of_names(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "workers", *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "mail|payments|timers|beat" in done.stderr


def test_each_worker_serves_the_queue_it_is_named_after() -> None:
    for queue in QUEUES:
        words = command(queue)
        assert words[words.index("-Q") + 1] == queue
    assert "beat" in command("beat")
