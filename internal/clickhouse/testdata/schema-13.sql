-- What the program of schema 13 wrote, statement by statement: two parts of a shard, the
-- rows of events that they stand for, a version and a decision. TOKEN is the setting
-- that the constraints ask for.
TOKEN v:1
INSERT INTO configurations (number, attempt, applied_at, author, reason, hash, body) VALUES (1, 7, '2026-03-01 12:00:00.000', 'before', 'the first', repeat('a', 64), '{"number":1,"applied_at":"2026-03-01T12:00:00Z","author":"before","reason":"the first"}');
TOKEN d:1
INSERT INTO decisions (seq, attempt, at, experiment, iteration, kind, actor, config, code, evidence, prev_hash, hash) VALUES (1, 7, '2026-03-01 12:00:01.000', 'e1', 1, 'decided', 'before', 1, 'v0', '{}', repeat('0', 64), '07c2f2da26b3b2e5e3eecdcb7a20b06d17cc3ccba8b20bdf1c7dc1a2e1d4b6e5');
TOKEN none
INSERT INTO events (topic, shard, offset, t, kafka_t, type, unit_kind, unit, id, experiment, variant, event, value, attrs, misplaced) VALUES ('exposures', 0, 0, '2026-03-01 12:00:00.000', '2026-03-01 12:00:00.000', 'exposure', 'user', 1, 'a', 'e1', 'c', '', 0, {}, false), ('exposures', 0, 1, '2026-03-01 12:00:01.000', '2026-03-01 12:00:01.000', 'exposure', 'user', 2, 'b', 'e1', 'c', '', 0, {}, false);
TOKEN g:0:1
INSERT INTO ledger (shard, seq, mark, experiment, iteration, phase, variant, metric, slot, n, attempt, config, code, partitions, rows, written_at, topics, topic_ids, epochs, `from`, next, accepted, duplicate, dead, misplaced, suppressed, shed, norecord, gap, decode) VALUES (0, 1, 1, '', 0, 0, '', '', 0, 0, 7, 1, 'v0', 1, 2, '2026-03-01 12:00:02.000', ['exposures'], [''], [0], [0], [1], [1], [0], [0], [0], [0], [0], [0], [0], [0]), (0, 1, 0, 'e1', 1, 1, 'c', '$units', 0, 1, 0, 0, '', 0, 0, 0, [], [], [], [], [], [], [], [], [], [], [], [], [], []);
TOKEN g:0:2
INSERT INTO ledger (shard, seq, mark, experiment, iteration, phase, variant, metric, slot, n, attempt, config, code, partitions, rows, written_at, topics, topic_ids, epochs, `from`, next, accepted, duplicate, dead, misplaced, suppressed, shed, norecord, gap, decode) VALUES (0, 2, 1, '', 0, 0, '', '', 0, 0, 9, 1, 'v0', 1, 2, '2026-03-01 12:00:03.000', ['exposures'], [''], [0], [1], [2], [1], [0], [0], [0], [0], [0], [0], [0], [0]), (0, 2, 0, 'e1', 1, 1, 'c', '$units', 0, 1, 0, 0, '', 0, 0, 0, [], [], [], [], [], [], [], [], [], [], [], [], [], []);
