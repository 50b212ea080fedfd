"""Files that describe components, of a folder or of a git repository without a work tree."""

import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from configs.catalog.errors import CatalogError
from configs.catalog.sources.running import run

METADATA: Final = "metadata.yaml"
SCHEMA: Final = "config.schema.yaml"
_SECONDS: Final = 300
_LARGEST: Final = 4 * 2**20


def described(root: Path, names: Sequence[str], revision: str = "HEAD") -> Mapping[str, str]:
    """The texts of all files below a root that have one of these names, by their paths from there.

    root: a folder, or a git directory · revision: of a git directory. Raises CatalogError when it is neither.
    """
    if is_git(root):
        return _of_git(root, names, revision)
    if not root.is_dir():
        raise CatalogError(f"{root} is no folder.")
    found = (path for name in names for path in root.rglob(name) if path.is_file())
    return {
        path.relative_to(root).as_posix(): path.read_text(errors="replace")
        for path in found
        if "testdata" not in path.parts
    }


def is_git(root: Path) -> bool:
    """Whether it is a git directory without a work tree."""
    return (root / "objects").is_dir() and (root / "HEAD").is_file()


def git(root: Path, *words: str) -> bytes:
    """What git says about a git directory. Raises CatalogError with its words."""
    done = run("git", ["--git-dir", str(root.resolve()), *words], folder=root, seconds=_SECONDS)
    if done.code != 0:
        raise CatalogError(f"git cannot read {root}: {done.words.strip()}")
    return done.out


def _of_git(root: Path, names: Sequence[str], revision: str) -> Mapping[str, str]:
    listed = (
        git(root, "ls-tree", "-r", "--name-only", revision).decode(errors="replace").split("\n")
    )
    there = {path.rpartition("/")[2] for path in listed}.intersection(names)
    if not there:
        return {}
    patterns = [f":(glob)**/{name}" for name in sorted(there)]
    archive_of = ("archive", "--format=tar", revision, "--", *patterns)
    found: dict[str, str] = {}
    with tarfile.open(fileobj=io.BytesIO(git(root, *archive_of))) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.size < _LARGEST else None
            if content is not None and "testdata" not in member.name.split("/"):
                found[member.name] = content.read().decode(errors="replace")
    return found


def parsed(text: str | None) -> Any:
    """What a YAML text holds; None for no text, and for one that cannot be read."""
    try:
        return None if text is None else yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return None
