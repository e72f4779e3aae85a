-- Open episodes that another replica took over: who asked first has it from then on, and numbers its steps.
CREATE TABLE claim (
    episode_row INTEGER NOT NULL,
    number INTEGER NOT NULL,                   -- from 1; of one number the log keeps the first
    origin TEXT NOT NULL,                      -- the replica that asked
    at_ms INTEGER NOT NULL,
    granted INTEGER NOT NULL,                  -- 1 once the log has it
    sum INTEGER NOT NULL,
    PRIMARY KEY (episode_row, number)
) WITHOUT ROWID;

-- How much of an open episode the log has. What is beyond that where its steps are numbered, nobody else has.
CREATE TABLE echoed (
    episode_row INTEGER PRIMARY KEY,
    steps INTEGER NOT NULL,
    abandoned INTEGER NOT NULL,
    sum INTEGER NOT NULL
);
