-- AUTOINCREMENT costs every logged step a write to one more page. Row numbers are not used twice because the last row stays.
ALTER TABLE outbox RENAME TO outbox_before;
CREATE TABLE outbox (
    outbox_row INTEGER PRIMARY KEY,
    remote_row INTEGER NOT NULL,               -- 0: for every remote
    fact_id TEXT NOT NULL,
    sum INTEGER NOT NULL DEFAULT 0
);
INSERT INTO outbox SELECT outbox_row, remote_row, fact_id, sum FROM outbox_before;
-- Where the last row is gone already, one that names nothing.
INSERT OR IGNORE INTO outbox SELECT seq, 0, '/probe', row_sum(0, '/probe') FROM sqlite_sequence WHERE name = 'outbox_before';
DROP TABLE outbox_before;
