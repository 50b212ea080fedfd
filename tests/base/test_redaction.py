"""The redactor masks secrets wherever YAML can hide them, and keeps the layout."""

import random

import pytest
import yaml

from telflo.base.redaction import MASK, redact_line, redact_mapping, redact_text


def redacted(text: str) -> str:
    result = redact_text(text)
    assert result.count("\n") == text.count("\n")
    return result


@pytest.mark.parametrize(
    "text",
    [
        "token: hunter2",
        "token: 'hunter2'",
        'token: "hunter2" # why',
        "{token: hunter2, endpoint: x}",
        '{"token": "hunter2"}',
        "client_secret: &s hunter2",
        "x: &s hunter2\nclientSecret: *s",
        "creds: &c {a: hunter2}\nauthorization: *c",
        "password: |\n  hunter2\n  hunter2 again\nnext: 1",
        "password: >-\n\n  hunter2\nnext: 1",
        "password:\n  hunter2\n  and hunter2",
        "password: !!str hunter2",
        "headers:\n  X-Any: hunter2",
        "headers: {X-Any: hunter2}",
        "headers:\n- {name: X-Any, value: hunter2}",
        "headers: ['X-Any: hunter2']",
        "additional_headers:\n  X-Any: Bearer hunter2",
        "bearertokenauth:\n  tokens: [hunter2, hunter2]",
        "authorization:\n  type: Bearer\n  credentials: hunter2",
        "actions:\n- {key: api_token, value: hunter2, action: insert}",
        "env:\n- value: hunter2\n  name: API_KEY",
        "api_key: abc${env:X}hunter2",
        "api_key: ${env:X:-hunter2}",
        "a: ${env:API_KEY:-hunter2}",
        "url: https://user:hunter2@example.com/x",
        "url: https://hunter2@example.com/x",
        "url: https://user:hun/hunter2@example.com/x",
        "url: https://example.com/x?api_key=hunter2&x=1",
        "a: user:hunter2@tcp(db:3306)/x",
        "datasource: host=db user=x password=hunter2",
        "# token: hunter2",
        "a: 1 # password: hunter2, hunter2",
        "a: |\n  token: hunter2\n",
        "a: Bearer hunter2hunter2",
        "pem: |\n  -----BEGIN RSA PRIVATE KEY-----\n  hunter2\n  hunter2\n  -----END RSA PRIVATE KEY-----\n",
        'pem: "-----BEGIN PRIVATE KEY-----\\nhunter2\\n-----END PRIVATE KEY-----"',
        "pem: |\n  -----BEGIN PRIVATE KEY-----\n  hunter2",
        "a: [unclosed\ntoken: hunter2",
        "a: [unclosed\nheaders:\n  X-Any: hunter2\n  Y: hunter2",
        "a: [unclosed\npassword: |\n  hunter2\n  hunter2: 1\nb: 1",
        "a: [unclosed\n- token: hunter2",
        "\ttoken: hunter2",
        "exporters:\n  datadog:\n    api:\n      site: x\n      key: hunter2\n",
        "exporters: {datadog: {api: {site: x, key: hunter2}}}",
        "a: [unclosed\napi:\n  site: x\n  key: hunter2",
        "# key: hunter2hunter2A4hunter2",
        "error: 'POST with key 1, key=0123456789abcdef0123hunter2Ab refused'",
        "some_key: 0123456789abcdefABChunter2",
        "app_key: hunter2",
        "ssh_key: hunter2",
        "license: hunter2",
        "license_key: hunter2",
        "new_relic.licence: hunter2",
        "instana: {agent_key: hunter2}",
        "redis:\n  auth: hunter2",
        "a: [unclosed\nauth: hunter2",
        "url: https://x.blob.core.windows.net/c?sv=2022-11-02&sig=hunter2%3D",
        "url: https://x.blob.core.windows.net/c?sig=hunter2&sv=2022-11-02",
        "url: https://example.com/v1?key=hunter2",
        "url: https://x.azurewebsites.net/api/f?code=hunter2",
        "error: 'Get \"https://example.com/v1?x=1&key=hunter2\": EOF'",
        "endpoint: https://collectors.sumologic.com/receiver/v1/http/hunter2aQ==",
        "endpoint: https://open-collectors.sumologic.com/receiver/v1/otlp/hunter2/v1/logs",
        "# try curl -u me:hunter2 https://example.com",
        "a: curl -sS --user 'me:hunter2' https://example.com",
        "a: curl -ume:hunter2 https://example.com",
    ],
)
def test_a_secret_does_not_show(text: str) -> None:
    result = redacted(text)
    assert "hunter2" not in result
    assert MASK in result
    assert redact_text(result) == result


@pytest.mark.parametrize(
    "text",
    [
        "token: ${env:TOKEN}",
        'token: "${TOKEN}"',
        "authorization: Bearer ${env:TOKEN}",
        "headers:\n  authorization: 'Basic ${env:BASIC}'",
        "password: ${file:/etc/secret}",
        "password:",
        "password: ''",
        "password: null",
        "include_token: true",
        "token_file: /etc/token",
        "token_url: https://example.com/token",
        "key_file: /etc/key.pem",
        "max_tokens: 5",
        "receivers:\n  otlp:\n    protocols: {grpc: {endpoint: 0.0.0.0:4317}}",
        "exporters:\n  otlp: {endpoint: https://example.com:4317}",
        "cors: {allowed_headers: [X-Any]}",
        "actions:\n- {key: region, value: eu, action: insert}",
        "authenticator: bearertokenauth",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "# basic authentication is off",
        "url: postgres://${env:U}:${env:P}@db/x",
        "actions:\n- key: deployment.environment\n  action: upsert\n  value: eu",
        "actions:\n- {action: delete, key: http.request.header.authenticated_user_2}",
        "a: [unclosed\napi: {}\nactions:\n- key: region",
        "api:\n  actions: {inner: {key: region}}",
        "api: {site: datadoghq.eu, key: '${env:DD_KEY}'}",
        "from_attribute: k8s_pod_annotation_key_of_something_long",
        "key: k8s.pod.labels.app-kubernetes-io-name-1",
        "auth:\n  authenticator: oauth2client",
        "auth: {authenticator: oidc}",
        "# License: Apache 2.0",
        "key_file: /etc/ssl/AbC0123456789abcdefgh.key",
        "user: docker run -u 1000:1000 x",
        "url: https://example.com/?page=1&keys=2&signal=3",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text


def test_masked_yaml_is_still_yaml_of_the_same_shape() -> None:
    text = (
        'exporters:\n  otlp:\n    headers: {authorization: "Bearer abc"} # keep\n'
        "    key_pem: |\n      -----BEGIN PRIVATE KEY-----\n      abc\n      -----END PRIVATE KEY-----\n"
        "    endpoint: a:1\n"
    )
    result = redacted(text)
    assert result == (
        f'exporters:\n  otlp:\n    headers: {{authorization: "Bearer {MASK}"}} # keep\n'
        f"    key_pem: |\n      {MASK}\n      {MASK}\n      {MASK}\n"
        "    endpoint: a:1\n"
    )
    assert yaml.safe_load(result)["exporters"]["otlp"]["endpoint"] == "a:1"


def test_the_default_of_a_reference_is_masked_and_its_name_kept() -> None:
    assert redact_text("token: ${env:T:-abc}") == f"token: ${{env:T:-{MASK}}}"


def test_carriage_returns_and_wide_characters_do_not_shift_the_mask() -> None:
    assert redact_text("ä😀: 1\r\ntoken: abc\r\nb: 2\r\n") == f"ä😀: 1\r\ntoken: {MASK}\r\nb: 2\r\n"


def test_json_values_are_masked_by_the_same_names() -> None:
    before = {
        "name": "x",
        "token": "abc",
        "headers": {"X": "abc", "Y": ["abc"]},
        "nested": [{"password": "abc", "ok": 1}],
        "env": [{"name": "API_KEY", "value": "abc"}],
        "url": "https://u:abc@h/",
        "yaml": "a: 1\ntoken: abc\n",
        "secret": None,
    }
    result = redact_mapping(before)
    assert "abc" not in str(result)
    assert result["nested"][0]["ok"] == 1
    assert result["secret"] is None
    assert before["token"] == "abc"


def test_a_log_line_loses_its_bearer_token() -> None:
    line = redact_line("GET /x Authorization: Bearer tlf_u_abc123abc123abc from 10.0.0.1")
    assert "abc123" not in line
    assert line.endswith("from 10.0.0.1") or MASK in line


@pytest.mark.parametrize(
    "text",
    [
        "a-" * 100_000,
        "://" * 60_000,
        "x:" * 100_000,
        "[" * 100_000,
        "token: " * 20_000,
        "-----BEGIN PRIVATE KEY-----\n" * 6_000,
        "a: &a [x]\nb: [" + "*a," * 30_000 + "]",
        "bearer " + "a" * 200_000,
        "key=key=A1a" * 20_000 + ".",
        "key: " * 60_000,
        "?key=" * 60_000,
        "-u a:" * 60_000,
        "${env:token:-" * 10_000,
    ],
)
def test_hostile_text_keeps_its_lines(text: str) -> None:
    assert redact_text(text).count("\n") == text.count("\n")


def test_any_text_can_be_redacted() -> None:
    chooser = random.Random(4)
    alphabet = "ab:-#'\"{}[]|>&*!\n\t \r,=@/${}\u2028\x00é😀token"
    for _ in range(2000):
        redacted("".join(chooser.choices(alphabet, k=chooser.randint(0, 60))))


def test_json_values_below_api_and_auth_are_masked_as_in_yaml() -> None:
    before = {"datadog": {"api": {"site": "x", "key": "abc"}}, "redis": {"auth": "abc"}}
    assert redact_mapping(before) == {
        "datadog": {"api": {"site": "x", "key": MASK}},
        "redis": {"auth": MASK},
    }
    kept = {"actions": [{"key": "region", "action": "delete"}], "auth": {"authenticator": "oidc"}}
    assert redact_mapping(kept) == kept
