"""PURE. Regular expressions as Go reads them: what it certainly refuses, and the names of groups."""

import re
from typing import Final

_GROUP: Final = re.compile(r"\?(?:P?<(?P<name>[^>]*)>|(?P<flags>[imsU-]*)(?P<end>[:)]))")
_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_LONGEST: Final = 5_000


def regex_fault(text: str) -> str:
    """What is wrong with it, as a part of a sentence; "" where nothing is certain."""
    if len(text) > _LONGEST:
        return ""
    depth, at, repeats = 0, 0, False
    while at < len(text):
        sign = text[at]
        fault = ""
        following = at + 1
        if sign == "\\":
            fault, following = _escape(text, at)
        elif sign == "[":
            following = _class_end(text, at)
            fault = "" if following else "a [ is never closed"
        elif sign == "(":
            fault, following = _opening(text, at)
            depth += 1
        elif sign == ")":
            depth -= 1
            fault = "" if depth >= 0 else "a ) closes nothing"
        elif sign in "*+?":
            fault = "" if repeats else f"{sign} has nothing to repeat"
        if fault:
            return fault
        repeats, at = sign not in "(|", following
    return "a ( is never closed" if depth else ""


def group_names(text: str) -> list[str]:
    """The names of its groups; "" for those without."""
    found = []
    at = 0
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text[at] == "[":
            at = _class_end(text, at) or len(text)
        else:
            if text[at] == "(":
                group = _GROUP.match(text, at + 1)
                if group is None:
                    found.append("")
                elif group["name"] is not None:
                    found.append(group["name"])
            at += 1
    return found


def _escape(text: str, at: int) -> tuple[str, int]:
    sign = text[at + 1 : at + 2]
    if not sign:
        return "it ends with a backslash", at + 1
    if sign == "Q":
        end = text.find("\\E", at)
        return "", len(text) if end < 0 else end + 2
    if sign in "123456789":
        return "Go has no references to groups such as \\1", at + 2
    known = sign in "AabBCdDEfnpPrsStvwWxz0" or not sign.isalnum()
    return ("" if known or not sign.isascii() else f"there is no escape \\{sign}"), at + 2


def _opening(text: str, at: int) -> tuple[str, int]:
    if text[at + 1 : at + 2] != "?":
        return "", at + 1
    found = _GROUP.match(text, at + 1)
    if found is None:
        return "Go has no groups that begin with " + text[at : at + 4], at + 1
    if found["name"] is not None and not _NAME.fullmatch(found["name"]):
        return f'a group cannot be called "{found["name"][:20]}"', at + 1
    # `(?i)` has no end of its own: its bracket is looked at next.
    return "", found.end() - (found["end"] == ")")


def _class_end(text: str, at: int) -> int:
    """Behind the ] of a class; 0 where there is none."""
    inside = at + 1 + (text[at + 1 : at + 2] == "^")
    inside += text[inside : inside + 1] == "]"
    while inside < len(text) and text[inside] != "]":
        if text[inside] == "\\":
            inside += 2
        elif text.startswith("[:", inside) and ":]" in text[inside + 2 :]:
            inside = text.index(":]", inside + 2) + 2
        else:
            inside += 1
    return inside + 1 if inside < len(text) else 0
