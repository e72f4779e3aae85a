-- The first schema. An applied migration is never edited: its hash is recorded, and a difference is refused.
-- Truth: episode, step, episode_edit, pattern, evidence, recommendation, feedback, correction, link, checkpoint, tombstone, vector.
-- Derived, written in the same transactions, rebuildable: trace, index_text, episode_text, unfinished_text, episode_tag, pattern_count.

CREATE TABLE change (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    at_ms INTEGER NOT NULL
);

-- Columns that filters read come first: SQLite then needs no overflow page to test them.
CREATE TABLE episode (
    episode_row INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL,
    state TEXT NOT NULL,
    outcome TEXT,
    reward REAL,
    task_type TEXT NOT NULL,
    domain TEXT NOT NULL,
    language TEXT NOT NULL,
    framework TEXT NOT NULL,
    complexity TEXT NOT NULL,
    agent TEXT NOT NULL,
    started_at_ms INTEGER NOT NULL,
    ended_at_ms INTEGER,
    step_count INTEGER NOT NULL DEFAULT 0,  -- set at completion; of an open episode the steps are counted
    edited INTEGER NOT NULL DEFAULT 0,      -- 1 when episode_edit has rows
    change_seq INTEGER NOT NULL,
    external_id TEXT,
    parent_id TEXT,
    follows TEXT,                           -- id of the episode before this one in the same thread
    follows_external TEXT,                  -- an imported `follows` whose episode has not been imported yet
    task TEXT NOT NULL,
    opening BLOB NOT NULL,                  -- tags, metadata
    closing BLOB                            -- outcome's texts, reward's components, reflection, key steps
);
CREATE UNIQUE INDEX episode_by_external ON episode (project, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX episode_by_start ON episode (project, started_at_ms);
CREATE INDEX episode_by_state ON episode (state, project, step_count);
CREATE INDEX episode_edited ON episode (id, change_seq) WHERE edited = 1;  -- read at every start
CREATE INDEX episode_by_follows ON episode (follows) WHERE follows IS NOT NULL;
CREATE INDEX episode_by_follows_external ON episode (project, follows_external) WHERE follows_external IS NOT NULL;

CREATE TABLE step (
    episode_row INTEGER NOT NULL,
    step_index INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (episode_row, step_index)
) WITHOUT ROWID;

-- Last writer wins, per field: `task`, `tag/NAME` (1 or 0), `metadata/KEY` (null removes it).
CREATE TABLE episode_edit (
    episode_row INTEGER NOT NULL,
    field TEXT NOT NULL,
    value BLOB NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (episode_row, field)
) WITHOUT ROWID;

CREATE TABLE episode_tag (
    tag TEXT NOT NULL,
    episode_row INTEGER NOT NULL,
    PRIMARY KEY (tag, episode_row)
) WITHOUT ROWID;

CREATE TABLE trace (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    episode_row INTEGER NOT NULL UNIQUE,
    project TEXT NOT NULL,
    episode_id TEXT NOT NULL,
    body BLOB NOT NULL
);

-- The indexed text, compressed: a contentless FTS5 table needs it back to delete a row.
CREATE TABLE index_text (
    seq INTEGER PRIMARY KEY,
    own_surroundings TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE VIRTUAL TABLE episode_text USING fts5 (
    task, steps, notes, surroundings, content = '', tokenize = 'porter unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE unfinished_text USING fts5 (
    task, steps, notes, surroundings, tokenize = 'porter unicode61 remove_diacritics 2'
);

CREATE TABLE pattern (
    pattern_row INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    description TEXT NOT NULL,
    domain TEXT NOT NULL,
    content BLOB NOT NULL
);
CREATE TABLE evidence (
    pattern_row INTEGER NOT NULL,
    episode_row INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    success INTEGER NOT NULL,
    weight REAL NOT NULL,
    at_ms INTEGER NOT NULL,
    detail BLOB,
    PRIMARY KEY (episode_row, pattern_row, ordinal)  -- one completion's rows are neighbours: one page to write, not one a pattern
) WITHOUT ROWID;
CREATE INDEX evidence_by_pattern ON evidence (pattern_row, episode_row);
CREATE TABLE pattern_count (
    pattern_row INTEGER NOT NULL,
    project TEXT NOT NULL,
    support INTEGER NOT NULL,
    successes INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    first_at_ms INTEGER NOT NULL,
    last_at_ms INTEGER NOT NULL,
    PRIMARY KEY (project, pattern_row)
) WITHOUT ROWID;
CREATE INDEX pattern_count_by_pattern ON pattern_count (pattern_row);

CREATE TABLE space (
    space_row INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);
CREATE TABLE vector (
    vector_row INTEGER PRIMARY KEY AUTOINCREMENT,
    space_row INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    part INTEGER NOT NULL,
    scale REAL NOT NULL,
    codes BLOB NOT NULL
);
CREATE UNIQUE INDEX vector_by_episode ON vector (seq, space_row, part);

CREATE TABLE recommendation (
    recommendation_row INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    project TEXT NOT NULL,
    episode_id TEXT,
    at_ms INTEGER NOT NULL,
    shown_ids BLOB NOT NULL
);
CREATE INDEX recommendation_by_episode ON recommendation (episode_id) WHERE episode_id IS NOT NULL;
CREATE TABLE feedback (
    feedback_row INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    recommendation_row INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    used_ids BLOB NOT NULL,
    rating REAL,
    note TEXT NOT NULL,
    implicit INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    episode_id TEXT
);
CREATE INDEX feedback_by_recommendation ON feedback (recommendation_row);
CREATE INDEX feedback_by_episode ON feedback (episode_id) WHERE episode_id IS NOT NULL;
CREATE TABLE correction (
    correction_row INTEGER PRIMARY KEY AUTOINCREMENT,
    target_id TEXT NOT NULL,
    content BLOB NOT NULL,
    at_ms INTEGER NOT NULL
);
CREATE INDEX correction_by_target ON correction (target_id);

-- Last writer wins: a removed link keeps its row.
CREATE TABLE link (
    id TEXT PRIMARY KEY,
    from_row INTEGER NOT NULL,
    to_row INTEGER NOT NULL,
    type TEXT NOT NULL,
    note TEXT NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0,
    at_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX link_by_from ON link (from_row, type);
CREATE INDEX link_by_to ON link (to_row, type);

CREATE TABLE checkpoint (
    checkpoint_row INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    episode_row INTEGER NOT NULL,
    content BLOB NOT NULL,
    at_ms INTEGER NOT NULL
);
CREATE INDEX checkpoint_by_episode ON checkpoint (episode_row);

CREATE TABLE tombstone (
    id TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    change_seq INTEGER NOT NULL,
    at_ms INTEGER NOT NULL
) WITHOUT ROWID;
