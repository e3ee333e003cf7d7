-- A batch of revisions looks up its charges and records by their keys, as
-- report.count_charges() does: by hash the whole month would be read for each.
alter function report.count_revisions() set enable_hashjoin = off;
alter function report.count_revisions() set enable_mergejoin = off;
alter function report.count_revisions() set enable_seqscan = off;
