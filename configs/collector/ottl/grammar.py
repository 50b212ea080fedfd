"""PURE. OTTL's grammar: from tokens to a tree. What was read at a place is remembered, so that work stays bounded."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from configs.collector.ottl.fault import OttlError
from configs.collector.ottl.tokens import Token, tokens_of

LONGEST: Final = 500
"""Tokens of a statement that is looked at."""
DEEPEST: Final = 60
"""Levels of brackets."""


@dataclass(frozen=True, slots=True)
class Node:
    """kind: call, path, enum, text, int, float, bool, nil, bytes, list, map, math, lambda, name, argument, condition ·
    text: of a call, path (its names with dots), enum, argument: its name; of a single value: as written.
    """

    kind: str
    at: int
    text: str = ""
    children: tuple["Node", ...] = ()

    def all(self) -> Iterator["Node"]:
        """Itself and all below."""
        yield self
        for child in self.children:
            yield from child.all()


class TooLargeError(Exception):
    """Nobody writes such a statement; nothing is known about it."""


def statement(text: str) -> Node:
    """A function call, with a condition or without. Raises OttlError, and TooLargeError."""
    return _Parser(text).whole(_Parser.statement)


def condition(text: str) -> Node:
    """Something that is true or false. Raises OttlError, and TooLargeError."""
    return _Parser(text).whole(_Parser.alternatives)


Found = Node | None
_Rule = Callable[["_Parser"], Found]


def _remembered(rule: _Rule) -> _Rule:
    """A rule that leaves the place as it was where it does not fit, and is tried once at each place."""

    def tried(parser: "_Parser") -> Found:
        key = (rule.__name__, parser.at)
        if key not in parser.known:
            start = parser.at
            found = rule(parser)
            parser.known[key] = found, parser.at if found else start
        found, parser.at = parser.known[key]
        return found

    tried.__name__ = rule.__name__
    return tried


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = tokens_of(text)
        self.length = len(text)
        self.at = self.farthest = 0
        self.known: dict[tuple[str, int], tuple[Found, int]] = {}
        depth = deepest = 0
        for token in self.tokens:
            depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(token.text, 0)
            deepest = max(deepest, depth)
        if len(self.tokens) > LONGEST or deepest > DEEPEST:
            raise TooLargeError

    def whole(self, rule: _Rule) -> Node:
        found = rule(self)
        if found is None or self.at < len(self.tokens):
            raise self._fault()
        return found

    def _fault(self) -> OttlError:
        if self.farthest >= len(self.tokens):
            return OttlError("it ends too early", self.length)
        token = self.tokens[self.farthest]
        return OttlError(f'it cannot be read from "{token.text[:20]}" on', token.at)

    @_remembered
    def statement(self) -> Found:
        call = self.call("lower") or self.call("upper")
        if call is None:
            return None
        if not self._take("lower", "where"):
            return call
        clause = self.alternatives()
        return clause and Node("statement", call.at, children=(call, clause))

    @_remembered
    def alternatives(self) -> Found:
        return self._chain("or", _Parser.term)

    @_remembered
    def term(self) -> Found:
        return self._chain("and", _Parser.truth)

    @_remembered
    def truth(self) -> Found:
        self._take("not")
        return self.comparison() or self.constant() or self._inside("(", _Parser.alternatives, ")")

    @_remembered
    def comparison(self) -> Found:
        left = self.value()
        if left is None or not self._take("compare"):
            return None
        right = self.value()
        return right and Node("condition", left.at, children=(left, right))

    @_remembered
    def constant(self) -> Found:
        return self._leaf("bool") or self.call("upper")

    @_remembered
    def value(self) -> Found:
        return (
            self._leaf("nil")
            or self._alone()
            or self.lambda_()
            or self.math()
            or self._leaf("bytes")
            or self._leaf("text")
            or self._leaf("bool")
            or self.enum()
            or self.mapped()
            or self.listed()
        )

    @_remembered
    def enum(self) -> Found:
        token = self._take("upper")
        if token is None or self._peek("lower"):
            return None
        return Node("enum", token.at, token.text)

    @_remembered
    def lambda_(self) -> Found:
        start = self._take("sign", "(")
        while start and (self._take("lower") or self._take("blank")):
            self._take("sign", ",")
        if start is None or not self._take("sign", ")") or not self._take("arrow"):
            return None
        body = self._before(_Parser.value, "or", "and", "compare") or self.alternatives()
        return body and Node("lambda", start.at, children=(body,))

    @_remembered
    def math(self) -> Found:
        return self._sum("add", _Parser.product)

    @_remembered
    def product(self) -> Found:
        return self._sum("multiply", _Parser.factor)

    @_remembered
    def factor(self) -> Found:
        self._take("add")
        return self.literal() or self._inside("(", _Parser.math, ")")

    @_remembered
    def literal(self) -> Found:
        return (
            self.call("lower")
            or self.call("upper")
            or self._leaf("float")
            or self._leaf("int")
            or self.path()
        )

    @_remembered
    def path(self) -> Found:
        first = self._take("lower")
        if first is None:
            return None
        names, keys = [first.text], list(self._keys())
        while self._take("sign", "."):
            name = self._take("lower")
            if name is None:
                return None
            names.append(name.text)
            keys += self._keys()
        return Node("path", first.at, ".".join(names), tuple(keys))

    @_remembered
    def listed(self) -> Found:
        start = self._take("sign", "[")
        if start is None:
            return None
        items = []
        while item := self.value():
            items.append(item)
            if not self._take("sign", ","):
                break
        return Node("list", start.at, children=tuple(items)) if self._take("sign", "]") else None

    @_remembered
    def mapped(self) -> Found:
        start = self._take("sign", "{")
        if start is None:
            return None
        items = []
        while self._take("text"):
            item = self.value() if self._take("sign", ":") else None
            if item is None:
                return None
            items.append(item)
            self._take("sign", ",")
        return Node("map", start.at, children=tuple(items)) if self._take("sign", "}") else None

    @_remembered
    def argument(self) -> Found:
        start = self.at
        name = self._name("lower")
        if name is None or not self._take("equal"):
            self.at, name = start, None
        value = self._argued() or self._named()
        return value and Node("argument", value.at, name.text if name else "", (value,))

    def call(self, case: str) -> Found:
        """A function with its arguments. case: of its first letter."""
        start = self.at
        name = self._name(case)
        if name is None or not self._take("sign", "("):
            self.at = start
            return None
        arguments = []
        while found := self.argument():
            arguments.append(found)
            if not self._take("sign", ","):
                break
            if self._peek("sign", ")"):
                self.farthest = max(self.farthest, self.at)
                self.at = start
                return None
        if not self._take("sign", ")"):
            self.at = start
            return None
        keys = tuple(self._keys())
        return Node("call", name.at, name.text, (*arguments, *keys))

    def _argued(self) -> Found:
        return self._before_end(_Parser.value)

    def _named(self) -> Found:
        name = self._name("upper")
        return None if name is None else Node("name", name.at, name.text)

    def _before_end(self, rule: _Rule) -> Found:
        """What the rule finds, where the argument ends behind it."""
        start = self.at
        found = rule(self)
        if found and (self._peek("sign", ",") or self._peek("sign", ")")):
            return found
        self.farthest = max(self.farthest, self.at)
        self.at = start
        return None

    def _before(self, rule: _Rule, *kinds: str) -> Found:
        """What the rule finds, unless one of these follows."""
        start = self.at
        found = rule(self)
        if found and not any(self._peek(kind) for kind in kinds):
            return found
        self.at = start
        return None

    def _alone(self) -> Found:
        return self._before(_Parser.literal, "add", "multiply")

    def _keys(self) -> Iterator[Node]:
        while self._peek("sign", "["):
            start = self.at
            key = self._inside("[", _Parser.key, "]")
            if key is None:
                self.at = start
                return
            yield key

    @_remembered
    def key(self) -> Found:
        return (
            self._closed(self._leaf("text"))
            or self._closed(self._leaf("int"))
            or self.math()
            or self.literal()
        )

    def _closed(self, found: Found) -> Found:
        if found and not self._peek("sign", "]"):
            self.at -= 1
            return None
        return found

    def _chain(self, word: str, rule: _Rule) -> Found:
        return self._joined("condition", word, rule)

    def _sum(self, sign: str, rule: _Rule) -> Found:
        return self._joined("math", sign, rule)

    def _joined(self, kind: str, between: str, rule: _Rule) -> Found:
        """One or more of what the rule finds, with this token between them."""
        parts = []
        while part := rule(self):
            parts.append(part)
            if not self._take(between):
                return parts[0] if len(parts) == 1 else Node(kind, parts[0].at, "", tuple(parts))
        return None

    def _inside(self, opening: str, rule: _Rule, closing: str) -> Found:
        found = rule(self) if self._take("sign", opening) else None
        return found if found and self._take("sign", closing) else None

    def _leaf(self, kind: str) -> Found:
        token = self._take(kind)
        return None if token is None else Node(kind, token.at, token.text)

    def _name(self, case: str) -> Token | None:
        """A function's name: it may be of several tokens, such as `Is` and `Match`."""
        first = self._take(case)
        if first is None:
            return None
        name = first.text
        while more := self._take("upper") or self._take("lower"):
            name += more.text
        return Token(case, name, first.at)

    def _peek(self, kind: str, text: str | None = None) -> bool:
        token = self.tokens[self.at] if self.at < len(self.tokens) else None
        return token is not None and token.kind == kind and text in (None, token.text)

    def _take(self, kind: str, text: str | None = None) -> Token | None:
        if not self._peek(kind, text):
            self.farthest = max(self.farthest, self.at)
            return None
        self.at += 1
        return self.tokens[self.at - 1]
