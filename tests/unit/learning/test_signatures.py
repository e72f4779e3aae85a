"""Error text to signatures."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.domain.episode import Episode, Step, StepStatus
from mcp_memory.learning.reading.run import error_signatures
from mcp_memory.learning.reading.signatures import MAX_SIGNATURE_CHARS, same_error, signature, signature_words, telling_line


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('No matches found for "foo" in /repo/a.py', 'No matches found for "bar baz" in /other/b/c.py'),
        ("Error: flight HAT030 not available on date 2024-05-13", "Error: flight HAT112 not available on date 2025-01-02"),
        ("Could not find [A b]. Similar: ['x', 'y', 'z']", "Could not find [Q]. Similar: ['m']"),
        ("request 550e8400-e29b-41d4-a716-446655440000 refused", "request 123e4567-e89b-12d3-a456-426614174000 refused"),
        ("AssertionError: 0.30000000000000004 != 1", "AssertionError: 0.3 != 2"),
        ("\x1b[31mValueError: bad 3\x1b[0m", "ValueError: bad 17"),
        ("╷\n│ Error: no lock 3\n│ \n╵", "Error: no lock 17"),
        ("    def test():\n>       run()\nE       KeyError: 'a'\na.py:3: KeyError", "KeyError: 'b'"),
    ],
)
def test_paths_numbers_ids_and_quotes_do_not_matter(one: str, other: str) -> None:
    assert signature(one) == signature(other)


@pytest.mark.parametrize(
    ("text", "telling"),
    [
        ("Edit refused.\n\nERRORS:\n- E111 indentation is not a multiple of 4\n- E999 IndentationError: unexpected indent", "E999"),
        ("a.py:3:80: E501 line too long (97 > 79)\na.py:7:1: F821 undefined name 'total'\nFound 2 errors.", "F821"),
        ("a.py:3:80: E501 line too long (97 > 79)\na.py:9:1: W291 trailing whitespace\nFound 2 errors.", "E501"),
        ("a.py:1:0: C0114: Missing module docstring\na.py:4:11: E0602: Undefined variable 'total'", "E0602"),
        ("a.c:3:5: warning: implicit declaration may be invalid\na.c:9:2: error: expected ';' before 'return'", "expected ';'"),
        ("a.py:3: note: Revealed type is missing\na.py:4: error: Name 'total' is not defined  [name-defined]", "total"),
        ("KeyError: 'a'\nResourceWarning: unclosed file", "KeyError"),
        (
            "09:01:04  1 of 1 ERROR creating x [ERROR in 0.3s]\n09:01:05  Database Error in model x (x.sql)\n  column c does not exist",
            "column c",
        ),
        ("Completed with 1 error and 0 warnings:\nFailure in test unique_x (schema.yml)\nDone. PASS=1 WARN=0 ERROR=1", "unique_x"),
        ("Encountered an error:\nRuntime Error\n  only 0 packages are installed: run deps", "run deps"),
    ],
)
def test_what_cannot_run_tells_before_how_it_looks_and_an_error_before_a_warning(text: str, telling: str) -> None:
    assert telling in telling_line(text)


@pytest.mark.parametrize(
    "text",
    [
        "FAIL src/cart.test.js\n  ● Test suite failed to run\n    Cannot find module 'lodash' from 'src/cart.js'\nTests: 0 total",
        "Build failed\nsrc/a.ts(3,1): error TS2307: Cannot find module 'lodash'",
        "npm ERR! code E404\nnpm ERR! 404 Not Found - GET lodash",
        "error: subprocess-exited-with-error\n  × did not run\n  fatal error: lodash.h: No such file or directory",
        "Exit code 1\nlodash is of another time",
        "[ERROR] COMPILATION ERROR : \n[ERROR] Fatal error compiling: error: lodash needs release 17",
        "FAILURE: Build failed with an exception.\n* Wrong:\nExecution failed for task ':app:lint'.\n> Could not resolve lodash",
        "** BUILD FAILED **\n\nThe following build commands failed:\n\tCompile A\n/w/A.swift:3:5: error: cannot find 'lodash' in scope",
        'Database Error in model carts (models/carts.sql)\n  column "lodash" does not exist\n  compiled code at target/carts.sql',
        "error: linking with `cc` failed: exit status: 1\n  = note: /usr/bin/ld: cannot find -llodash",
        "error: failed to run custom build command for `sys v0.9`\nCaused by:\n  --- stderr\n  Could not find directory of lodash",
        "npm error code ENOENT\nnpm error syscall open\nnpm error path /w/p.json\nnpm error enoent Could not read lodash",
        "# example.com/cart\n./main.go:5:2: undefined: lodash.Foo\n./main.go:9:2: cannot use x (variable of type int)",
    ],
)
def test_a_heading_that_only_says_that_something_failed_is_not_the_error(text: str) -> None:
    assert "lodash" in telling_line(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('TASK [web] ***\nfatal: [web1]: FAILED! => {"changed": false, "msg": "No sudo password"}\nPLAY RECAP', "No sudo password"),
        ("BadRequestError: Error code: 400 - {'error': {'message': 'No such model', 'code': None}}", "Error code: # - No such model"),
        ('Request failed with 422 {"code": 7, "detail": "Seats must be \\"window\\""}', "Request failed with # Seats must be <q>"),
        ('{\n  "status": 422,\n  "message": "Field start is invalid"\n}', "Field start is invalid"),
    ],
)
def test_of_an_error_in_json_what_its_message_says_is_the_error(text: str, said: str) -> None:
    assert signature(text).endswith(said)


def test_a_message_full_of_backslashes_is_read_at_once() -> None:
    assert signature('{"message": "' + "\\" * 5_000).startswith("{<q>")


def test_of_a_traceback_the_raised_line_counts() -> None:
    text = "Traceback (most recent call last):\n  File \"a.py\", line 3, in f\n    g()\nKeyError: 'user'\n"
    assert signature(text) == "KeyError: <q>"


def test_of_a_log_the_first_line_that_sounds_like_an_error_counts() -> None:
    assert signature("collecting\nInstalling x\nERROR: No matching distribution\nmore\n") == "ERROR: No matching distribution"


def test_exit_codes_keep_their_number() -> None:
    assert signature("exit 127: foo: not found") != signature("exit 1: foo: not found")


def test_different_errors_have_different_signatures() -> None:
    assert signature("ModuleNotFoundError: No module named 'x'") != signature("SyntaxError: invalid syntax")


def test_similar_messages_are_one_kind_of_error() -> None:
    assert same_error("payment amount does not add up total", "Error: payment amount does not add up, total price")
    assert not same_error("command timed out", "No such file")
    assert same_error("", "")


@given(st.text(max_size=5_000))
def test_any_text_has_a_bounded_signature_of_one_line_that_is_stable(text: str) -> None:
    sig = signature(text)
    assert len(sig) <= MAX_SIGNATURE_CHARS
    assert "\n" not in sig
    assert signature(text) == sig
    assert all(isinstance(w, str) for w in signature_words(sig))


def test_of_a_step_whose_error_is_only_a_heading_what_it_printed_counts() -> None:
    step = Step("run", observation="Traceback (most recent call last):\n  File 'a.py', line 3\nKeyError: 'x'", status=StepStatus.ERROR)
    for error in ("Traceback (most recent call last):", None):
        failed = Episode("e", "p", "t", steps=(replace(step, error=error),))
        assert error_signatures(failed) == ((0, "KeyError: <q>"),)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            '{0}  File "/a.py", line 3, in <module>\n    run()\ndepot.Unreachable: no route to the depot\n',
            "depot.Unreachable: no route to the depot",
        ),
        ('started\n{0}  File "/a.py", line 3, in f\n    raise StopNow\nStopNow\nexit code 1', "StopNow"),
        (
            '{0}  File "/a.py", line 3\ndepot.Gone: a\n\nDuring handling of it:\n\n{0}  File "/b.py", line 3\ndepot.Twice: b',
            "depot.Twice: b",
        ),
        ('{0}  File "/a.py", line 3, in f\n    return depot.find(name)', "return depot.find(name)"),
    ],
)
def test_of_a_traceback_the_line_of_the_error_is_told_and_never_its_heading(error: str, said: str) -> None:
    assert telling_line(error.format("Traceback (most recent call last):\n")) == said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            "a.cpp:(.text+0x1f): undefined reference to `png_read'\ncollect2: error: ld returned 1 exit status",
            "undefined reference to `png_read'",
        ),
        ("main.c:3:1: error: expected ';'\nmake: *** [Makefile:3: all] Error 1", "expected ';'"),
        ("error: aborting due to 1 previous error\nerror[E0502]: cannot borrow `a`", "cannot borrow `a`"),
    ],
)
def test_what_a_linker_or_a_builder_says_of_every_failure_is_not_the_error(error: str, said: str) -> None:
    assert said in telling_line(error)
