-- Sharing a memory: what is to go to the shared logs, and how far each of them was read (replication/).

CREATE TABLE remote (
    remote_row INTEGER PRIMARY KEY,
    url TEXT NOT NULL UNIQUE,                  -- without what is secret in it
    epoch TEXT NOT NULL DEFAULT '',            -- of the log; another one is another log
    read_seq INTEGER NOT NULL DEFAULT 0,       -- its last fact that was applied
    batch INTEGER NOT NULL DEFAULT 0,          -- the newest batch seen, and its nonce: a log that went back has another one
    nonce TEXT NOT NULL DEFAULT '',
    acknowledged INTEGER NOT NULL DEFAULT 0,   -- the last row of the outbox that is done with
    own_batch INTEGER NOT NULL DEFAULT 0,      -- the highest of our batches that the log, as it is now, took
    resyncs INTEGER NOT NULL DEFAULT 0,        -- how often it had gone back
    in_step_at_ms INTEGER,                     -- when nothing was left to send and to read
    last_error TEXT NOT NULL DEFAULT '',
    sum INTEGER NOT NULL DEFAULT 0
);

-- Written in the transaction of the truth it names, while there is a remote.
CREATE TABLE outbox (
    outbox_row INTEGER PRIMARY KEY AUTOINCREMENT,
    remote_row INTEGER NOT NULL,               -- 0: for every remote
    fact_id TEXT NOT NULL,
    sum INTEGER NOT NULL DEFAULT 0
);

-- Facts that cannot be applied yet: of a kind or form this program does not know, or of something that has not come yet.
CREATE TABLE parked (
    fact_id TEXT PRIMARY KEY,
    waits_for TEXT NOT NULL,                   -- the id of what has not come; '': a later version of the program
    project TEXT NOT NULL,
    kind TEXT NOT NULL,
    hlc INTEGER NOT NULL,
    origin TEXT NOT NULL,
    body BLOB NOT NULL,
    sum INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX parked_by_wait ON parked (waits_for);

-- Open episodes whose steps are numbered by another replica.
CREATE TABLE away (
    episode_row INTEGER PRIMARY KEY,
    home TEXT NOT NULL,
    sum INTEGER NOT NULL DEFAULT 0
);

-- Which logs may hear of a deletion. Of earlier ones nobody knows any more: they go to those that take every project.
ALTER TABLE tombstone ADD COLUMN project TEXT NOT NULL DEFAULT '';
UPDATE tombstone SET sum = row_sum(id, reason, change_seq, at_ms, project);

CREATE INDEX episode_by_parent ON episode (parent_id) WHERE parent_id IS NOT NULL;

-- `removed` is 2 where a link is left out because it would close a cycle.
CREATE INDEX link_inactive ON link (type) WHERE removed = 2;
