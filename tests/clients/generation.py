"""The two clients, made from docs/openapi.yaml into var/clients/, and the examples checked against their types."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from config.local.console import say
from tests.demo.commands import ROOT

DOCS, EXAMPLES, CLIENTS = ROOT / "docs", ROOT / "docs" / "examples", ROOT / "var" / "clients"
PYTHON, TYPESCRIPT = CLIENTS / "python", CLIENTS / "typescript"
NODE_AT_LEAST = 20
GENERATOR = (
    str(Path(sys.executable).with_name("openapi-python-client")),
    *("generate", "--meta", "none", "--overwrite", "--fail-on-warning"),
)
GENERATE_WITHIN = 600  # seconds; npm asks its registry


class MissingError(Exception):
    """What this machine lacks; says how to get it."""


def check_tools() -> None:
    """Raises MissingError."""
    if not Path(GENERATOR[0]).exists():
        raise MissingError("openapi-python-client is not installed: make clients installs it, from its own lock file.")
    said = ""
    if shutil.which("node") and shutil.which("npm"):
        said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    version = re.match(r"v(\d+)\.", said)
    if version is None or int(version[1]) < NODE_AT_LEAST:
        raise MissingError(
            f"The TypeScript client needs Node {NODE_AT_LEAST} or newer with npm; here is {said or 'none'}.\n"
            "Debian: apt install nodejs npm. Nothing else of this project asks for it."
        )


def make_python() -> None:
    """Also staff's, which no example uses: that their description can be read is seen by it."""
    for name, package in (("openapi", "mindsettler"), ("openapi-staff", "mindsettler_staff")):
        config = PYTHON / f"{package}.yaml"
        config.parent.mkdir(parents=True, exist_ok=True)
        general = (EXAMPLES / "python" / "generator.yaml").read_text()
        config.write_text(general.replace("package_name_override: mindsettler", f"package_name_override: {package}"))
        shutil.rmtree(PYTHON / package, ignore_errors=True)
        paths = ["--path", str(DOCS / f"{name}.yaml"), "--output-path", str(PYTHON / package)]
        _run([*GENERATOR, "--config", str(config), *paths])


def make_typescript() -> None:
    """In a folder as a client's developer would have it: the example, the packages it names, and the types."""
    shutil.copytree(EXAMPLES / "typescript", TYPESCRIPT, dirs_exist_ok=True)
    shutil.copy(DOCS / "openapi.yaml", TYPESCRIPT)
    shutil.copy(DOCS / "openapi-staff.yaml", TYPESCRIPT)
    _run(["npm", "ci", "--no-audit", "--no-fund"], TYPESCRIPT)
    _run(["npm", "run", "--silent", "generate"], TYPESCRIPT)
    _run(["npm", "run", "--silent", "generate-staff"], TYPESCRIPT)


def check_types() -> None:
    """By mypy in its strict form, and by tsc, which also translates."""
    paths = os.pathsep.join((str(PYTHON), str(EXAMPLES / "python")))
    mypy = [sys.executable, "-m", "mypy", "--config-file=", "--strict", "--follow-imports=silent"]
    files = [str(EXAMPLES / "python" / "book.py"), str(EXAMPLES / "chatbot.py")]
    _run([*mypy, "--cache-dir", str(CLIENTS / "mypy"), *files], MYPYPATH=paths)
    _run(["npm", "run", "--silent", "build"], TYPESCRIPT)


def _run(command: list[str], folder: Path = ROOT, **environment: str) -> None:
    """Show what is run, and what it says. Raises CalledProcessError, TimeoutExpired."""
    say(f"$ {' '.join(command).replace(f'{ROOT}/', '')}")
    subprocess.run(command, cwd=folder, env=os.environ | environment, check=True, timeout=GENERATE_WITHIN)
