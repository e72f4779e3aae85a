"""`redact`: every shape of secret goes, everything that only looks like one stays."""

import random
import string
import subprocess
import sys
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_memory.redaction import redact, scanner
from mcp_memory.redaction.scanner import work_of
from mcp_memory.redaction.table import TABLE

ALNUM = string.ascii_letters + string.digits
_random = random.Random(20_261_122)


def chars(count: int, alphabet: str = ALNUM) -> str:
    """Return random characters with a digit, an upper and a lower case letter among them where the alphabet has such."""
    while True:
        text = "".join(_random.choices(alphabet, k=count))
        if alphabet is not ALNUM or (any(c.isdigit() for c in text) and any(c.islower() for c in text) and any(c.isupper() for c in text)):
            return text


HEX = "0123456789abcdef"
JWT = f"eyJ{chars(30)}.eyJ{chars(60)}.{chars(43)}"
TOKENS = {
    f"sk-{chars(48)}": "openai-api-key",
    f"sk-proj-{chars(74)}T3BlbkFJ{chars(74)}": "openai-api-key",
    f"sk-svcacct-{chars(40)}": "openai-api-key",
    f"sk-or-v1-{chars(64, HEX)}": "openai-api-key",
    f"sk-ant-api03-{chars(93)}AA": "anthropic-api-key",
    f"AKIA{chars(16, string.ascii_uppercase + '234567')}": "aws-access-key-id",
    f"ASIA{chars(16, string.ascii_uppercase + '234567')}": "aws-access-key-id",
    f"ghp_{chars(36)}": "github-token",
    f"gho_{chars(36)}": "github-token",
    f"ghs_{chars(36)}": "github-token",
    f"github_pat_{chars(22)}_{chars(59)}": "github-token",
    f"glpat-{chars(20)}": "gitlab-token",
    f"xoxb-{chars(12, string.digits)}-{chars(12, string.digits)}-{chars(24)}": "slack-token",
    f"xoxp-{chars(12, string.digits)}-{chars(32, HEX)}": "slack-token",
    f"sk_live_{chars(24)}": "stripe-key",
    f"rk_test_{chars(24)}": "stripe-key",
    f"whsec_{chars(32)}": "stripe-key",
    f"AIza{chars(35)}": "google-api-key",
    f"ya29.{chars(120)}": "google-oauth-token",
    f"npm_{chars(36)}": "npm-token",
    f"pypi-AgEIcHlwaS5vcmc{chars(120)}": "pypi-token",
    f"hf_{chars(34)}": "huggingface-token",
    f"SG.{chars(22)}.{chars(43)}": "sendgrid-key",
    f"SK{chars(32, HEX)}": "twilio-key",
    f"dop_v1_{chars(64, HEX)}": "digitalocean-token",
    f"hvs.{chars(90)}": "vault-token",
    f"{chars(10, string.digits)}:AA{chars(33)}": "telegram-token",
    JWT: "jwt",
}


@pytest.mark.parametrize(("token", "rule"), TOKENS.items(), ids=[f"{rule}-{i}" for i, rule in enumerate(TOKENS.values())])
@pytest.mark.parametrize(
    "frame", ["{}", "the key {} was used", '{{"a": ["{}"]}}', "x={}\n", "log: {}, next", "'{}'", "https://x.test/?k={}"]
)
def test_a_token_is_replaced_by_its_rules_name_wherever_it_stands(token: str, rule: str, frame: str) -> None:
    text, found = redact(frame.format(token))
    assert text == frame.format(f"[redacted:{rule}]")
    assert list(found) == [rule]


def test_an_aws_secret_key_goes_with_its_key_id() -> None:
    secret = chars(40)
    text, found = redact(f"AKIA{chars(16, string.ascii_uppercase)} {secret} us-east-1")
    assert text == "[redacted:aws-access-key-id] [redacted:aws-secret-key] us-east-1"
    assert set(found) == {"aws-access-key-id", "aws-secret-key"}


@pytest.mark.parametrize("kind", ["RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY", "EC PRIVATE KEY", "PGP PRIVATE KEY BLOCK"])
@pytest.mark.parametrize("line_end", ["\n", "\\n", "\r\n"])
def test_a_private_key_goes_as_a_whole(kind: str, line_end: str) -> None:
    body = line_end.join(chars(64) for _ in range(25))
    pem = line_end.join([f"-----BEGIN {kind}-----", body, f"-----END {kind}-----"])
    assert redact(f"before\n{pem}\nafter")[0] == "before\n[redacted:private-key]\nafter"


def test_a_private_key_that_was_cut_off_goes_too_and_the_text_after_it_stays() -> None:
    text, _ = redact("-----BEGIN RSA PRIVATE KEY-----\n" + "\n".join(chars(64) for _ in range(5)) + "\n... output cut, see the file")
    assert text == "[redacted:private-key]\n... output cut, see the file"


def test_the_words_begin_private_key_alone_are_no_secret() -> None:
    text = "The file must start with -----BEGIN PRIVATE KEY----- and have Unix line ends, says the manual."
    assert redact(text) == (text, ())


NAMED = [
    ('password = "hunter2"', "password", "hunter2"),
    ("password: hunter2", "password", "hunter2"),
    ("Password: 'Tr0ub4dor&3'", "password", "Tr0ub4dor&3"),
    ('password: str = "swordfish"', "password", "swordfish"),
    ('"password": "correct horse battery staple"', "password", "correct horse battery staple"),
    ("DB_PASSWORD=swordfish", "password", "swordfish"),
    ("export PGPASSWORD=s(e)cret;1", "password", "s(e)cret;1"),
    ("MYSQL_PASS=abcd", "password", "abcd"),
    ('{"output": "A=1\\nDB_PASSWORD=swordfish\\nB=2"}', "password", "swordfish"),
    ("https://x.test/login?user=bob&password=swordfish&next=1", "password", "swordfish"),
    ("the password is hunter2 and", "password", "hunter2"),
    ("mysql --host x --password hunter2 db", "password", "hunter2"),
    ("mysql --password=hunter2 db", "password", "hunter2"),
    ("<password>hunter2</password>", "password", "hunter2"),
    ('api_key = "a8f5f167f44f4964e6c998dee827110c"', "secret-key", "a8f5f167f44f4964e6c998dee827110c"),
    ("API key: a8f5f167f44f4964e6c998dee827110c", "secret-key", "a8f5f167f44f4964e6c998dee827110c"),
    ('{"apiKey":"zK3jf9dk2lsd9fQ"}', "secret-key", "zK3jf9dk2lsd9fQ"),
    ('{\\"api_key\\": \\"zK3jf9dk2lsd9fQ\\"}', "secret-key", "zK3jf9dk2lsd9fQ"),
    ('os.environ["SERVICE_API_KEY"] = "zK3jf9dk2lsd9fQ"', "secret-key", "zK3jf9dk2lsd9fQ"),
    ("X-Api-Key: zK3jf9dk2lsd9fQ", "secret-key", "zK3jf9dk2lsd9fQ"),
    ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG+bPxRfiCYz8q2LmN0Pa", "aws-secret-key", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYz8q2LmN0Pa"),
    ("client_secret=zK3jf9dk2lsd9fQ", "secret-key", "zK3jf9dk2lsd9fQ"),
    ("JWT_SECRET=zK3jf9dk2lsd9fQ", "secret-key", "zK3jf9dk2lsd9fQ"),
    ("token = 'zK3jf9dk2lsd9fQ7'", "secret", "zK3jf9dk2lsd9fQ7"),
    ("Authorization: Bearer zK3jf9dk2lsd9fQ", "authorization-header", "zK3jf9dk2lsd9fQ"),
    ('"authorization": "Basic Ym9iOmh1bnRlcjI="', "authorization-header", "Ym9iOmh1bnRlcjI="),
    ("curl -H 'x: y' -u bob:hunter2 http://x.test", "curl-user", "hunter2"),
    ("using bearer zK3jf9dk2lsd9fQ7 for it", "bearer-token", "zK3jf9dk2lsd9fQ7"),
    ("postgres://bob:hunter2@db.test:5432/app", "url-password", "hunter2"),
    ("git clone https://x-access-token:zK3jf9dk2@github.test/a/b", "url-password", "zK3jf9dk2"),
]


@pytest.mark.parametrize(("text", "rule", "secret"), NAMED, ids=[text[:40] for text, _, _ in NAMED])
def test_a_value_named_a_secret_is_replaced_and_the_rest_of_the_text_stays(text: str, rule: str, secret: str) -> None:
    assert redact(text) == (text.replace(secret, f"[redacted:{rule}]"), (rule,))


HARMLESS = [
    "commit 3f786850e387550fdab836ed7e6dc881de23001b by bob",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "md5 d41d8cd98f00b204e9800998ecf8427e  a.txt",
    "integrity sha512-" + "z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
    "VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIHRoZSBsYXp5IGRvZw==",
    "0199c8f2-7a51-7c3e-9d44-3b1f0a2c5e6d",
    "episode_id: 0199c8f2-7a51-7c3e-9d44-3b1f0a2c5e6d",
    "max_tokens=4096, prompt_tokens: 1234, tokens: 17",
    "next_page_token: CAUQAA1234567890abcdef",
    "password: must be at least 8 characters",
    '{"password": ["This field is required."], "token": "invalid"}',
    "def login(self, password: str, token: str | None = None) -> Token:",
    "login(password=password, token=self.token, secret=settings.SECRET_KEY)",
    "password = os.environ['DB_PASSWORD']",
    "api_key = os.getenv('OPENAI_API_KEY')",
    "API_KEY=${API_KEY} TOKEN=$TOKEN PASSWORD=<your-password> SECRET=***",
    "PWD=/home/bob/project OLDPWD=/tmp",
    "/etc/passwd:root:x:0:0:root:/root:/bin/bash",
    "tests/test_password.py::test_reset2 PASSED [ 12%] pass: 120.5ms, passed: 12",
    "password_min_length=12 PASSWORD_FILE=/run/secrets/pw token_count: 55 SECRET_NAME=db",
    "sk-learn-style estimators and scikit-learn==1.7.2, task-abcdefghijklmnop1234567890",
    "risk-assessment-of-the-whole-system-2026-and-beyond",
    "key: value, primary key: id, foreign_key=users.id, keyboard: qwerty",
    "https://x.test:8443/a/b@2.0.1?x=1 and user@host.test:22",
    "docker pull registry.test:5000/app@sha256:" + "0" * 64,
    "Bearer authentication is required; the Authorization header was missing",
    "The secret of the island is that token gestures are rarely enough",
    "/usr/lib/python3.11/site-packages/sqlalchemy/engine/base.py:1965",
    "asyncpg.exceptions.UndefinedTableError: relation users does not exist",
    "AKIA is the prefix of AWS keys, ghp_ that of GitHub tokens and sk- that of OpenAI's",
]


@pytest.mark.parametrize("text", HARMLESS, ids=[text[:40] for text in HARMLESS])
def test_a_text_that_only_looks_like_a_secret_stays_the_same_object(text: str) -> None:
    clean, found = redact(text)
    assert clean is text
    assert not found


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("mysql -u root -phunter22 -h db", "hunter22"),
        ("mysqldump -p'two words' app > dump.sql", "two words"),
        ("sshpass -p 'hunter22' ssh bob@host", "hunter22"),
        ("docker login -u bob -p hunter22 registry.example.com", "hunter22"),
        ("machine api.example.com login bob password hunter22", "hunter22"),
        ('{"auths": {"ghcr.io": {"auth": "Ym9iOmh1bnRlcjIy"}}}', "Ym9iOmh1bnRlcjIy"),
        ("Set-Cookie: session=3c9f0a7e51d2b846aa10; HttpOnly", "3c9f0a7e51d2b846aa10"),
        ("Cookie: theme=dark; sid=3c9f0a7e51d2b846aa10; lang=en", "3c9f0a7e51d2b846aa10"),
    ],
)
def test_what_common_programs_are_given_as_a_password_goes(text: str, secret: str) -> None:
    clean, found = redact(text)
    assert secret not in clean
    assert len(found) == 1


@pytest.mark.parametrize(
    "text",
    [
        "mysql -u root -p",
        "mysql -P 3306 -h db -p app",
        "sshpass -p $PASS ssh bob@host",
        "docker login -u bob -p $TOKEN",
        "docker run -p 8080:80 web",
        '{"auth": "none"}',
        '{"auth": "basicAuthentication"}',
        "Cookie: theme=dark; lang=en",
    ],
)
def test_the_same_programs_without_a_password_stay(text: str) -> None:
    assert redact(text) == (text, ())


def test_a_path_before_a_named_secret_does_not_hide_it() -> None:
    clean, found = redact("cd /home/bob/project DB_PASSWORD=hunter2! run; cat /etc/passwd:root:x")
    assert clean == "cd /home/bob/project DB_PASSWORD=[redacted:password] run; cat /etc/passwd:root:x"
    assert found == ("password",)


def test_our_own_ids_survive() -> None:
    for _ in range(500):
        text = f"{uuid.UUID(int=_random.getrandbits(128))} {chars(40, HEX)} {chars(64, HEX)} {chars(12, HEX)}"
        assert redact(text) == (text, ())


_PIECES = st.one_of(
    st.text(max_size=20),
    st.sampled_from(sorted(TOKENS)),
    st.sampled_from([text for text, _, _ in NAMED]),
    st.sampled_from(HARMLESS),
    st.sampled_from(
        [" ", "\n", "=", ": ", '"', "'", "password", "API_KEY=", "token=", "[redacted:password]", "://a:", "@h", "--", "&", "\\"]
    ),
)


@given(st.lists(_PIECES, max_size=8).map("".join))
@settings(max_examples=300, deadline=None)
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = redact(text)[0]
    assert redact(once) == (once, ())


@given(st.text(alphabet="aA1İßé\n =:\"'", max_size=40), st.sampled_from(sorted(TOKENS)))
@settings(max_examples=200, deadline=None)
def test_letters_that_grow_in_lower_case_do_not_shift_what_is_cut(before: str, token: str) -> None:
    assert token not in redact(f"{before} İİ {token} İ password='hunter2'")[0]
    assert "hunter2" not in redact(f"{before} İİ {token} İ password='hunter2'")[0]


SLOW_PIECES = [k for rule in TABLE for k in rule.keywords] + ["password", "token=", "key: ", "'", '"', "\n", " ", ";", "a", "1", "@", "://"]
SLOW = {
    "cookies": "Cookie: " + "; ".join(f"name{i}=value {i}" for i in range(30)) * 200,
    "names": "password" * 12_500,
    "names and separators": "password = " * 9_000,
    "quotes": "token='" * 14_000,
    "open quote": 'secret="' + "\\" * 100_000,
    "pem headers": "-----BEGIN PRIVATE KEY-----" * 3_700,
    "pem without end": "-----BEGIN PRIVATE KEY-----\n" + ("A" * 64 + "\n") * 1_500,
    "pem of n": "-----BEGIN PRIVATE KEY-----" + "\\n" * 50_000,
    "urls": "://a:" * 20_000,
    "long userinfo": "://" + "a" * 50_000 + ":" + "b" * 50_000,
    "jwt heads": "eyJhhhhhhhhh." * 7_700,
    "sk": "sk-" * 33_000,
    "flags": "--token " * 12_500,
    "spaces": "api_key" + " " * 90_000 + "=",
    "bearer": "bearer " * 14_000,
    "curl": "curl -u " * 12_000,
    "words": "key token secret " * 6_000,
    "base64": "AKIAAAAAAAAAAAAAAAAA " + "aB3/" * 25_000,
    "one word": "a" * 100_000,
    "key types": '"kty"' * 20_000,
}


@pytest.mark.parametrize("text", SLOW.values(), ids=SLOW.keys())
def test_the_work_on_a_text_is_bounded_by_its_length(text: str) -> None:
    spent, bound = work_of(text)
    assert bound <= 1_200 + len(text) // 30
    assert spent <= bound + 1_000  # the try that goes over the bound is the last


def test_a_place_that_is_looked_at_in_vain_counts_by_how_far_the_look_went() -> None:
    for far in ('"kty" ' + "ordinary words " * 190, "mysql " + "ordinary words " * 12):
        assert work_of(far)[0] >= len(far) // 150, far[:10]


@given(st.lists(st.sampled_from(sorted({*SLOW_PIECES})), min_size=1, max_size=4))
@settings(max_examples=100, deadline=None)
def test_no_mixture_of_telling_words_takes_more_work_than_its_length_allows(pieces: list[str]) -> None:
    piece = "".join(pieces)
    spent, bound = work_of(piece * (20_000 // len(piece)))
    assert spent <= bound + 1_000


@pytest.mark.parametrize("line", ["sk-bot ", "machine ", "ssws clojars_\n", "the login machine: "])
def test_a_long_text_of_words_that_secrets_begin_with_is_judged_to_its_end(line: str) -> None:
    text = line * (100_000 // len(line))
    assert redact(text) == (text, ())
    assert redact(f"{text}\nghp_{'a1B2' * 9}")[1] == ("github-token",)


def test_beyond_the_bound_the_rest_of_a_text_is_masked_and_not_let_through() -> None:
    text = "start " + "token=a " * 20_000 + "password=hunter2!"
    clean, found = redact(text)
    assert clean.startswith("start ")
    assert "hunter2!" not in clean
    assert "unjudged" in found


@pytest.mark.parametrize("count", range(8))
def test_what_stands_before_the_bound_was_judged_by_every_rule(count: int) -> None:
    later = ["redis-cli ", "curl ", "whsec_ ", "ghp_ ", "AKIA ", "hf_ ", "sk-ant- "][
        :count
    ]  # each rule before the one of the line above it
    ahead = "DB_PASSWORD=hunter2!\n" + "\n".join(word * 12 for word in later)
    for flood in ("://a:b@c://x ", "token=a "):
        clean, found = redact(ahead + flood * 20_000)
        assert "hunter2!" not in clean
        assert "unjudged" in found
        assert clean.startswith("DB_PASSWORD=[redacted:password]\n")


def test_a_long_line_about_passwords_is_judged_to_its_end() -> None:
    line = "the page to reset a password asks for the new password, mails the old login of the account, and forgets the password. " * 90
    assert redact(line) == (line, ())


@pytest.mark.parametrize("text", ["echo root:hunter22 | chpasswd", "https://3f786850e387550fdab836ed7e6dc881@sentry.test/1"])
def test_a_marker_is_not_taken_for_a_secret_itself(text: str) -> None:
    clean, found = redact(text)
    assert len(found) == 1
    assert clean.count("[redacted:") == 1
    assert redact(clean) == (clean, ())


@pytest.mark.parametrize("before", ["[redacted:", "[redacted:x ", "[redacted:password-", "see [redacted: and "])
def test_what_only_begins_like_a_marker_hides_no_secret(before: str) -> None:
    token = f"ghp_{chars(36)}"
    assert token not in redact(f"{before}{token}")[0]
    assert "hunter2!" not in redact(f"{before} DB_PASSWORD=hunter2!")[0]


def test_where_each_look_uncovers_another_secret_the_rest_is_masked_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"card 4111111111111111r8_{chars(37)} and ordinary words after it"
    assert redact(text)[0] == "card [redacted:card-number][redacted:replicate-token] and ordinary words after it"
    monkeypatch.setattr(scanner, "_MAX_ROUNDS", 2)
    assert redact(text)[0] == "card [redacted:card-number][redacted:replicate-token]"


COOKIES = "Cookie: " + "; ".join(f"pref_{i}=value-{i}" for i in range(30)) + "\n"


def test_thirty_cookies_a_dozen_times_take_work_in_proportion_to_their_length_and_stay() -> None:
    text = COOKIES * 12
    assert len(text) > 5_500
    assert redact(text) == (text, ())
    assert work_of(text)[0] <= 12 * work_of(COOKIES)[0]


def test_among_thirty_cookies_the_sessions_alone_goes() -> None:
    session = chars(32, HEX)
    text = (COOKIES.rstrip("\n") + f"; sessionid={session}\n") * 12
    assert redact(text)[0] == text.replace(session, "[redacted:cookie]")


@pytest.mark.parametrize(
    "line",
    [
        '{"prompt_tokens": 1234, "completion_tokens": 456, "total_tokens": 1690}\n',
        "2026-01-03 10:12:01 GET https://x.test/a/b?page=2 200 auth=none user=ann\n",
        "tests/unit/test_password_reset.py::test_token_expires PASSED\n",
        "    self.token = token or self.settings.secret_key\n",
        "root:x:0:0:root:/root:/bin/bash /etc/passwd\n",
    ],
)
def test_a_long_log_of_telling_words_is_judged_to_its_end(line: str) -> None:
    text = line * (100_000 // len(line))
    assert redact(text) == (text, ())


def test_redaction_loads_nothing_that_a_hook_would_wait_for() -> None:
    code = "import sys; from mcp_memory.redaction import redact; redact('nothing here to be seen'); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert not {"typing", "base64", "dataclasses", "hashlib", "json"}.intersection(ran.stdout.split())
