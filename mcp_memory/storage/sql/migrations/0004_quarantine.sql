-- Sources whose episodes count for nothing while they are quarantined (domain/sources.py).

-- Truth. Last writer wins by (hlc, origin): what is released keeps its row.
CREATE TABLE quarantine (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    active INTEGER NOT NULL,
    reason TEXT NOT NULL,
    made_by TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    hlc INTEGER NOT NULL,
    origin TEXT NOT NULL,
    sum INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;

-- Derived, written in the same transactions: the episodes of these sources.
CREATE TABLE quarantined_episode (
    episode_row INTEGER PRIMARY KEY
);
