"""A small corpus of our own: made-up secrets in the places agents meet them, and texts that only look like it, beside detect-secrets."""

import pytest

from benchmarks.bench_redaction import detect_secrets_scores, scores

SECRETS = {
    "named": [
        ("spring.datasource.password=Wint3r!Coat", "Wint3r!Coat"),
        ("services:\n  db:\n    environment:\n      POSTGRES_PASSWORD: oatmeal-Raisin7", "oatmeal-Raisin7"),
        ('const cfg = { apiKey: "q9Zt4mVx2LpKs81dWn" };', "q9Zt4mVx2LpKs81dWn"),
        ("[mail]\nsmtp_pass = m41l#Box", "m41l#Box"),
        ("DJANGO_SECRET_KEY='zq8!k2_m9x#v4w7p0s5t'", "zq8!k2_m9x#v4w7p0s5t"),
        ('{"name": "DB_PASSWORD", "value": "Qu1etRiver!"}', "Qu1etRiver!"),
        ("user,password\nann,Gr33n-Hill!\n", "Gr33n-Hill!"),
    ],
    "commands": [
        ("mysqldump --user=ann -pGr33nHill shop > shop.sql", "Gr33nHill"),
        ("curl -sS -u ann:Gr33nHill https://api.test/v1", "Gr33nHill"),
        ("redis-cli -h cache -a Gr33nHill9 FLUSHALL", "Gr33nHill9"),
        ("openssl pkcs12 -in a.p12 -passin pass:Gr33nHill", "Gr33nHill"),
        ("CREATE USER ann IDENTIFIED BY 'Gr33nHill';", "Gr33nHill"),
        ("echo 'ann:Gr33nHill' | sudo chpasswd", "Gr33nHill"),
    ],
    "frames": [
        ("amqp://ann:Gr33nHill@mq.test:5672/shop", "Gr33nHill"),
        ("GET / HTTP/1.1\nAuthorization: Basic YW5uOkdyMzNuSGlsbA==\n", "YW5uOkdyMzNuSGlsbA=="),
        ("machine git.test login ann password Gr33nHill", "Gr33nHill"),
        ("Cookie: lang=en; sessionid=8f3kq02mzx71pdw45t; tz=2", "8f3kq02mzx71pdw45t"),
        ("Z2hwX3E5WnQ0bVZ4MkxwS3M4MWRXbmExYjJjM2Q0ZTVmNmc3aDgK", "Z2hwX3E5WnQ0bVZ4MkxwS3M4MWRXbmExYjJjM2Q0ZTVmNmc3aDgK"),
        ("gh\u200bp_q9Zt4mVx2LpKs81dWna1b2c3d4e5f6g7h8", "q9Zt4mVx2LpKs81dWna1b2c3d4e5f6g7h8"),
    ],
}
BENIGN = [
    "Traceback (most recent call last):\n  File \"/srv/app/auth/tokens.py\", line 88, in refresh\nKeyError: 'token'",
    '{"usage": {"prompt_tokens": 1204, "completion_tokens": 88, "total_tokens": 1292}}',
    "drwxr-xr-x 2 root root 4096 Jan  3 10:12 secrets\n-rw-r--r-- 1 root root 1679 Jan  3 10:12 passwd",
    "Set a password of at least 12 characters; the key must not be shared.",
    'aws s3 cp build.tar.gz "s3://artifacts-2026/releases/build-7f3a9c1.tar.gz"',
    "def check_password(self, password: str) -> bool:\n    return bcrypt.checkpw(password.encode(), self.password_hash)",
    "docker run -p 8080:80 -e PASSWORD_FILE=/run/secrets/db web",
    "eslint-plugin-react-hooks@5.1.0, sk-learn, pk_columns, re_match_all, fw_update",
    "kubectl get secret api-credentials -o name",
    'export TOKEN=$(gh auth token) && curl -H "Authorization: Bearer $TOKEN" https://api.test',
]
CORPUS = {
    "secrets": [{"text": text, "tier": tier, "secrets": [secret]} for tier, cases in SECRETS.items() for text, secret in cases],
    "benign": [{"text": text} for text in BENIGN],
}


def test_all_of_it_is_found_and_nothing_else_is_touched() -> None:
    found, alarms = scores(CORPUS)
    assert found == dict.fromkeys(SECRETS, 1.0)
    assert alarms == 0


def test_more_is_found_than_by_detect_secrets_with_no_more_false_alarms() -> None:
    theirs = detect_secrets_scores(CORPUS)
    if theirs is None:
        pytest.skip("detect-secrets (group dev) is not installed")
    found, alarms = scores(CORPUS)
    assert sum(found.values()) / len(found) > theirs[0]
    assert alarms <= theirs[1]
