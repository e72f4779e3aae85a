-- A checksum for every row (storage/row_sums.py): a flipped byte inside a text is a text, and SQLite does not notice.
-- What is there already is taken to be right.

ALTER TABLE episode ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE episode SET sum = row_sum(
    id, project, state, outcome, reward, task_type, domain, language, framework, complexity, agent, started_at_ms, ended_at_ms,
    step_count, edited, change_seq, external_id, parent_id, follows, follows_external, task, opening, closing
);
ALTER TABLE step ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE step SET sum = row_sum(episode_row, step_index, body);
ALTER TABLE episode_edit ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE episode_edit SET sum = row_sum(episode_row, field, value, at_ms, hlc, origin);
ALTER TABLE trace ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE trace SET sum = row_sum(episode_row, project, episode_id, body);
ALTER TABLE index_text ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE index_text SET sum = row_sum(seq, own_surroundings, body);
ALTER TABLE pattern ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE pattern SET sum = row_sum(id, kind, description, domain, content);
ALTER TABLE evidence ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE evidence SET sum = row_sum(pattern_row, episode_row, ordinal, success, weight, at_ms, detail);
ALTER TABLE vector ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE vector SET sum = row_sum(space_row, seq, part, scale, codes);
ALTER TABLE recommendation ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE recommendation SET sum = row_sum(id, kind, project, episode_id, at_ms, shown_ids);
ALTER TABLE feedback ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE feedback SET sum = row_sum(id, recommendation_row, verdict, used_ids, rating, note, implicit, at_ms, episode_id);
ALTER TABLE correction ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE correction SET sum = row_sum(id, target_id, content, at_ms, hlc, origin);
ALTER TABLE link ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE link SET sum = row_sum(id, from_row, to_row, type, note, removed, at_ms, hlc, origin);
ALTER TABLE checkpoint ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE checkpoint SET sum = row_sum(id, episode_row, content, at_ms);
ALTER TABLE tombstone ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE tombstone SET sum = row_sum(id, reason, change_seq, at_ms);
ALTER TABLE change ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE change SET sum = row_sum(kind, entity_id, at_ms, answers);

-- An index repeats what it is made of, and the integrity check compares the two.
CREATE UNIQUE INDEX replica_by_id ON replica (id, hlc);
