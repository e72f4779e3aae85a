-- Every fixed statement, under its name and a sentence. Listings with filters are built in listing.py.
-- {sum TABLE ALIAS} and {sound TABLE ALIAS} stand for a row's checksum and for whether it has it: see row_sums.py.

-- add_change --
-- The change feed; the row's number is the change sequence.
INSERT INTO change (kind, entity_id, at_ms, answers, sum) VALUES (?1, ?2, ?3, ?4, row_sum(?1, ?2, ?3, ?4));

-- last_change --
-- Of those that answers depend on.
SELECT coalesce(max(seq), 0) FROM change WHERE answers = 1;

-- changes_after --
SELECT seq, kind, entity_id FROM change WHERE seq > ? AND answers = 1 ORDER BY seq LIMIT ?;

-- facts_after --
SELECT seq, kind, entity_id FROM change WHERE seq > ? ORDER BY seq LIMIT ?;

-- replica --
SELECT id, hlc FROM replica;

-- own_file --
SELECT file_id, {sound own_file} FROM own_file;

-- note_file --
INSERT OR REPLACE INTO own_file (own_file_row, file_id, sum) VALUES (1, ?1, row_sum(?1));

-- mint_replica --
UPDATE replica SET id = lower(hex(randomblob(16)));

-- no_batches_yet --
UPDATE remote SET own_batch = 0;

-- sum_remotes --
UPDATE remote SET sum = {sum remote};

-- advance_clock --
UPDATE replica SET hlc = ?;

-- add_episode --
INSERT INTO episode (
    id, project, state, outcome, reward, task_type, domain, language, framework, complexity, agent, started_at_ms, ended_at_ms,
    step_count, change_seq, external_id, parent_id, follows, follows_external, task, opening, closing, sum
) VALUES (
    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
    row_sum(?1, ?2, ?3, ?4, ?5 + 0.0, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 0, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)
);

-- sum_episode --
-- After every statement that changes the row.
UPDATE episode SET sum = {sum episode} WHERE episode_row = ?;

-- episode_state --
-- What every write to an episode checks first.
SELECT episode_row, state FROM episode WHERE id = ?;

-- appending_to --
-- All that appending a step asks, in one look: state, steps, whether another machine numbers them, whether a shared log is told.
SELECT episode_row, state, (SELECT coalesce(max(step_index) + 1, 0) FROM step WHERE step.episode_row = episode.episode_row),
    EXISTS (SELECT 1 FROM away WHERE away.episode_row = episode.episode_row), EXISTS (SELECT 1 FROM remote)
FROM episode WHERE id = ?;

-- starting --
-- All that starting an episode asks of its id, and whether a shared log is told.
SELECT EXISTS (SELECT 1 FROM episode WHERE id = ?1), EXISTS (SELECT 1 FROM tombstone WHERE id = ?1), EXISTS (SELECT 1 FROM remote);

-- episode_exists --
SELECT 1 FROM episode WHERE id = ?;

-- episode_by_external --
SELECT id FROM episode WHERE project = ? AND external_id = ?;

-- get_episode --
SELECT
    episode_row, id, project, state, outcome, reward, task_type, domain, language, framework, complexity, agent, started_at_ms,
    ended_at_ms, step_count, edited, change_seq, external_id, parent_id, follows, task, opening, closing,
    {sound episode}
FROM episode WHERE id = ?;

-- close_episode --
UPDATE episode
SET state = 'completed', outcome = ?, reward = ?, ended_at_ms = ?, step_count = ?, change_seq = ?, closing = ?
WHERE episode_row = ?;

-- abandon_episode --
UPDATE episode SET state = 'abandoned', ended_at_ms = ?, step_count = ?, change_seq = ? WHERE episode_row = ?;

-- touch_episode --
UPDATE episode SET change_seq = ?, edited = 1 WHERE episode_row = ?;

-- set_outcome --
UPDATE episode SET outcome = ?, reward = ? WHERE episode_row = ?;

-- step_count --
-- The index is unbroken, so the last one says how many there are; reading it costs one search.
SELECT coalesce(max(step_index) + 1, 0) FROM step WHERE episode_row = ?;

-- add_step --
INSERT INTO step (episode_row, step_index, body, sum) VALUES (?1, ?2, ?3, row_sum(?1, ?2, ?3));

-- get_steps --
SELECT step_index, body, {sound step} FROM step WHERE episode_row = ? ORDER BY step_index;

-- put_edit --
INSERT INTO episode_edit (episode_row, field, value, at_ms, hlc, origin, sum)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, row_sum(?1, ?2, ?3, ?4, ?5, ?6))
ON CONFLICT (episode_row, field) DO UPDATE
SET value = excluded.value, at_ms = excluded.at_ms, hlc = excluded.hlc, origin = excluded.origin, sum = excluded.sum
WHERE (excluded.hlc, excluded.origin, excluded.value) > (hlc, origin, value);

-- get_edits --
SELECT field, value, {sound episode_edit} FROM episode_edit WHERE episode_row = ? ORDER BY field;

-- edited_episodes --
-- Episodes whose cached copies may be stale: edited or deleted, with the change that made them so.
SELECT id, change_seq FROM episode WHERE edited = 1 UNION ALL SELECT id, change_seq FROM tombstone;

-- add_tag --
INSERT OR IGNORE INTO episode_tag (tag, episode_row) VALUES (?, ?);

-- remove_tag --
DELETE FROM episode_tag WHERE tag = ? AND episode_row = ?;

-- add_unfinished_text --
INSERT INTO unfinished_text (rowid, task) VALUES (?, ?);

-- remove_unfinished_text --
DELETE FROM unfinished_text WHERE rowid = ?;

-- add_trace --
INSERT INTO trace (episode_row, project, episode_id, body, sum) VALUES (?1, ?2, ?3, ?4, row_sum(?1, ?2, ?3, ?4));

-- replace_trace --
UPDATE trace SET body = ?1, sum = row_sum(episode_row, project, episode_id, ?1) WHERE seq = ?2;

-- trace_of --
SELECT seq, body, {sound trace} FROM trace WHERE episode_row = ?;

-- trace_of_id --
SELECT seq, body, {sound trace} FROM trace WHERE episode_row = (SELECT episode_row FROM episode WHERE id = ?)
AND episode_row NOT IN (SELECT episode_row FROM quarantined_episode);

-- traces_after --
SELECT seq, body, {sound trace} FROM trace WHERE seq > ? AND episode_row NOT IN (SELECT episode_row FROM quarantined_episode)
ORDER BY seq LIMIT ?;

-- last_trace --
SELECT coalesce(max(seq), 0) FROM trace;

-- add_index_text --
INSERT INTO index_text (seq, own_surroundings, body, sum) VALUES (?1, ?2, ?3, row_sum(?1, ?2, ?3));

-- get_index_text --
SELECT own_surroundings, body, {sound index_text} FROM index_text WHERE seq = ?;

-- replace_index_text --
UPDATE index_text SET body = ?1, sum = row_sum(seq, own_surroundings, ?1) WHERE seq = ?2;

-- remove_index_text --
DELETE FROM index_text WHERE seq = ?;

-- add_text --
INSERT INTO episode_text (rowid, task, steps, notes, surroundings) VALUES (?, ?, ?, ?, ?);

-- remove_text --
-- A contentless FTS5 table is told what it had indexed.
INSERT INTO episode_text (episode_text, rowid, task, steps, notes, surroundings) VALUES ('delete', ?, ?, ?, ?, ?);

-- thread_neighbours --
-- Completed episodes right before and right after one in its thread, with their tasks, in the thread's order.
SELECT before.episode_row, before.task, before.edited, 0 AS side FROM episode AS this
JOIN episode AS before ON before.id = this.follows
WHERE this.episode_row = ?1 AND before.state = 'completed'
UNION ALL
SELECT after.episode_row, after.task, after.edited, 1 AS side FROM episode AS this
JOIN episode AS after ON after.follows = this.id
WHERE this.episode_row = ?1 AND after.state = 'completed'
ORDER BY 4, 1;

-- resolve_follows --
-- Episodes imported before the one they follow.
SELECT episode_row FROM episode WHERE project = ? AND follows_external = ?;

-- set_follows --
UPDATE episode SET follows = ?, follows_external = NULL WHERE episode_row = ?;

-- search_all --
-- bm25 called by name: `rank MATCH 'bm25(…)'` makes FTS5 sort whole rows of an inner statement, which takes 1.7 times as long.
SELECT f.seq, t.episode_id, f.score
FROM (
    SELECT rowid AS seq, bm25(episode_text, ?, ?, ?, ?) AS score FROM episode_text
    WHERE episode_text MATCH ? AND rowid NOT IN (SELECT t.seq FROM quarantined_episode AS q JOIN trace AS t ON t.episode_row = q.episode_row)
    ORDER BY score LIMIT ?
) AS f CROSS JOIN trace AS t ON t.seq = f.seq;

-- search_project --
SELECT f.rowid, t.episode_id, bm25(episode_text, ?, ?, ?, ?) AS score
FROM episode_text AS f CROSS JOIN trace AS t ON t.seq = f.rowid
WHERE f.episode_text MATCH ? AND t.project = ? AND t.episode_row NOT IN (SELECT episode_row FROM quarantined_episode)
ORDER BY score LIMIT ?;

-- count_matches --
-- Twice to seven times as fast as FTS5's own vocabulary table, which reads every position of a term.
SELECT count(*) FROM episode_text WHERE episode_text MATCH ?;

-- add_pattern --
INSERT INTO pattern (id, kind, description, domain, content, sum) VALUES (?1, ?2, ?3, ?4, ?5, row_sum(?1, ?2, ?3, ?4, ?5));

-- pattern_rows --
-- Of a JSON array of ids, those that are there.
SELECT p.id, p.pattern_row FROM json_each(?) AS j CROSS JOIN pattern AS p ON p.id = j.value;

-- add_evidence --
INSERT INTO evidence (pattern_row, episode_row, ordinal, success, weight, at_ms, detail, sum)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, row_sum(?1, ?2, ?3, ?4, ?5 + 0.0, ?6, ?7));

-- count_evidence --
-- Kept in the transaction that adds the evidence; `check` compares it with the rows.
INSERT INTO pattern_count (pattern_row, project, support, successes, failures, first_at_ms, last_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (project, pattern_row) DO UPDATE SET
    support = support + excluded.support, successes = successes + excluded.successes, failures = failures + excluded.failures,
    first_at_ms = min(first_at_ms, excluded.first_at_ms), last_at_ms = max(last_at_ms, excluded.last_at_ms);

-- clear_count --
DELETE FROM pattern_count WHERE pattern_row = ? AND project = ?;

-- recount --
INSERT INTO pattern_count (pattern_row, project, support, successes, failures, first_at_ms, last_at_ms)
SELECT e.pattern_row, p.project, count(DISTINCT e.episode_row), sum(e.success), sum(1 - e.success), min(e.at_ms), max(e.at_ms)
FROM evidence AS e JOIN episode AS p ON p.episode_row = e.episode_row
WHERE e.pattern_row = ? AND p.project = ? AND e.episode_row NOT IN (SELECT episode_row FROM quarantined_episode) GROUP BY 1, 2;

-- drop_unsupported --
DELETE FROM pattern
WHERE pattern_row = ?1 AND NOT EXISTS (SELECT 1 FROM evidence WHERE pattern_row = ?1);

-- drifted_counts --
-- Counts that differ from their evidence: there must be none.
SELECT count(*) FROM (
    SELECT pattern_row, project, support, successes, failures, first_at_ms, last_at_ms FROM pattern_count
    EXCEPT
    SELECT e.pattern_row, p.project, count(DISTINCT e.episode_row), sum(e.success), sum(1 - e.success), min(e.at_ms), max(e.at_ms)
    FROM evidence AS e JOIN episode AS p ON p.episode_row = e.episode_row
    WHERE e.episode_row NOT IN (SELECT episode_row FROM quarantined_episode) GROUP BY 1, 2
);

-- pattern_in_project --
SELECT
    p.id, p.kind, c.project, p.content, p.description, p.domain, c.support, c.successes, c.failures, c.first_at_ms, c.last_at_ms,
    {sound pattern p}
FROM pattern AS p JOIN pattern_count AS c ON c.pattern_row = p.pattern_row WHERE p.id = ? AND c.project = ?;

-- pattern_anywhere --
SELECT
    p.id, p.kind, iif(count(*) = 1, min(c.project), '*'), p.content, p.description, p.domain,
    sum(c.support), sum(c.successes), sum(c.failures), min(c.first_at_ms), max(c.last_at_ms), {sound pattern p}
FROM pattern AS p JOIN pattern_count AS c ON c.pattern_row = p.pattern_row WHERE p.id = ? GROUP BY p.pattern_row;

-- patterns_in_project --
-- The rows that are shown, and no others, are compared with their checksums. With words, those with most of them are taken.
SELECT
    p.id, p.kind, q.project, p.content, p.description, p.domain, q.support, q.successes, q.failures, q.first_at_ms, q.last_at_ms,
    {sound pattern p}
FROM (
    SELECT c.pattern_row, p.id, c.project, c.support, c.successes, c.failures, c.first_at_ms, c.last_at_ms
    FROM pattern_count AS c CROSS JOIN pattern AS p ON p.pattern_row = c.pattern_row
    WHERE
        c.project = ?1 AND c.support >= ?3 AND (?2 = '' OR p.kind = ?2)
        AND (?5 = '[]' OR EXISTS (SELECT 1 FROM json_each(?5) AS w WHERE instr(lower(p.description), w.value)))
    ORDER BY
        iif(?5 = '[]', 0, (SELECT count(*) FROM json_each(?5) AS w WHERE instr(lower(p.description), w.value))) DESC,
        c.support DESC, p.id
    LIMIT ?4
) AS q CROSS JOIN pattern AS p ON p.pattern_row = q.pattern_row
ORDER BY q.support DESC, p.id;

-- patterns_anywhere --
SELECT
    p.id, p.kind, q.project, p.content, p.description, p.domain, q.support, q.successes, q.failures, q.first_at_ms, q.last_at_ms,
    {sound pattern p}
FROM (
    SELECT
        p.pattern_row, p.id, iif(count(*) = 1, min(c.project), '*') AS project, sum(c.support) AS support, sum(c.successes) AS successes,
        sum(c.failures) AS failures, min(c.first_at_ms) AS first_at_ms, max(c.last_at_ms) AS last_at_ms
    FROM pattern AS p JOIN pattern_count AS c ON c.pattern_row = p.pattern_row
    WHERE
        ?1 = '*' AND (?2 = '' OR p.kind = ?2)
        AND (?5 = '[]' OR EXISTS (SELECT 1 FROM json_each(?5) AS w WHERE instr(lower(p.description), w.value)))
    GROUP BY p.pattern_row HAVING sum(c.support) >= ?3
    ORDER BY
        iif(?5 = '[]', 0, (SELECT count(*) FROM json_each(?5) AS w WHERE instr(lower(p.description), w.value))) DESC, 4 DESC, p.id
    LIMIT ?4
) AS q CROSS JOIN pattern AS p ON p.pattern_row = q.pattern_row
ORDER BY q.support DESC, p.id;

-- best_patterns_anywhere --
-- As `patterns_anywhere` of every kind and without words, in a fifth of the time: only patterns are summed up that can be among the best.
-- Among the ?2 * n rows with most support, of n projects, are at least ?2 patterns, so the last of these rows is no more than the last
-- answer's sum; and a pattern with such a sum has the n-th part of it in some project.
WITH RECURSIVE
known (project) AS (
    SELECT min(project) FROM pattern_count
    UNION ALL
    SELECT (SELECT min(project) FROM pattern_count WHERE project > known.project) FROM known WHERE known.project IS NOT NULL
),
projects (n) AS (SELECT max(1, count(project)) FROM known),
least (support) AS (SELECT min(support) FROM (SELECT support FROM pattern_count ORDER BY support DESC LIMIT ?2 * (SELECT n FROM projects)))
SELECT
    p.id, p.kind, q.project, p.content, p.description, p.domain, q.support, q.successes, q.failures, q.first_at_ms, q.last_at_ms,
    {sound pattern p}
FROM (
    SELECT
        p.pattern_row, p.id, iif(count(*) = 1, min(c.project), '*') AS project, sum(c.support) AS support, sum(c.successes) AS successes,
        sum(c.failures) AS failures, min(c.first_at_ms) AS first_at_ms, max(c.last_at_ms) AS last_at_ms
    FROM pattern AS p JOIN pattern_count AS c ON c.pattern_row = p.pattern_row
    WHERE p.pattern_row IN (SELECT x.pattern_row FROM pattern_count AS x, projects, least WHERE x.support * projects.n >= least.support)
    GROUP BY p.pattern_row HAVING sum(c.support) >= ?1 ORDER BY 4 DESC, p.id LIMIT ?2
) AS q CROSS JOIN pattern AS p ON p.pattern_row = q.pattern_row
ORDER BY q.support DESC, p.id;

-- evidence_of --
-- Newest episode first.
SELECT x.id, e.success, e.weight, e.at_ms, e.detail, {sound evidence e}
FROM evidence AS e JOIN episode AS x ON x.episode_row = e.episode_row
WHERE
    e.pattern_row = (SELECT pattern_row FROM pattern WHERE id = ?)
    AND e.episode_row NOT IN (SELECT episode_row FROM quarantined_episode)
ORDER BY e.episode_row DESC, e.ordinal LIMIT ?;

-- tallies_in_project --
-- ?1: a JSON array of episode ids, ?3: one of kinds.
SELECT x.id, p.id, p.kind, c.successes, c.failures
FROM json_each(?1) AS j
CROSS JOIN episode AS x ON x.id = j.value
CROSS JOIN evidence AS e ON e.episode_row = x.episode_row
CROSS JOIN pattern AS p ON p.pattern_row = e.pattern_row AND p.kind IN (SELECT value FROM json_each(?3))
CROSS JOIN pattern_count AS c ON c.project = ?2 AND c.pattern_row = e.pattern_row;

-- tallies_anywhere --
SELECT
    x.id, p.id, p.kind,
    (SELECT sum(c.successes) FROM pattern_count AS c WHERE c.pattern_row = p.pattern_row),
    (SELECT sum(c.failures) FROM pattern_count AS c WHERE c.pattern_row = p.pattern_row)
FROM json_each(?1) AS j
CROSS JOIN episode AS x ON x.id = j.value
CROSS JOIN evidence AS e ON e.episode_row = x.episode_row
CROSS JOIN pattern AS p ON p.pattern_row = e.pattern_row AND p.kind IN (SELECT value FROM json_each(?3))
WHERE ?2 = '*';

-- patterns_of_episode --
SELECT DISTINCT p.id FROM evidence AS e JOIN pattern AS p ON p.pattern_row = e.pattern_row
WHERE e.episode_row = (SELECT episode_row FROM episode WHERE id = ?) ORDER BY p.id;

-- evidence_rows_of_episode --
SELECT pattern_row, count(*) FROM evidence WHERE episode_row = ? GROUP BY pattern_row;

-- remove_evidence --
DELETE FROM evidence WHERE pattern_row = ? AND episode_row = ?;

-- add_space --
INSERT OR IGNORE INTO space (name) VALUES (?);

-- space_row --
SELECT space_row FROM space WHERE name = ?;

-- add_vector --
INSERT OR IGNORE INTO vector (space_row, seq, part, scale, codes, sum)
SELECT ?1, seq, ?2, ?3, ?4, row_sum(?1, seq, ?2, ?3 + 0.0, ?4) FROM trace
WHERE episode_row = (SELECT episode_row FROM episode WHERE id = ?5);

-- vectors_after --
SELECT v.vector_row, v.seq, t.episode_id, v.part, v.scale, v.codes, {sound vector v}
FROM vector AS v CROSS JOIN trace AS t ON t.seq = v.seq
WHERE v.space_row = ? AND v.vector_row > ? AND t.episode_row NOT IN (SELECT episode_row FROM quarantined_episode) ORDER BY v.vector_row LIMIT ?;

-- missing_vectors --
SELECT t.seq, t.episode_id FROM trace AS t
WHERE t.seq >= ? AND NOT EXISTS (SELECT 1 FROM vector AS v WHERE v.seq = t.seq AND v.space_row = ? AND v.part = 0)
ORDER BY t.seq DESC LIMIT ?;

-- add_recommendation --
INSERT OR IGNORE INTO recommendation (id, kind, project, episode_id, at_ms, shown_ids, sum)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, row_sum(?1, ?2, ?3, ?4, ?5, ?6));

-- recommendation_by_id --
SELECT id, kind, project, episode_id, at_ms, shown_ids, {sound recommendation} FROM recommendation WHERE id = ?;

-- recommendations_of_episode --
SELECT id, kind, project, episode_id, at_ms, shown_ids, {sound recommendation} FROM recommendation WHERE episode_id = ? ORDER BY recommendation_row;

-- add_feedback --
INSERT OR IGNORE INTO feedback (id, recommendation_row, verdict, used_ids, rating, note, implicit, at_ms, episode_id, sum)
SELECT
    ?1, recommendation_row, ?2, ?3, ?4, ?5, ?6, ?7, ?8, row_sum(?1, recommendation_row, ?2, ?3, ?4 + 0.0, ?5, ?6, ?7, ?8)
FROM recommendation WHERE id = ?9;

-- recommendation_exists --
SELECT 1 FROM recommendation WHERE id = ?;

-- shown_to --
SELECT episode_id FROM recommendation WHERE id = ?;

-- feedback_after --
SELECT
    f.feedback_row, f.id, r.id, f.verdict, f.used_ids, f.rating, f.note, f.implicit, f.at_ms, f.episode_id,
    r.kind, r.project, r.episode_id, r.at_ms, r.shown_ids,
    {sound feedback f} AND {sound recommendation r}
FROM feedback AS f JOIN recommendation AS r ON r.recommendation_row = f.recommendation_row
WHERE
    f.feedback_row > ?1 AND (?2 = '*' OR r.project = ?2)
    AND NOT EXISTS (
        SELECT 1 FROM quarantined_episode AS q JOIN episode AS e ON e.episode_row = q.episode_row
        WHERE e.id = coalesce(f.episode_id, r.episode_id)
    )
ORDER BY f.feedback_row;

-- add_correction --
INSERT OR IGNORE INTO correction (id, target_id, content, at_ms, hlc, origin, sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, row_sum(?1, ?2, ?3, ?4, ?5, ?6));

-- corrections_of --
SELECT target_id, content, {sound correction} FROM correction WHERE target_id = ? ORDER BY hlc, origin;

-- all_corrections --
SELECT target_id, content, {sound correction} FROM correction ORDER BY hlc, origin;

-- put_quarantine --
INSERT INTO quarantine (kind, name, active, reason, made_by, at_ms, hlc, origin, sum)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, row_sum(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8))
ON CONFLICT (kind, name) DO UPDATE
SET active = excluded.active, reason = excluded.reason, made_by = excluded.made_by, at_ms = excluded.at_ms, hlc = excluded.hlc,
    origin = excluded.origin, sum = excluded.sum
WHERE (excluded.hlc, excluded.origin) > (hlc, origin);

-- is_quarantined --
SELECT 1 FROM quarantine WHERE kind = ? AND name = ? AND active = 1;

-- quarantines --
SELECT kind, name, reason, made_by, at_ms, {sound quarantine} FROM quarantine WHERE active = 1 ORDER BY kind, name;

-- quarantine_episode --
INSERT OR IGNORE INTO quarantined_episode (episode_row) VALUES (?);

-- release_episode --
DELETE FROM quarantined_episode WHERE episode_row = ?;

-- quarantined_rows --
SELECT episode_row FROM quarantined_episode;

-- quarantined_ids --
SELECT e.id FROM quarantined_episode AS q JOIN episode AS e ON e.episode_row = q.episode_row;

-- is_quarantined_episode --
SELECT 1 FROM quarantined_episode WHERE episode_row = ?;

-- episode_sources --
SELECT episode_row, project, agent, opening FROM episode;

-- put_link --
INSERT INTO link (id, from_row, to_row, type, note, removed, at_ms, hlc, origin, sum)
VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8, row_sum(?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8))
ON CONFLICT (id) DO UPDATE
SET note = excluded.note, removed = 0, at_ms = excluded.at_ms, hlc = excluded.hlc, origin = excluded.origin, sum = excluded.sum
WHERE (excluded.hlc, excluded.origin) > (hlc, origin);

-- links_from_others --
SELECT f.id, l.id FROM link AS l JOIN episode AS f ON f.episode_row = l.from_row WHERE l.to_row = ?1 AND l.from_row != ?1;

-- votes_on_others --
SELECT r.episode_id, f.id FROM feedback AS f JOIN recommendation AS r ON r.recommendation_row = f.recommendation_row
WHERE f.episode_id = ?1 AND r.episode_id != ?1;

-- remove_link --
UPDATE link
SET removed = 1, at_ms = ?1, hlc = ?2, origin = ?3, sum = row_sum(id, from_row, to_row, type, note, 1, ?1, ?2, ?3)
WHERE from_row = ?4 AND to_row = ?5 AND type = ?6 AND removed != 1;

-- links_from --
SELECT to_row FROM link WHERE from_row = ? AND type = ? AND removed = 0;

-- links_touching --
SELECT l.id, f.id, t.id, l.type, l.note, {sound link l}
FROM episode AS x JOIN link AS l ON l.from_row = x.episode_row OR l.to_row = x.episode_row
JOIN episode AS f ON f.episode_row = l.from_row JOIN episode AS t ON t.episode_row = l.to_row
WHERE x.id = ? AND l.removed = 0 ORDER BY l.at_ms, l.id;

-- episode_id --
SELECT id FROM episode WHERE episode_row = ?;

-- add_checkpoint --
INSERT OR IGNORE INTO checkpoint (id, episode_row, content, at_ms, sum) VALUES (?1, ?2, ?3, ?4, row_sum(?1, ?2, ?3, ?4));

-- get_checkpoint --
SELECT e.id, c.content, {sound checkpoint c} FROM checkpoint AS c JOIN episode AS e ON e.episode_row = c.episode_row WHERE c.id = ?;

-- latest_checkpoint --
-- By its time, for rows are in the order of arrival where they came from other machines.
SELECT id FROM checkpoint WHERE episode_row = (SELECT episode_row FROM episode WHERE id = ?)
ORDER BY at_ms DESC, checkpoint_row DESC LIMIT 1;

-- checkpoints_of --
SELECT c.id, e.id, c.content, c.at_ms, {sound checkpoint c}
FROM checkpoint AS c JOIN episode AS e ON e.episode_row = c.episode_row WHERE e.id = ? ORDER BY c.at_ms, c.checkpoint_row;

-- tombstone --
-- Whether an episode was deleted: it must not come back.
SELECT 1 FROM tombstone WHERE id = ?;

-- add_tombstone --
INSERT OR REPLACE INTO tombstone (id, reason, change_seq, at_ms, project, sum) VALUES (?1, ?2, ?3, ?4, ?5, row_sum(?1, ?2, ?3, ?4, ?5));

-- any_remote --
SELECT 1 FROM remote LIMIT 1;

-- add_outgoing --
INSERT INTO outbox (remote_row, fact_id, sum) VALUES (0, ?1, row_sum(0, ?1));

-- schema_version --
SELECT max(version) FROM schema_migration;

-- set_references --
UPDATE episode SET parent_id = ?, follows = ?, follows_external = ? WHERE episode_row = ?;

-- link_to --
SELECT 1 FROM link WHERE to_row = ? AND type = ? AND removed = 0;

-- shared_step --
SELECT e.project, s.body, {sound step s} FROM episode AS e JOIN step AS s ON s.episode_row = e.episode_row
WHERE e.id = ? AND s.step_index = ? AND e.state != 'completed';

-- quarantine_of_stamp --
SELECT active, reason, made_by, at_ms, {sound quarantine} FROM quarantine WHERE kind = ? AND name = ? AND hlc = ? AND origin = ?;

-- project_of --
SELECT project FROM episode WHERE id = ?;

-- edits_of_stamp --
SELECT field, value, at_ms, {sound episode_edit} FROM episode_edit
WHERE episode_row = (SELECT episode_row FROM episode WHERE id = ?) AND hlc = ? AND origin = ?;

-- link_of_stamp --
SELECT e.project, t.id, l.type, l.note, l.removed, l.at_ms, {sound link l}
FROM link AS l JOIN episode AS e ON e.episode_row = l.from_row JOIN episode AS t ON t.episode_row = l.to_row
WHERE l.id = ? AND l.hlc = ? AND l.origin = ?;

-- feedback_by_id --
SELECT f.verdict, f.used_ids, f.rating, f.note, f.implicit, f.at_ms, f.episode_id, r.id, r.project, r.episode_id, {sound feedback f}
FROM feedback AS f JOIN recommendation AS r ON r.recommendation_row = f.recommendation_row WHERE f.id = ?;

-- correction_by_id --
SELECT target_id, content, at_ms, hlc, origin, {sound correction} FROM correction WHERE id = ?;

-- projects_of_pattern --
SELECT c.project FROM pattern_count AS c JOIN pattern AS p ON p.pattern_row = c.pattern_row WHERE p.id = ? LIMIT 2;

-- shared_checkpoint --
SELECT e.project, c.content, c.at_ms, {sound checkpoint c}
FROM checkpoint AS c JOIN episode AS e ON e.episode_row = c.episode_row WHERE c.id = ?;

-- tombstone_by_id --
SELECT reason, at_ms, project, {sound tombstone} FROM tombstone WHERE id = ?;

-- home_of --
SELECT home, {sound away} FROM away WHERE episode_row = ?;

-- set_home --
INSERT OR REPLACE INTO away (episode_row, home, sum) VALUES (?1, ?2, row_sum(?1, ?2));

-- at_home --
DELETE FROM away WHERE episode_row = ?;

-- put_claim --
INSERT OR REPLACE INTO claim (episode_row, number, origin, at_ms, granted, sum) VALUES (?1, ?2, ?3, ?4, ?5, row_sum(?1, ?2, ?3, ?4, ?5));

-- last_claim --
SELECT coalesce(max(number), 0) FROM claim WHERE episode_row = ? AND granted = 1;

-- claim_granted_to --
SELECT origin FROM claim WHERE episode_row = ? AND number = ? AND granted = 1;

-- asked_claim --
SELECT number FROM claim WHERE episode_row = ? AND granted = 0;

-- claim_of_number --
SELECT e.project, e.state, c.at_ms, c.origin, {sound claim c}
FROM claim AS c JOIN episode AS e ON e.episode_row = c.episode_row WHERE e.id = ? AND c.number = ?;

-- withdraw_claims --
DELETE FROM claim WHERE episode_row = ? AND granted = 0;

-- echoed --
SELECT steps, abandoned, {sound echoed} FROM echoed WHERE episode_row = ?;

-- note_echo --
INSERT OR REPLACE INTO echoed (episode_row, steps, abandoned, sum) VALUES (?1, ?2, ?3, row_sum(?1, ?2, ?3));

-- forget_echoes --
DELETE FROM echoed;

-- state_of --
SELECT state FROM episode WHERE episode_row = ?;

-- reopen_episode --
UPDATE episode SET state = 'open', ended_at_ms = NULL, step_count = 0, change_seq = ? WHERE episode_row = ?;

-- ended_at --
UPDATE episode SET ended_at_ms = ?1 WHERE episode_row = ?2 AND ended_at_ms IS NOT ?1;

-- recount_steps --
-- Of an open episode they are counted each time, and a completed one has what it was completed with.
UPDATE episode SET step_count = (SELECT count(*) FROM step WHERE episode_row = ?1) WHERE episode_row = ?1 AND state = 'abandoned';

-- cut_steps --
DELETE FROM step WHERE episode_row = ? AND step_index >= ?;

-- park --
INSERT OR REPLACE INTO parked (fact_id, waits_for, project, kind, hlc, origin, body, sum)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, row_sum(?1, ?2, ?3, ?4, ?5, ?6, ?7));

-- parked_for --
SELECT fact_id, project, kind, hlc, origin, body, {sound parked} FROM parked WHERE waits_for = ? ORDER BY hlc, fact_id;

-- parked_ids_for --
SELECT fact_id FROM parked WHERE waits_for = ? ORDER BY hlc, fact_id;

-- parked_by_id --
SELECT fact_id, project, kind, hlc, origin, body, {sound parked} FROM parked WHERE fact_id = ?;

-- unpark --
DELETE FROM parked WHERE fact_id = ?;

-- unpark_all --
DELETE FROM parked WHERE fact_id >= ? AND fact_id < ?;

-- parked_of --
SELECT fact_id, project, kind, hlc, origin, body, {sound parked} FROM parked WHERE fact_id >= ? AND fact_id < ?;

-- parked_parts --
SELECT fact_id, project, kind, hlc, origin, body, {sound parked} FROM parked WHERE fact_id >= ? AND fact_id < ? AND kind = 'part';

-- replace_step --
UPDATE step SET body = ?3, sum = row_sum(?1, ?2, ?3) WHERE episode_row = ?1 AND step_index = ?2;

-- step_body --
SELECT body, {sound step} FROM step WHERE episode_row = ? AND step_index = ?;

-- remove_steps --
DELETE FROM step WHERE episode_row = ?;

-- rewrite_episode --
UPDATE episode SET
    project = ?2, state = ?3, outcome = ?4, reward = ?5, task_type = ?6, domain = ?7, language = ?8, framework = ?9, complexity = ?10,
    agent = ?11, started_at_ms = ?12, ended_at_ms = ?13, step_count = ?14, change_seq = ?15, external_id = ?16, parent_id = ?17,
    follows = ?18, task = ?19, opening = ?20, closing = ?21
WHERE episode_row = ?1;

-- clear_tags --
DELETE FROM episode_tag WHERE tag IN (SELECT tag FROM episode_tag WHERE episode_row = ?1) AND episode_row = ?1;

-- drop_external --
UPDATE episode SET external_id = NULL WHERE id = ?;

-- followers_of --
SELECT id FROM episode WHERE follows = ?1 UNION SELECT id FROM episode WHERE parent_id = ?1;

-- put_link_as --
INSERT INTO link (id, from_row, to_row, type, note, removed, at_ms, hlc, origin, sum)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, row_sum(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9))
ON CONFLICT (id) DO UPDATE
SET note = excluded.note, removed = excluded.removed, at_ms = excluded.at_ms, hlc = excluded.hlc, origin = excluded.origin, sum = excluded.sum
WHERE (excluded.hlc, excluded.origin, excluded.removed, excluded.note) > (hlc, origin, removed = 1, note);

-- standing_links --
-- In the order in which they are believed: see link_writes._settle.
SELECT id, from_row, to_row, removed FROM link WHERE type = ? AND removed != 1 ORDER BY hlc, origin, id;

-- types_with_inactive --
SELECT DISTINCT type FROM link WHERE removed = 2;

-- set_inactive --
UPDATE link SET removed = ?2, sum = row_sum(id, from_row, to_row, type, note, ?2, at_ms, hlc, origin) WHERE id = ?1;

-- add_remote --
INSERT INTO remote (url, sum) VALUES (?1, 0);

-- sum_remote --
UPDATE remote SET sum = {sum remote} WHERE remote_row = ?;

-- remote_by_url --
SELECT
    remote_row, epoch, read_seq, batch, nonce, acknowledged, own_batch, resyncs, in_step_at_ms, last_error, {sound remote}
FROM remote WHERE url = ?;

-- remotes --
SELECT url FROM remote ORDER BY remote_row;

-- remove_remote --
DELETE FROM remote WHERE url = ?;

-- clear_outbox_of --
DELETE FROM outbox WHERE remote_row = ? AND outbox_row < (SELECT max(outbox_row) FROM outbox);

-- acknowledge --
UPDATE remote SET acknowledged = max(acknowledged, ?2), own_batch = max(own_batch, ?3) WHERE remote_row = ?1;

-- clear_outbox --
-- What every remote has that it concerns. The last row stays, so that no row number is used twice.
DELETE FROM outbox WHERE outbox_row < (SELECT max(outbox_row) FROM outbox) AND (
    (remote_row = 0 AND outbox_row <= coalesce((SELECT min(acknowledged) FROM remote), 9223372036854775807))
    OR (remote_row = ?1 AND outbox_row <= (SELECT acknowledged FROM remote WHERE remote_row = ?1))
);

-- outgoing --
SELECT outbox_row, fact_id, {sound outbox} FROM outbox WHERE outbox_row > ?1 AND remote_row IN (0, ?2) ORDER BY outbox_row LIMIT ?3;

-- pending --
SELECT count(*) FROM outbox WHERE outbox_row > ?1 AND remote_row IN (0, ?2);

-- has_pending --
SELECT EXISTS (SELECT 1 FROM outbox WHERE outbox_row > ?1 AND remote_row IN (0, ?2));

-- newest_outgoing --
SELECT coalesce(max(outbox_row), 0) FROM outbox;

-- read_up_to --
UPDATE remote SET read_seq = max(read_seq, ?2) WHERE remote_row = ?1;

-- seen_batch --
UPDATE remote SET epoch = ?2, batch = ?3, nonce = ?4, read_seq = max(read_seq, ?5) WHERE remote_row = ?1;

-- begin_again --
UPDATE remote SET epoch = ?2, read_seq = 0, batch = 0, nonce = '', own_batch = 0, resyncs = resyncs + ?3 WHERE remote_row = ?1;

-- in_step --
UPDATE remote SET in_step_at_ms = coalesce(?2, in_step_at_ms), last_error = ?3 WHERE remote_row = ?1;

-- queue_everything --
-- Every fact there is, in an order in which what something rests on comes first.
INSERT INTO outbox (remote_row, fact_id, sum)
SELECT ?1, id, row_sum(?1, id) FROM (
    SELECT fact_id('tombstone', id) AS id, 0 AS part, 0 AS row, 0 AS place FROM tombstone
    UNION ALL SELECT fact_id('open', id), 1, episode_row, -2 FROM episode WHERE state != 'completed'
    UNION ALL SELECT fact_id('claim', e.id, c.number), 1, e.episode_row, iif(c.granted, -1, 2000000)  -- what was before is no longer taken
    FROM episode AS e JOIN claim AS c ON c.episode_row = e.episode_row WHERE e.state != 'completed'
    UNION ALL SELECT fact_id('step', e.id, s.step_index), 1, e.episode_row, s.step_index
    FROM episode AS e JOIN step AS s ON s.episode_row = e.episode_row WHERE e.state != 'completed'
    UNION ALL SELECT fact_id('abandon', id), 1, episode_row, 1000000 FROM episode WHERE state = 'abandoned'
    UNION ALL SELECT fact_id('episode', id), 1, episode_row, 0 FROM episode WHERE state = 'completed'
    UNION ALL SELECT DISTINCT fact_id('edit', e.id, printf('%x_%s', x.hlc, x.origin)), 2, e.episode_row, x.hlc
    FROM episode_edit AS x JOIN episode AS e ON e.episode_row = x.episode_row
    UNION ALL SELECT fact_id('recommendation', coalesce(episode_id, ''), id), 3, recommendation_row, 0 FROM recommendation
    UNION ALL SELECT fact_id('feedback', coalesce(r.episode_id, f.episode_id, ''), f.id), 4, f.feedback_row, 0
    FROM feedback AS f JOIN recommendation AS r ON r.recommendation_row = f.recommendation_row
    UNION ALL SELECT fact_id('link', e.id, l.id, printf('%x_%s', l.hlc, l.origin)), 5, l.hlc, 0
    FROM link AS l JOIN episode AS e ON e.episode_row = l.from_row WHERE l.hlc > 0
    UNION ALL SELECT fact_id('correction', target_id, id), 6, correction_row, 0 FROM correction
    UNION ALL SELECT fact_id('checkpoint', e.id, c.id), 7, c.checkpoint_row, 0
    FROM checkpoint AS c JOIN episode AS e ON e.episode_row = c.episode_row
    UNION ALL SELECT fact_id('quarantine', kind || '/' || name, printf('%x_%s', hlc, origin)), 8, 0, 0 FROM quarantine
    UNION ALL SELECT fact_id, 9, 0, 0 FROM parked
) ORDER BY part, row, place;
