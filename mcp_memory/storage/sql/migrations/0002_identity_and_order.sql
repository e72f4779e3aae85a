-- Who wrote what, and when by a clock that never goes back, so that one memory can be shared by many machines.

CREATE TABLE replica (
    replica_row INTEGER PRIMARY KEY CHECK (replica_row = 1),
    id TEXT NOT NULL,      -- minted once, here
    hlc INTEGER NOT NULL   -- the highest reading given out or seen: see domain/hlc.py
);
INSERT INTO replica (replica_row, id, hlc)
SELECT 1, lower(hex(randomblob(16))), 65536 * max(
    (SELECT coalesce(max(at_ms), 0) FROM episode_edit), (SELECT coalesce(max(at_ms), 0) FROM link),
    (SELECT coalesce(max(at_ms), 0) FROM correction)
);

-- Last writer wins by (hlc, origin). What is there already was ordered by the wall clock, corrections by their rows.
ALTER TABLE episode_edit ADD COLUMN hlc INTEGER NOT NULL DEFAULT 0;
ALTER TABLE episode_edit ADD COLUMN origin TEXT NOT NULL DEFAULT '';
UPDATE episode_edit SET hlc = 65536 * at_ms, origin = (SELECT id FROM replica);

ALTER TABLE link ADD COLUMN hlc INTEGER NOT NULL DEFAULT 0;
ALTER TABLE link ADD COLUMN origin TEXT NOT NULL DEFAULT '';
UPDATE link SET hlc = 65536 * at_ms, origin = (SELECT id FROM replica);

ALTER TABLE correction ADD COLUMN id TEXT NOT NULL DEFAULT '';
ALTER TABLE correction ADD COLUMN hlc INTEGER NOT NULL DEFAULT 0;
ALTER TABLE correction ADD COLUMN origin TEXT NOT NULL DEFAULT '';
UPDATE correction SET
    hlc = correction_row, origin = (SELECT id FROM replica),  -- before every reading of a clock, in the order they were made
    id = 'cor_' || correction_row || '_' || (SELECT id FROM replica);
CREATE UNIQUE INDEX correction_by_id ON correction (id);

-- The feed names every kind of fact; `answers` is 1 where something that is answered from memory depends on it.
ALTER TABLE change ADD COLUMN answers INTEGER NOT NULL DEFAULT 1;
CREATE INDEX change_answering ON change (seq) WHERE answers = 1;
