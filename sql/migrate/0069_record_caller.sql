-- Who talks most is asked of a whole month: an index in the order of time, as
-- records stand, so that the visibility map is walked once and not per entry.
-- Searching for a number needs its key alone.
drop index cdr.record_calling;
create index record_calling on cdr.record (calling, started_at)
	where attempt = 0 and calling is not null;
create index record_caller on cdr.record (started_at)
	include (tenant_id, calling, currency, duration_ms, price_micro)
	where attempt = 0 and calling is not null;
