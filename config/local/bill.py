"""The software bill of materials: `python -m config.local.bill FILE`, CycloneDX 1.6 in JSON.

What a deployment installs, with the hashes of the lock file, and the scripts of others that lie in this repository.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from config.local.procfile import PATH as PROCFILE

ROOT = PROCFILE.parent
SPECIFICATION = "1.6"
SAYS = re.compile(r"(\S+) (\S+) from npm, licence ([^,]+),")
COMMAND = (
    *(sys.executable, "-m", "cyclonedx_py", "requirements", "requirements.txt", "--pyproject", "pyproject.toml"),
    *("--spec-version", SPECIFICATION, "--output-format", "JSON", "--output-reproducible"),
)


def main(arguments: Sequence[str]) -> int:
    """Raises where the bill would not be a valid one."""
    bill = json.loads(subprocess.run(COMMAND, cwd=ROOT, check=True, capture_output=True).stdout)  # noqa: S603 -- the words above
    bill["components"] += [vendored(path) for path in sorted(ROOT.glob("backend/**/vendor/*/VERSION"))]
    text = json.dumps(bill, indent=2)
    _validate(text)
    path = Path(arguments[0])
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{text}\n")
    sys.stdout.write(f"{len(bill['components'])} components in {path}\n")
    return 0


def vendored(path: Path) -> dict[str, Any]:
    """What a VERSION file says: `name version from npm, licence MIT, …`, and a line with the digest of each file."""
    first, *files = path.read_text().splitlines()
    name, version, licence = SAYS.match(first).groups()  # type: ignore[union-attr]  # a test holds each file to it
    address = f"pkg:npm/{quote(name, safe='/')}@{version}"
    return {
        "bom-ref": address,
        "type": "library",
        "name": name,
        "version": version,
        "purl": address,
        "licenses": [{"license": {"id": licence}}],
        "components": [_file(address, *line.split()) for line in files],
    }


def _file(address: str, digest: str, name: str) -> dict[str, Any]:
    return {
        "bom-ref": f"{address}#{name}",
        "type": "file",
        "name": name,
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }


def _validate(text: str) -> None:
    from cyclonedx.schema import SchemaVersion  # only where requirements-security.txt is installed
    from cyclonedx.validation.json import JsonStrictValidator

    if error := JsonStrictValidator(SchemaVersion.from_version(SPECIFICATION)).validate_str(text):
        raise ValueError(f"not CycloneDX: {error}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
