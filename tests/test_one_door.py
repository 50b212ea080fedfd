"""I6: each side effect has one door. Read from the source, since a second door would work all the same."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("telflo", "notices", "configs", "agents", "fleets", "opamp")
WRITES = {
    "create",
    "bulk_create",
    "update",
    "bulk_update",
    "get_or_create",
    "update_or_create",
    "delete",
}
BULK_WRITES = {"insert_rows", "update_rows"}
DOORS: dict[str, str | tuple[str, ...]] = {
    "AgentStatus": "agents/store/",
    "AgentEvent": "agents/store/",
    "Rollout": "fleets/rollouts/engine/",
    "Stage": "fleets/rollouts/engine/",
    "Target": "fleets/rollouts/engine/",
    "Attempt": "fleets/rollouts/engine/",
    "Quarantine": "fleets/rollouts/engine/",
    "Activity": "telflo/base/activity.py",
    "Notice": ("notices/outbox.py", "notices/delivering.py"),  # made; marked as spread
}


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def _root_of(node: ast.expr) -> str:
    """The first name of a chain such as Target.objects.filter(…).update."""
    while isinstance(node, ast.Attribute | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _writes(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in WRITES
        ):
            yield _root_of(node.func), node.lineno
        elif isinstance(node, ast.Call) and _root_of(node.func) in BULK_WRITES:
            yield _root_of(node.args[0]), node.lineno


@pytest.mark.rule("I6")
def test_hot_rows_rollouts_and_the_record_are_written_by_one_package_each() -> None:
    strangers = [
        f"{path}:{line} writes {model}"
        for path, tree in _modules()
        for model, line in _writes(tree)
        if model in DOORS and not path.startswith(DOORS[model])
    ]
    assert strangers == []


@pytest.mark.rule("I6")
def test_each_door_is_used() -> None:
    used = {model for _, tree in _modules() for model, _ in _writes(tree)}
    assert set(DOORS) - used <= {"Activity", "Stage", "Rollout"}
    assert {"Target", "Attempt", "Quarantine"} <= used


@pytest.mark.rule("I6")
def test_only_the_notifier_and_the_sockets_know_the_channel_layer() -> None:
    speakers = {
        path
        for path, tree in _modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"group_send", "send_group"}
    }
    assert speakers == {"telflo/base/hints.py"}


@pytest.mark.rule("I6")
def test_only_the_plan_names_the_transitions_of_a_rollout() -> None:
    tables = {
        path
        for path, tree in _modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and any(
            isinstance(target, ast.Name) and target.id == "TRANSITIONS"
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        )
    }
    assert tables == {"fleets/rollouts/plan.py"}
