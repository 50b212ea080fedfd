"""`make lint-image` passes what we ship and names what is wrong with a Dockerfile or a compose.yaml."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings

ROOT: Final = Path(settings.BASE_DIR)
FILES: Final = ("Dockerfile", "compose.yaml")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """The real target, on the files of another folder."""
    programs = Path(sys.executable).parent
    made = str(programs.parent / ".dev")
    here = ["make", "--silent", "-C", str(folder), "-f", str(ROOT / "Makefile"), "-o", made]
    command = [*here, f"VENV={programs.parent}", "lint-image"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Both files as they are shipped."""
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_what_is_shipped_passes(folder: Path) -> None:
    done = lint(folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("file", "right", "wrong", "words"),
    [
        ("Dockerfile", "WORKDIR /build", "WORKDIR build", "DL3000"),
        ("Dockerfile", "RUN useradd", "RUN echo $HOME && useradd", "SC2086"),
        ("Dockerfile", "EXPOSE 8000", "EXPSE 8000", "expecting"),
        ("compose.yaml", "stop_grace_period:", "stop_grace_periode:", "stop_grace_periode"),
        ("compose.yaml", "retries: 20", "retries: [20]", "is not of type"),
    ],
)
def test_what_is_wrong_is_named(
    folder: Path, file: str, right: str, wrong: str, words: str
) -> None:
    text = (folder / file).read_text()
    assert right in text
    (folder / file).write_text(text.replace(right, wrong, 1))
    done = lint(folder)
    assert done.returncode != 0
    assert words in done.stdout + done.stderr
