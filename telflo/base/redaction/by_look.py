"""PURE. Finding secrets by their look anywhere in a text: comments, strings, text that is no YAML."""

import re
from collections.abc import Iterator

from telflo.base.redaction.masking import MASK, Span
from telflo.base.redaction.names import SECRET_WORDS, is_secret_name

# The look-behind lets a match begin at the start of a word only, and open repetitions that wait for a closing sign
# are bounded: both keep the search linear.
_KEY = rf"(?<![\w.-])(?P<key>[\w.-]*(?:{SECRET_WORDS}))[\"']?"
_ASSIGNED = re.compile(rf"(?i){_KEY}=(?P<value>[^\s&;,'\"<>]+)")
_NAMED = re.compile(
    rf"(?i){_KEY}[ \t]*:[ \t]+"
    r"(?P<value>\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'|[^\s,}\]#|>&*!{\[\"'][^,}\]\n]*)"
)
_DEFAULT = re.compile(
    rf"(?i)(?P<value>\$\{{(?:env:)?(?P<key>\w*(?:{SECRET_WORDS})):-[^${{}}\n]*\}})"
)
_ANYWHERE = (
    # https://user:password@host, and one whose password holds a slash
    re.compile(r"://(?P<value>[^\s/@'\"<>]{1,400})@"),
    re.compile(r"://(?P<value>[^\s/@:'\"<>]{1,200}:[^\s@'\"<>]{1,200})@"),
    # user:password@tcp(host:3306), as Go's MySQL driver writes it
    re.compile(r"(?<![\w:@/.-])(?P<value>[\w.-]{1,100}:[^\s@'\"/<>]{1,200})@(?:tcp|udp|unix)\("),
    # a key in the query of an address (Azure's shared access signatures, Google's API keys)
    re.compile(r"(?i)[?&;](?:sig|key|code|auth|pass)=(?P<value>[^\s&;,'\"<>#]+)"),
    # Sumo Logic's collectors: who has the address may send to it
    re.compile(r"sumologic\.com/receiver/v\d/[a-z]{1,20}/(?P<value>[\w=+-]+)"),
    # curl -u user:password; numbers alone are a user and a group
    re.compile(
        r"(?<!\S)(?:-u|--user)[ \t=]{0,3}[\"']?"
        r"(?P<value>(?!\d{1,10}:\d{1,10}(?!\S))[^\s:/\"']{1,100}:[^\s\"']{1,200})"
    ),
    # a word that follows a scheme is a credential when it has a digit or is long
    re.compile(
        r"(?i)\b(?:bearer|basic)[ \t]+(?P<value>(?=[a-z+/=_.~-]*\d|[\w+/=.~-]{20})[\w+/=.~-]{8,})"
    ),
    # addresses of ours that let somebody in: quick-deploy codes, invitations
    re.compile(r"/install/(?P<value>[A-Za-z0-9]{16,})"),
    re.compile(r"/accounts/link/(?P<value>[\w-]{16,})"),
    re.compile(
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?P<value>[^-]*(?:-(?!----END)[^-]*)*)"
        r"(?:-----END|\Z)"
    ),
)
# Any key (`some_key: …`), whose value is looked at too: most are names of attributes.
_ANY_KEY = re.compile(
    r"(?i)(?<![\w.-])[\w.-]*key[\"']?[ \t]*[:=][ \t]*[\"']?(?P<value>[\w+/=.~-]{20,})"
)
_RANDOM = re.compile(r"[0-9a-fA-F-]{24,}|(?=[^A-Z]*[A-Z])(?=[^a-z]*[a-z])(?=\D*\d)[\w+/=~-]+")
# Credentials that are known by their prefix.
_BY_PREFIX = re.compile(
    r"(?<![\w-])(?P<value>tlf_[a-z]_[\w-]+|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|gh[pousr]_\w{20,}"
    r"|github_pat_\w{20,}|glsa_\w{20,}|glc_[\w=+/-]{20,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}"
    r"|NRAK-\w{20,}|AIza[\w-]{30,}|sk-[\w-]{20,}|hooks\.slack\.com/services/[\w/]+)"
)
# All but those by prefix need one of these: most labels, names and versions have none.
_SIGNS = re.compile(r"[=:@/$ \t]")
_NO_SECRET = {"true", "false", "null", "~", MASK}


def spans_by_look(text: str) -> Iterator[Span]:
    """Where `text` holds credentials by their form: URLs, schemes, prefixes, PEM keys, `password=…`, `token: …`."""
    yield from (match.span("value") for match in _BY_PREFIX.finditer(text))
    if _SIGNS.search(text) is None:
        return
    for pattern in _ANYWHERE:
        yield from (match.span("value") for match in pattern.finditer(text))
    for match in _ANY_KEY.finditer(text):
        if _RANDOM.fullmatch(match["value"]):
            yield match.span("value")
    for pattern in (_ASSIGNED, _DEFAULT, _NAMED):
        yield from _by_name(text, pattern)


def _by_name(text: str, pattern: re.Pattern[str]) -> Iterator[Span]:
    line_end = comment = -1
    for match in pattern.finditer(text):
        start, end = match.span("value")
        if match["value"].strip().lower() in _NO_SECRET or not is_secret_name(match["key"]):
            continue
        if start > line_end:
            comment, line_end = _line_of(text, start)
        # In a comment nothing closes a value but the end of the line.
        yield start, line_end if 0 <= comment < start else end


def _line_of(text: str, offset: int) -> Span:
    """Where the first # of the line of `offset` is (-1: nowhere), and where the line ends."""
    line_end = text.find("\n", offset)
    line_end = len(text) if line_end < 0 else line_end
    return text.find("#", text.rfind("\n", 0, offset) + 1, line_end), line_end
