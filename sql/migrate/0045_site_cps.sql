-- Calls per second out of one site; the trunk's are those of all its sites.
alter table core.site
	add column cps core.limit_n;
