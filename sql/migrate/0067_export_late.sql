-- Scheduled exports lose no record that is loaded late, and send none twice. A
-- file takes the calls that ended in its span; a record that comes when the
-- span of its end was taken already gets a note, and goes by that: it is in the
-- template's next file.
--
-- What decides is whether the loader knew of the span. The span is claimed, and
-- that is committed, before its file is made; a loader holds a lock (shared, so
-- that nobody waits) from before it reads the claims until it commits; who
-- makes the file waits for those that held it by then. So of each record that
-- is not to be seen yet there is, or will be, a note.
alter table cdr.export_template
	-- of the spans so far: where the first one began, and where the last one
	-- ends, also while its file is being made
	add column covered_from timestamptz,
	add column claimed_to timestamptz;
update cdr.export_template t set claimed_to = t.covered_to,
	covered_from = (select min(f.from_at) from cdr.export_file f
		where f.template_id = t.id)
	where t.covered_to is not null;

create table cdr.export_late (
	template_id text not null references cdr.export_template
		on delete cascade,
	started_at timestamptz not null,
	call_id uuid not null,
	-- that is making the file with it
	job_id text,
	primary key (template_id, started_at, call_id)
);
grant select on cdr.export_late to strowger_api;

drop trigger export_template_touch on cdr.export_template;
create trigger export_template_touch before update on cdr.export_template
	for each row when ((old.sequence, old.covered_to, old.next_at,
		old.claimed_to) is not distinct from (new.sequence,
		new.covered_to, new.next_at, new.claimed_to))
	execute function core.touch();

create function cdr.export_lock() returns bigint language sql immutable as
$$
	select hashtextextended('cdr.export_late', 0)
$$;

-- Reports are not of records, and tell of a span what is there by then.
create function cdr.note_late() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	perform pg_advisory_xact_lock_shared(cdr.export_lock());
	if (select min(f.ended_at) from fresh f where f.attempt = 0)
			< (select max(t.claimed_to) from cdr.export_template t
				where t.columns is not null) then
		insert into cdr.export_late (template_id, started_at, call_id)
			select t.id, f.started_at, f.call_id
			from cdr.export_template t join fresh f
				on f.ended_at >= t.covered_from
				and f.ended_at < t.claimed_to
			where f.attempt = 0 and t.columns is not null
				and (t.tenant_id is null or exists (select from
				core.tenant_tree s where s.tenant_id = f.tenant_id
				and s.ancestor_id = t.tenant_id));
	end if;
	return null;
end
$$;
create trigger record_late after insert on cdr.record
	referencing new table as fresh
	for each statement execute function cdr.note_late();

-- Who loads just now, and may not have seen what is claimed.
create function cdr.export_loaders() returns text[] language sql volatile as
$$
	select coalesce(array_agg(l.virtualtransaction), '{}')
		from pg_catalog.pg_locks l
		where l.locktype = 'advisory' and l.objsubid = 1
			and ((l.classid::bigint << 32) | l.objid::bigint)
				= cdr.export_lock()
			and l.database = (select d.oid from
				pg_catalog.pg_database d
				where d.datname = current_database())
			and l.pid <> pg_backend_pid()
$$;

-- Before the records of a scheduled file are read: what is noted is for it.
create function cdr.export_begin(p_template text, p_job text) returns void
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	loaders text[] := cdr.export_loaders();
	patience timestamptz := clock_timestamp() + interval '1 minute';
begin
	while loaders && cdr.export_loaders() loop
		if clock_timestamp() > patience then
			raise exception 'records have been loading for a minute'
				using errcode = 'lock_not_available';
		end if;
		perform pg_sleep(0.02);
	end loop;
	update cdr.export_late l set job_id = p_job
		where l.template_id = p_template;
end
$$;

create or replace function cdr.export_done(p_template text, p_job text,
	p_from timestamptz, p_to timestamptz, p_records bigint, p_bytes bigint,
	p_sha256 text, p_is_scheduled boolean, out sequence bigint,
	out name text)
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	t cdr.export_template;
begin
	update cdr.export_template u set sequence = u.sequence + 1,
			covered_to = case when p_is_scheduled then p_to
				else u.covered_to end
		where u.id = p_template and (not p_is_scheduled
			or coalesce(u.covered_to, p_from) = p_from)
		returning * into t;
	-- a job that was given up for lost, and was not
	if not found then
		raise exception 'another file has this span'
			using errcode = 'object_not_in_prerequisite_state';
	end if;
	if p_is_scheduled then
		delete from cdr.export_late l where l.template_id = p_template
			and l.job_id = p_job;
	end if;
	sequence := t.sequence;
	name := regexp_replace(t.name, '[^A-Za-z0-9._-]+', '_', 'g') || '-'
		|| lpad(t.sequence::text, 6, '0') || '.' || t.format;
	insert into cdr.export_file (id, template_id, sequence, name, from_at,
			to_at, job_id, records, bytes, sha256, status,
			next_try_at)
		values (core.new_id('cef'), t.id, t.sequence, export_done.name,
			p_from, p_to, p_job, p_records, p_bytes, p_sha256,
			case when t.url is null then 'kept' else 'waiting' end,
			case when t.url is not null then now() end);
end
$$;

create or replace function cdr.jobs_due() returns bigint
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	n bigint := 0;
	t cdr.export_template;
	f record;
	until timestamptz;
	since timestamptz;
begin
	update cdr.schedule s set next_at = date_trunc('day', now())
			+ interval '1 day 2 hours 30 minutes'
		where s.kind = 'cdr_retention' and s.next_at <= now();
	if found then
		insert into core.job (id, kind, key_id) values
			(core.new_id('job'), 'cdr_retention', 'schedule');
		n := n + 1;
	end if;

	for t in select * from cdr.export_template e
			where e.schedule <> 'none' and e.status = 'active'
				and e.next_at <= now()
			for update skip locked loop
		until := cdr.export_end(t, now());
		since := coalesce(t.covered_to, t.covered_from, ((until
			at time zone t.time_zone) - cdr.export_period(t))
			at time zone t.time_zone);
		-- a claim is never taken back: there may be notes of it
		until := greatest(least(until, since + interval '93 days'),
			t.claimed_to);
		-- a job that fails comes again, not at once
		update cdr.export_template e set next_at = now()
				+ interval '1 minute' where e.id = t.id;
		continue when until <= since or exists (select from core.job j
			where j.kind = 'cdr_export'
				and j.status in ('queued', 'running')
				and j.args ->> 'template_id' = t.id);
		update cdr.export_template e set claimed_to = until,
				covered_from = coalesce(t.covered_from, since)
			where e.id = t.id;
		insert into core.job (id, kind, key_id, args) values
			(core.new_id('job'), 'cdr_export', 'schedule',
			jsonb_build_object('template_id', t.id,
				'is_scheduled', true, 'from', to_char(since
				at time zone 'UTC',
				'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'to',
				to_char(until at time zone 'UTC',
				'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')));
		n := n + 1;
	end loop;

	for f in select e.id from cdr.export_file e
			where e.status = 'waiting' and e.next_try_at <= now()
			for update skip locked loop
		-- until the job has said what came of it
		update cdr.export_file e set next_try_at = now()
				+ interval '10 minutes' where e.id = f.id;
		insert into core.job (id, kind, key_id, args) values
			(core.new_id('job'), 'cdr_delivery', 'schedule',
			jsonb_build_object('file_id', f.id));
		n := n + 1;
	end loop;
	return n;
end
$$;

revoke all on function cdr.export_lock(), cdr.note_late(),
	cdr.export_loaders(), cdr.export_begin(text, text) from public;
grant execute on function cdr.export_begin(text, text) to strowger_api;
