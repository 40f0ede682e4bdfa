"""The Dockerfile by rules that hadolint has, too, and against the rest of the repository; no image is built."""

import json
import re
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def instructions(text: str) -> list[tuple[str, str]]:
    """(NAME, arguments) with continued lines joined and comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [
        (name.upper(), rest.strip())
        for name, _, rest in (line.partition(" ") for line in joined.splitlines() if line)
    ]


def complaints(text: str) -> list[str]:
    """Which rules a Dockerfile breaks."""
    found, steps = [], instructions(text)
    stages = [i for i, (name, _) in enumerate(steps) if name == "FROM"]
    for name, rest in steps:
        image = rest.split()[0]
        if name == "FROM" and not re.search(r":\d[\w.]*-[\w-]+$", image):
            found.append("base image without a version")
        if name == "FROM" and "slim" not in image:
            found.append("base image is not slim")
        if name == "ADD":
            found.append("ADD instead of COPY")
        if name == "RUN":
            found += _of_run(rest)
        if name in ("CMD", "ENTRYPOINT") and not rest.startswith("["):
            found.append("a shell between Docker and the program")
        if name == "WORKDIR" and not rest.startswith("/"):
            found.append("relative WORKDIR")
        if name in ("ENV", "ARG") and re.search(r"(?i)(secret|password|token|access_key)\w*\s*=", rest):
            found.append("a secret in the image")
    last = steps[stages[-1] :]
    users = [rest for name, rest in last if name == "USER"]
    if not users or users[-1].split(":")[0] in ("root", "0"):
        found.append("runs as root")
    if not any(name == "HEALTHCHECK" and rest != "NONE" for name, rest in last):
        found.append("no health check")
    if len(stages) < 2:
        found.append("built in the image that runs")
    return found


def _of_run(rest: str) -> list[str]:
    found = []
    if "apt-get install" in rest:
        if "--no-install-recommends" not in rest:
            found.append("recommended packages come along")
        if "rm -rf /var/lib/apt/lists" not in rest or "apt-get update" not in rest:
            found.append("lists of packages stay in a layer")
        if not re.search(r"apt-get install[^&]*(-y|--yes)", rest):
            found.append("apt-get waits for an answer")
    if re.search(r"pip (install|wheel)(?![^&]*--no-cache-dir)", rest):
        found.append("pip's cache stays in a layer")
    if re.search(r"\b(curl|wget)\b.*\|\s*(ba)?sh\b", rest):
        found.append("a script from the network")
    if re.search(r"\bsudo\b", rest):
        found.append("sudo")
    return found


def test_the_dockerfile_breaks_no_rule() -> None:
    assert complaints(TEXT) == []


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("python:3.11-slim-bookworm AS", "python:latest AS", "base image without a version"),
        ("python:3.11-slim-bookworm AS", "python:3.11-bookworm AS", "base image is not slim"),
        ("COPY conf", "ADD conf", "ADD instead of COPY"),
        (" --no-install-recommends", "", "recommended packages come along"),
        (" && rm -rf /var/lib/apt/lists/*", " && true", "lists of packages stay in a layer"),
        (" --yes", "", "apt-get waits for an answer"),
        (
            "install --no-cache-dir --constraint /tmp/constraints.txt --find",
            "install --find",
            "pip's cache stays in a layer",
        ),
        ('CMD ["nm-studio"', "CMD nm-studio #", "a shell between Docker and the program"),
        ("WORKDIR /data", "WORKDIR data", "relative WORKDIR"),
        ("USER mastering", "USER root", "runs as root"),
        ("USER mastering\n", "", "runs as root"),
        ("PYTHONUNBUFFERED=1", "AWS_SECRET_ACCESS_KEY=x", "a secret in the image"),
        ("HEALTHCHECK", "LABEL", "no health check"),
    ],
)
def test_each_rule_finds_what_it_is_about(old: str, new: str, rule: str) -> None:
    assert old in TEXT and rule in complaints(TEXT.replace(old, new, 1))


def test_what_is_copied_exists_and_goes_into_the_build() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        part
        for name, rest in instructions(TEXT)
        if name == "COPY" and "--from" not in rest
        for part in rest.split()[:-1]
    }
    assert copied == kept and all((ROOT / part).exists() for part in copied)
    package_data = {"README.md", "LICENSE", "pyproject.toml", "conf", "neural_mastering"}
    assert package_data <= copied


def test_it_installs_and_starts_what_the_project_has() -> None:
    extras = set(re.findall(r"neural-mastering\[([\w,]+)\]", TEXT)[0].split(","))
    assert extras <= set(PROJECT["project"]["optional-dependencies"])
    command = json.loads(next(rest for name, rest in instructions(TEXT) if name == "CMD"))
    assert command[0] in PROJECT["project"]["scripts"]
    port = next(
        re.search(r"NM_STUDIO_PORT=(\d+)", rest) for name, rest in instructions(TEXT) if "NM_STUDIO" in rest
    )
    assert port is not None and command[command.index("--port") + 1] == port[1]
    versions = {tuple(map(int, v)) for v in re.findall(r"FROM python:(\d+)\.(\d+)", TEXT)}
    least = re.search(r"(\d+)\.(\d+)", PROJECT["project"]["requires-python"])
    assert len(versions) == 1 and least is not None and min(versions) >= tuple(map(int, least.groups()))


class _Answer(BaseHTTPRequestHandler):
    code = 403

    def do_GET(self) -> None:
        self.send_response(self.code)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.mark.parametrize(
    ("code", "healthy"), [(200, True), (401, True), (403, True), (500, False), (None, False)]
)
def test_the_health_check_tells_a_studio_that_answers(
    tmp_path: Path, code: int | None, healthy: bool
) -> None:
    rest = next(rest for name, rest in instructions(TEXT) if name == "HEALTHCHECK")
    words = json.loads(rest[rest.index("[") :])
    (tmp_path / "cmdline").write_bytes(b"python\0/usr/local/bin/nm-studio\0")
    server = HTTPServer(("127.0.0.1", 0), type("Answer", (_Answer,), {"code": code}))
    if code is None:
        server.server_close()
    else:
        threading.Thread(target=server.handle_request, daemon=True).start()
    environment = {"NM_STUDIO_PORT": str(server.server_port), "NM_COMMAND_LINE": str(tmp_path / "cmdline")}
    done = subprocess.run([sys.executable, *words[1:]], env=environment, capture_output=True, check=False)
    assert (done.returncode == 0) == healthy
    (tmp_path / "cmdline").write_bytes(b"python\0/usr/local/bin/nm-batch\0")
    assert subprocess.run([sys.executable, *words[1:]], env=environment, check=False).returncode == 0
    server.server_close()
