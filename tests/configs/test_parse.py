"""Parsing: exact places, faults in words for people, and bounded work on hostile text."""

import pytest

from configs.collector.errors import ParseError
from configs.collector.limits import Limits
from configs.collector.nodes import Alias, Mapping, Scalar, Sequence, resolved
from configs.collector.parse import parse, read


def fault(source: str | bytes, limits: Limits | None = None) -> ParseError:
    with pytest.raises(ParseError) as caught:
        parse(source, limits or Limits())
    return caught.value


class TestPlaces:
    TEXT = "receivers:\n  otlp: {a: 'ä😀', b: [1, x]} # why\r\nservice:\n  text: |\n    one\n    two\n\n"

    def test_every_key_and_value_knows_where_it_stands(self) -> None:
        root = parse(self.TEXT).root
        otlp = root.get("receivers")
        assert isinstance(otlp, Mapping)
        inner = otlp.get("otlp")
        assert isinstance(inner, Mapping)
        quoted, items = inner.get("a"), inner.get("b")
        assert isinstance(quoted, Scalar)
        assert isinstance(items, Sequence)
        assert (quoted.value, quoted.style) == ("ä😀", "'")
        assert (quoted.span.line, quoted.span.column, quoted.span.end_column) == (2, 13, 17)
        assert self.TEXT[quoted.span.start : quoted.span.end] == "'ä😀'"
        assert [(node.span.line, node.span.column) for node in items] == [(2, 23), (2, 26)]
        service = root.entries[1]
        assert (service.name, service.key.span.line, service.key.span.column) == ("service", 3, 1)

    def test_a_block_ends_with_its_last_part(self) -> None:
        root = parse("service:\n  a: 1\n\n# end\nreceivers:\n").root
        service = root.get("service")
        assert isinstance(service, Mapping)
        assert (service.span.line, service.span.end_line, service.span.end_column) == (2, 2, 7)

    def test_an_alias_shares_its_target_and_is_not_expanded(self) -> None:
        root = parse("receivers: &r {otlp: }\nexporters: *r\n").root
        alias = root.get("exporters")
        assert isinstance(alias, Alias)
        assert resolved(alias) is root.get("receivers")
        assert (alias.span.line, alias.span.column) == (2, 12)

    def test_scalars_stay_as_written(self) -> None:
        root = parse("service: {a: 0o17, b: yes, c: !!str 5, d: , e: ~, f: ''}").root
        service = root.get("service")
        assert isinstance(service, Mapping)
        values = [entry.value for entry in service.entries]
        assert all(isinstance(value, Scalar) for value in values)
        texts = [(value.value, value.is_null) for value in values if isinstance(value, Scalar)]
        assert texts == [
            ("0o17", False),
            ("yes", False),
            ("5", False),
            ("", True),
            ("~", True),
            ("", False),
        ]

    def test_a_byte_order_mark_is_dropped(self) -> None:
        document = parse("\ufeffservice:\n".encode())
        assert document.text == "service:\n"
        assert document.root.entries[0].key.span.column == 1

    def test_another_byte_order_mark_is_text(self) -> None:
        section = parse("service: {b: a\ufeffb} # \ufeff").root.get("service")
        assert isinstance(section, Mapping)
        value = section.get("b")
        assert isinstance(value, Scalar)
        assert value.value == "a\ufeffb"

    def test_a_single_quote_may_be_escaped_in_double_ones(self) -> None:
        """Go's yaml has this escape; libyaml has not."""
        value = parse("service: {b: \"a\\'\\\\/b\", c: 'd\\/'}").root.get("service")
        assert isinstance(value, Mapping)
        one, other = (entry.value for entry in value.entries)
        assert isinstance(one, Scalar)
        assert isinstance(other, Scalar)
        assert (one.value, one.span.column, one.span.end_column) == ("a'\\/b", 14, 23)
        assert (other.value, other.span.column) == ("d\\/", 28)


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("receivers:\n  a: b: c", "unexpected-colon", 2, 7),
        ("service:\n\tb: 1", "tab", 2, 1),
        ("service: [1, 2\n", "unclosed-list", 1, 10),
        ("service: {b: 1\n\n", "unclosed-map", 1, 10),
        ("service:\n  x: 'abc\n\n\n", "unclosed-quote", 2, 6),
        ('service: "\\q"', "bad-escape", 1, 11),
        ('service: "a\\/b"', "bad-escape", 1, 12),
        ('service: {a: "\\\\/", b: "c\n  \\\\\\/"}', "bad-escape", 2, 5),
        ('service: "\\\'\\/"', "bad-escape", 1, 13),
        ("receivers: {a: {grpc:, http:}}", "missing-blank", 1, 21),
        ("receivers:\n  a: [\n", "unclosed", 3, 1),
        ("service:\n<<<<<<< yours\n  b: 1\n=======\n  b: 2\n>>>>>>> hers\n", "merge-mark", 2, 1),
        ("service: @x", "bad-start", 1, 10),
        ("service: `x`", "bad-start", 1, 10),
        ("service: %x", "bad-start", 1, 10),
        ("service: &", "bad-anchor", 1, 11),
        ("service: >x\n y", "bad-block", 1, 11),
        ("service: - a", "unexpected-dash", 1, 10),
        ("service: ]", "missing-value", 1, 10),
        ("service:\n  b: 1\n c: 2", "bad-indentation", 3, 2),
        ("service: *x", "unknown-alias", 1, 10),
        ("service: &a [*a]", "alias-loop", 1, 14),
        ("service: {{x}}: 1", "bad-key", 1, 11),
        ("service: {~: 1}", "bad-key", 1, 11),
        ("service: 1\n---\nservice: 2", "several-documents", 2, 1),
        ("service: {}\n...\nb: 2", "several-documents", 3, 1),
        ("service: {}\n---\n]", "several-documents", 2, 1),
        ("receivers:\n  a: &a [1]\n  b: {<<: *a}", "bad-merge", 3, 11),
        ("receivers: {<<: [{}, x]}", "bad-merge", 1, 22),
        ("%YAML 1.2\n---\nservice: {}", "bad-directive", 1, 1),
        ("service: \x00", "bad-character", 1, 10),
        ("service:\n  \x07", "bad-character", 2, 3),
        ("- a", "not-a-map", 1, 1),
        ("hello", "not-a-map", 1, 1),
        ("receiver:\n", "unknown-section", 1, 1),
        ("receivers: []", "bad-section", 1, 1),
        ("", "empty", 0, 0),
        ("# only a comment\n", "empty", 0, 0),
        ("{}", "empty", 0, 0),
        ("null", "empty", 0, 0),
    ],
)
def test_a_fault_has_a_code_and_a_place(text: str, code: str, line: int, column: int) -> None:
    error = fault(text)
    assert (error.code, error.line, error.column) == (code, line, column)
    assert error.findings[0].line == line
    assert not line or str(error).startswith(f"Line {line}, column {column}: ")


def test_a_key_set_twice_names_both_places() -> None:
    error = fault("receivers:\r\n  otlp:\r\n  nop:\r\n  otlp: 1\r\n")
    assert (error.code, error.line, error.column) == ("duplicate-key", 4, 3)
    assert "line 2, column 3" in error.message


def test_an_unknown_section_is_answered_with_the_near_one() -> None:
    assert "receivers?" in fault("Recievers: {}").message


@pytest.mark.parametrize(
    "text", ["service::telemetry: {}", "receivers: ${env:R}", "? service\n: {}", "exporters:"]
)
def test_what_collectors_read_is_not_refused(text: str) -> None:
    parse(text)


class TestEncoding:
    def test_a_byte_that_is_not_utf8_has_its_place(self) -> None:
        error = fault("a: ä\nb: ".encode() + b"\xff")
        assert (error.code, error.line, error.column) == ("bad-encoding", 2, 4)

    def test_utf16_is_named(self) -> None:
        assert "UTF-16" in fault("service:".encode("utf-16")).message


class TestHostileText:
    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("receivers: &a {}\nexporters: {x: [" + "*a," * 600_000 + "]}", "too-many-aliases"),
            ("service: " + "[" * 1_000_000, "too-deep"),
            ("service: " + "{a: " * 400_000, "too-deep"),
            ("- " * 1_000_000, "too-deep"),
            ("service: [" + "a," * 900_000, "too-many-values"),
            ("a" * 2_000_000 + ": 1", "unexpected-colon"),
            ("service: '" + "\n" * 2_000_000, "unclosed-quote"),
        ],
    )
    def test_it_is_refused_by_a_limit(self, text: str, code: str) -> None:
        assert fault(text).code == code

    def test_a_billion_laughs_are_not_laughed(self) -> None:
        lines = ["receivers:", "  a0: &a0 [x,x,x,x,x,x,x,x,x]"]
        lines += [f"  a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 60)]
        assert fault("\n".join(lines)).code == "too-many-aliases"

    def test_depth_is_counted_through_aliases_and_paths(self) -> None:
        chain = ["receivers:", "  a0: &a0 " + "[" * 50 + "]" * 50]
        chain += [f"  a{n}: &a{n} {'[' * 20}*a{n - 1}{']' * 20}" for n in range(1, 50)]
        assert fault("\n".join(chain)).code == "too-deep"
        assert fault("receivers: {" + "a::" * 100 + "b: 1}").code == "too-deep"
        assert fault("receivers: {a::b::c: {d::e: {f: 1}}}", Limits(depth=6)).code == "too-deep"
        parse("receivers: {a::b::c: {d::e: {f: 1}}}", Limits(depth=7))

    def test_20_mb_are_refused_before_parsing(self) -> None:
        assert fault(b"service: " + b"[" * 20_000_000).code == "too-large"
        assert fault("service: " + "[" * 20_000_000).code == "too-large"

    def test_the_limits_can_be_set(self) -> None:
        assert fault("service: [1, 2, 3]", Limits(nodes=4)).code == "too-many-values"
        parse("service: {a: [1, 2]}", Limits(nodes=7, depth=3))


class TestReading:
    """What a validator looks at is what a collector reads, even where no version may be saved of it."""

    def test_the_first_document_alone_is_read(self) -> None:
        document = read("service: {} # kept\n---\nreceivers: [")
        assert document.text.endswith("receivers: [")
        assert [entry.name for entry in document.root.entries] == ["service"]
        assert document.rest is not None
        assert (document.rest.line, document.rest.column) == (2, 1)

    def test_unknown_sections_are_left_to_the_rules(self) -> None:
        assert read("recievers: {}").root.entries[0].name == "recievers"
        assert read("service: {}").rest is None
