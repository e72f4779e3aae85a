"""The table, fourth part: what programs and statements are given as a password. `-p` means one only to some of them."""

from collections.abc import Callable

from mcp_memory.redaction.rules import Rule, not_template, strong

_LINE = r"[^\n|;&]{0,200}?"  # on, within the same command
_VALUE = r"(?:'(?P<q1>[^'\n]{2,200}+)'|\"(?P<q2>[^\"\n]{2,200}+)\"|(?P<bare>[^\s\"'`]{3,200}+))"
_MAN = "the program's manual page"


def _flag(programs: str, flags: str, found: str, spared: str, *, glued: bool = False, check: Callable[[str], bool] = not_template) -> Rule:
    """Return the rule of programs (separated by blanks) whose flags (an expression) take a password, *glued* to it without a blank."""
    names = tuple(programs.split())
    head = rf"(?<![\w.])(?:{'|'.join(names)})(?:\.exe)?\b{_LINE}\s(?:{flags})"
    between = r"(?!\s)" if glued else r"(?:[ =]{1,4}|[\"'],\s?(?=[\"']))"
    return Rule("cli-password", f"passwords given to {', '.join(names)}", _MAN, names, head + between + _VALUE, found, spared, check)


COMMANDS: tuple[Rule, ...] = (
    _flag(
        "mysql mariadb mysqldump mariadb-dump mysqladmin mysqlimport mysqlsh",
        "-p",
        "mysql -u root -phunter22 -h db",
        "mysql -u root -p",
        glued=True,
    ),
    Rule(
        "curl-user",
        "user and password given to curl",
        "curl.se/docs/manpage.html",
        ("curl",),
        r"\bcurl\b[^\n|;]{0,400}?\s(?:-u|--user|--proxy-user|-U)[ =]{0,3}[\"']?[^\s:\"'=]{1,100}:(?P<secret>[^\s\"']{1,200}+)",
        "curl -u bob:hunter2 http://x.test",
        "curl -u bob http://x.test",
        not_template,
    ),
    Rule(
        "curl-user",
        "user and password given to HTTPie",
        "httpie.io/docs/cli",
        ("http ", "https ", "xh "),
        rf"\b(?:https?|xh) {_LINE}(?:-a|--auth)[ =]{{1,3}}[\"']?[^\s:\"']{{1,100}}:(?P<secret>[^\s\"']{{1,200}}+)",
        "http -a bob:hunter2 https://x.test",
        "http -a bob x.test",
        not_template,
    ),
    Rule(
        "cli-password",
        "passwords given to sshpass",
        _MAN,
        ("sshpass",),
        rf"sshpass[\"']?[,\s]{{1,4}}[\"']?-p(?:[\"'],\s?(?=[\"'])|[ =]{{0,3}}){_VALUE}",
        "sshpass -p hunter22 ssh bob@host",
        "sshpass -p $PASS ssh bob@host",
        not_template,
    ),
    Rule(
        "cli-password",
        "passwords given to the login of a registry or cloud",
        _MAN,
        (
            "docker login",
            "podman login",
            "buildah login",
            "skopeo login",
            "registry login",
            "oras login",
            "nerdctl login",
            "auth login",
            "az login",
            "acr login",
            "oc login",
            "cf login",
        ),
        rf"\w{{1,10}} login\b{_LINE}\s-p[ =]{{1,3}}{_VALUE}",
        "docker login -u bob -p hunter22 r.test",
        "docker login -u bob -p $TOKEN",
        not_template,
    ),
    _flag("redis-cli valkey-cli", "-a|--pass", "redis-cli -h h -a hunter22 ping", "redis-cli -a $PASS ping"),
    _flag(
        "ldapsearch ldapmodify ldapadd ldapwhoami ldapdelete ldappasswd",
        "-w|-s",
        "ldapsearch -x -D cn=admin -w hunter22 -b dc=x",
        "ldapsearch -x -W -b dc=x",
    ),
    _flag("mongosh mongo mongodump mongorestore mongoexport mongoimport", "-p", "mongosh -u a -p hunter22 db", "mongosh -u a -p $PASS"),
    _flag("sqlcmd bcp isql tsql osql", "-P", "sqlcmd -S db -U sa -P hunter22", "sqlcmd -S db -E"),
    _flag("sqlcmd bcp osql 7z 7za 7zz rar unrar unzip zip", "-P|-p", "7z x -phunter22 a.7z", "7z x a.7z", glued=True),
    _flag("zip unzip", "-P|--password", "unzip -P hunter22 a.zip", "unzip a.zip"),
    _flag(
        "keytool jarsigner apksigner",
        r"-(?:dest|src|dest|new)?(?:key|store)pass|--(?:ks|key)-pass",
        "keytool -genkey -keypass hunter22",
        "keytool -list -keystore a.jks",
    ),
    Rule(
        "cli-password",
        "passwords given to openssl",
        "docs.openssl.org: passphrase options",
        ("openssl",),
        rf"\bopenssl\b[^\n|;]{{0,300}}?\s-(?:k|K|pass|passin|passout)\s{{1,4}}(?:[\"']?pass:)?(?!(?:env|file|stdin|fd)\b){_VALUE}",
        "openssl enc -aes-256-cbc -k hunter22 -in f",
        "openssl enc -in f -out g",
        not_template,
    ),
    _flag(
        "vercel netlify influx sentry-cli railway fly flyctl surge", "-t|--auth", "influx config create -t {A40} -n x", "vercel -t $TOKEN"
    ),
    _flag("snmpget snmpwalk snmpset snmpbulkwalk", "-[AXac]", "snmpwalk -v3 -A hunter22 h", "snmpwalk -v3 h"),
    _flag(
        "ipmitool xfreerdp rdesktop crackmapexec nxc hydra evil-winrm rclone",
        "-P|-p|/p:",
        "ipmitool -H h -U root -P hunter22",
        "ipmitool -H h",
    ),
    _flag("gpg gpg2", "--passphrase", "gpg --batch --passphrase hunter22 -d f", "gpg --batch -d f"),
    _flag(
        "cqlsh psql clickhouse-client clickhouse cockroach rabbitmqadmin mosquitto_pub mosquitto_sub",
        "-p|-P|--password",
        "cqlsh -u a -p hunter22 h",
        "cqlsh -u a h",
        check=strong,
    ),
    Rule(
        "cli-password",
        "user%password of Samba",
        _MAN,
        ("smbclient", "rpcclient", "smbmap", "mount.cifs"),
        rf"\b(?:smbclient|rpcclient|smbmap)\b{_LINE}\s-U[ =]{{0,2}}[\"']?[^\s%\"']{{1,60}}%(?P<secret>[^\s\"']{{1,200}}+)",
        "smbclient //h/s -U bob%hunter22",
        "smbclient //h/s -U bob",
        not_template,
    ),
    Rule(
        "cli-password",
        "user/password of Oracle's clients",
        "docs.oracle.com: SQL*Plus",
        ("sqlplus", "sqlldr", "expdp", "impdp", "rman"),
        rf"\b(?:sqlplus|sqlldr|expdp|impdp|rman)\b{_LINE}\s[\"']?\w{{1,40}}/(?P<secret>[^\s@\"'/]{{3,100}}[^\s\"'/]{{0,60}}?)(?=@\w|[\s\"']|\Z)",
        "sqlplus system/hunter22@orcl",
        "sqlplus / as sysdba",
        not_template,
    ),
    Rule(
        "cli-password",
        "passwords given to chpasswd",
        _MAN,
        ("chpasswd",),
        r"[\"'\s]?\b[a-z_][\w-]{0,31}:(?P<secret>[^\s\"':]{3,200}+)[\"']?\s{0,4}(?:\||>)[^\n]{0,40}chpasswd|chpasswd\s{0,4}<<<\s{0,4}[\"']?[\w-]{1,32}:(?P<secret2>[^\s\"']{3,200}+)",
        "echo root:hunter22 | chpasswd",
        "man chpasswd",
        not_template,
        before=280,
    ),
    Rule(
        "cli-password",
        "a password piped into a program that reads one",
        _MAN,
        ("echo ", "printf "),
        r"(?:echo|printf)\s(?:-[ne]{1,2}\s)?(?:[\"'](?P<secret>[^\"'\n|]{3,200}+)[\"']|(?P<secret2>[^\s\"'|]{3,200}+))"
        r"\s{0,4}\|\s{0,4}[^\n|]{0,80}(?:passwd|--password-stdin|sudo -S|--stdin)",
        "echo hunter22 | sudo -S ls",
        "echo $PASS | passwd --stdin",
        strong,
    ),
    Rule(
        "cli-password",
        "passwords of Windows accounts and shares",
        "learn.microsoft.com: net use",
        ("net use", "net user", "cmdkey", "psexec", "schtasks", "runas"),
        r"(?:net use\b[^\n]{0,120}?\s/user:\S{1,80}+\s{1,3}|"
        r"net user\s{1,3}\S{1,60}+\s{1,3}|(?:cmdkey|psexec|schtasks|runas)\b[^\n]{0,160}?\s[/-](?:pass:|rp\s|p\s))"
        r"[\"']?(?P<secret>[^\s\"'/*]\S{2,100}?)(?=[\s\"']|\Z)",
        "net use Z: \\\\h\\s /user:bob hunter22!",
        "net use Z: \\\\h\\s",
        strong,
        ignore_case=True,
    ),
    Rule(
        "cli-password",
        "secure strings of PowerShell",
        "learn.microsoft.com/powershell",
        ("convertto-securestring",),
        r"convertto-securestring\s[^\n\"']{0,40}[\"'](?P<secret>[^\"'\n]{3,200}+)",
        'ConvertTo-SecureString "hunter22" -AsPlainText',
        "ConvertTo-SecureString $plain",
        not_template,
        ignore_case=True,
    ),
    Rule(
        "cli-password",
        "values given to programs that keep secrets",
        "cli.github.com/manual",
        (
            "secret set",
            "secrets set",
            "secret put",
            "secrets:set",
            "secret create",
            "secrets create",
            "put-secret-value",
            "create-secret",
            "put-parameter",
        ),
        rf"(?:secrets?[: ](?:set|put|create)|put-secret-value|create-secret|put-parameter)\b[^\n|;&]{{0,160}}?"
        rf"(?:--body|-b|--value|--secret-string|--secret-value|--secret|-v)[ =]{{1,3}}{_VALUE}",
        "gh secret set DEPLOY_KEY --body 'hunter22'",
        "gh secret set DEPLOY_KEY < f",
        not_template,
    ),
    Rule(
        "cli-password",
        "what is put into Vault",
        "developer.hashicorp.com/vault",
        ("vault ",),
        r"\bvault (?:kv )?(?:put|write|patch) \S{1,200}+"
        r"(?:\s[\w-]{1,40}=[^\s\"']{1,100}){0,8}?\s(?:value|key|data|pass|pw|secret|cert)=[\"']?(?P<secret>[^\s\"'@]{1}[^\s\"']{2,200}+)",
        "vault kv put secret/db value=hunter22",
        "vault kv get secret/data/prod/db",
        not_template,
    ),
    Rule(
        "sql-password",
        "passwords in SQL",
        "dev.mysql.com: CREATE USER; postgresql.org: ALTER ROLE",
        ("identified ", "password"),
        r"(?:identified (?:with [\w'\"]{1,60} )?(?:by|as)(?: password)?|"
        r"(?<=[a-z] )password(?: for [^\n=]{1,80} ?= ?| ?\(|(?= )))\s{0,4}"
        r"(?:'(?P<secret>[^'\n]{1,200}+)'|\"(?P<secret2>[^\"\n]{1,200}+)\"|"
        r"(?<=by )(?P<secret3>[\w!#$%^&*@]{6,60}+)(?=\s{0,4}(?:;|\0|\Z)))",
        "ALTER ROLE app WITH PASSWORD 'hunter22';",
        "password VARCHAR(255) NOT NULL",
        strong,
        ignore_case=True,
        is_glued=True,
    ),
    Rule(
        "pgpass-line",
        "the password's field in a .pgpass file",
        "postgresql.org: the password file",
        (":5432:", ":5433:", ":6432:", ":*:*:"),
        r"(?<![\w:/.])[\w.*-]{1,60}:(?:\d{2,5}|\*):[\w*-]{1,60}:[\w*-]{1,60}:(?P<secret>[^\s:\"']{4,100}+)(?![:\w])",
        "db.test:5432:app:bob:hunter22!",
        "db.test:5432:app:bob:$PASS",
        strong,
        before=62,
    ),
)
