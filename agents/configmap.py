"""The canonical hash of an AgentConfigMap: what offers, effective configurations and quarantine refer to.

Pure. Two maps have one hash exactly when their file names, content types and bodies are the same, in any order.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

from agents.snapshot import ConfigFile

_IN_ONE_GO: Final = 2_047
"""hashlib lets other threads run while it takes a longer part, and the loop that answers agents would wait for them for
as long as they please: a hundred times what it takes to hash the part."""


def configmap_sha256(files: Iterable[ConfigFile]) -> str:
    """SHA-256 (lower-case hex) of the files, each part length-prefixed so that no two maps collide."""
    digest = hashlib.sha256()
    for entry in sorted(files, key=lambda file: file.name):
        for part in (entry.name.encode(), entry.content_type.encode(), entry.body):
            digest.update(len(part).to_bytes(8, "big"))
            for start in range(0, len(part), _IN_ONE_GO):
                digest.update(part[start : start + _IN_ONE_GO])
    return digest.hexdigest()
