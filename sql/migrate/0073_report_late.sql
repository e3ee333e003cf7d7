-- A report that its schedule made says what was there by then. When records of its
-- span are loaded later, or a call of it is rated again, it is made once more; if it
-- says otherwise then, that is a file with a number of its own, which says what it
-- corrects and for the how manyth time.
--
-- Whether the loader knew of the span is decided as for files of records
-- (0067_export_late.sql). A re-rating does not say that it is there, since it may
-- last: it notes what no file has yet, too, and whoever makes that file drops it.
alter table cdr.export_file
	-- that a schedule made
	add column report text,
	-- of what it says of the span, without the word about what it corrects
	add column content_sha256 text,
	-- the first one of its span
	add column corrects_id text references cdr.export_file on delete cascade,
	add column revision integer not null default 0,
	add constraint export_file_corrects check ((revision > 0)
		= (corrects_id is not null));
create index export_file_corrects on cdr.export_file (corrects_id, revision)
	where corrects_id is not null;

-- Nothing here is waited for: a loader only adds. Of an hour its earliest record.
create table cdr.report_late (
	template_id text not null references cdr.export_template
		on delete cascade,
	late_at timestamptz not null,
	noted_at timestamptz not null default now()
);
create index report_late_template on cdr.report_late (template_id, noted_at);
grant select on cdr.report_late to strowger_api;

create function cdr.report_patience(t cdr.export_template) returns interval
	language sql immutable as
$$
	select make_interval(mins => greatest(t.delay_min, 60))
$$;

create or replace function cdr.note_late() returns trigger
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
	-- reports count a call when it began
	if (select min(f.started_at) from fresh f)
			< (select max(t.claimed_to) from cdr.export_template t
				where t.report is not null) then
		insert into cdr.report_late (template_id, late_at)
			select t.id, min(f.started_at)
			from cdr.export_template t join fresh f
				on f.started_at >= t.covered_from
				and f.started_at < t.claimed_to
			where t.report is not null
				and (t.tenant_id is null or exists (select from
				core.tenant_tree s where s.tenant_id = f.tenant_id
				and s.ancestor_id = t.tenant_id))
			group by t.id, date_trunc('hour', f.started_at,
				t.time_zone);
	end if;
	return null;
end
$$;

-- Who pays for a call may be another tenant than who began it.
create function cdr.note_late_charge() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	if tg_argv[0] = 'first' then
		perform pg_advisory_xact_lock_shared(cdr.export_lock());
	end if;
	if tg_argv[0] = 'again' or (select min(f.started_at) from fresh f)
			< (select max(t.claimed_to) from cdr.export_template t
				where t.report is not null) then
		insert into cdr.report_late (template_id, late_at)
			select t.id, min(f.started_at)
			from cdr.export_template t join fresh f
				on f.started_at >= coalesce(t.covered_from,
					'-infinity')
				and (tg_argv[0] = 'again'
					or f.started_at < t.claimed_to)
			where t.report is not null
				and (t.tenant_id is null or exists (select
				from core.account a join core.tenant_tree s
					on s.tenant_id = a.tenant_id
				where a.id = f.account_id
					and s.ancestor_id = t.tenant_id))
			group by t.id, date_trunc('hour', f.started_at,
				t.time_zone);
	end if;
	return null;
end
$$;
create trigger charge_late after insert on cdr.charge
	referencing new table as fresh
	for each statement execute function cdr.note_late_charge('first');
create trigger charge_revision_late after insert on cdr.charge_revision
	referencing new table as fresh
	for each statement execute function cdr.note_late_charge('again');

-- Before a scheduled report is made: what is noted is in it.
create function cdr.report_begin(p_template text, p_job text,
	p_from timestamptz, p_to timestamptz) returns void
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	perform cdr.export_begin(p_template, p_job);
	delete from cdr.report_late l where l.template_id = p_template
		and l.late_at >= p_from and l.late_at < p_to;
end
$$;

-- The file of a scheduled report, as cdr.export_done(); of one that corrects
-- another (its id is p_corrects).
create function cdr.report_done(p_template text, p_job text,
	p_from timestamptz, p_to timestamptz, p_records bigint, p_bytes bigint,
	p_sha256 text, p_content text, p_corrects text, out sequence bigint,
	out name text)
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	first cdr.export_file;
	done record;
begin
	if p_corrects is not null then
		-- a job that was given up for lost, and was not
		select * into first from cdr.export_file f
			where f.id = p_corrects for update;
		if exists (select from cdr.export_file f
			where p_corrects in (f.id, f.corrects_id)
				and f.job_id = p_job) then
			raise exception 'another file is of this job'
				using errcode = 'object_not_in_prerequisite_state';
		end if;
	end if;
	select d.sequence, d.name into done from cdr.export_done(p_template,
		p_job, p_from, p_to, p_records, p_bytes, p_sha256,
		p_corrects is null) d;
	sequence := done.sequence;
	update cdr.export_file f set report = t.report,
		content_sha256 = p_content, corrects_id = p_corrects,
		revision = case when p_corrects is null then 0 else 1 + (
			select max(o.revision) from cdr.export_file o
			where p_corrects in (o.id, o.corrects_id)) end,
		name = case when p_corrects is null then f.name
			else regexp_replace(f.name, '(\.[a-z]+)$', '-corrects-'
				|| lpad(first.sequence::text, 6, '0') || '\1')
			end
		from cdr.export_template t
		where t.id = p_template and f.template_id = t.id
			and f.sequence = done.sequence
		returning f.name into name;
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

	-- a report is made anew when it was quiet for as long as it waits for
	-- records anyway, and no more often: most of what is late comes at once
	delete from cdr.report_late l using cdr.export_template e
		where e.id = l.template_id and (e.report is null
			or l.late_at < e.covered_from);
	for t in select * from cdr.export_template e
			where e.schedule <> 'none' and e.status = 'active'
				and exists (select from cdr.report_late l
					where l.template_id = e.id
					and l.noted_at <= now()
						- cdr.report_patience(e))
			for update skip locked loop
		continue when exists (select from core.job j
			where j.kind = 'cdr_export'
				and j.status in ('queued', 'running')
				and j.args ->> 'template_id' = t.id);
		select x.id, x.from_at, x.to_at into f
			from cdr.report_late l join cdr.export_file x
				on x.template_id = t.id and x.report = t.report
				and x.corrects_id is null
				and l.late_at >= x.from_at and l.late_at < x.to_at
			where l.template_id = t.id and l.noted_at <= now()
				- cdr.report_patience(t)
			order by l.noted_at, x.from_at limit 1;
		-- of another report than the template is of now, or not made yet
		continue when not found;
		update cdr.report_late l set noted_at = now()
			where l.template_id = t.id and l.late_at >= f.from_at
				and l.late_at < f.to_at;
		insert into core.job (id, kind, key_id, args) values
			(core.new_id('job'), 'cdr_export', 'schedule',
			jsonb_build_object('template_id', t.id,
				'is_scheduled', true, 'corrects', f.id, 'from',
				to_char(f.from_at at time zone 'UTC',
				'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'to',
				to_char(f.to_at at time zone 'UTC',
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

revoke all on function cdr.report_patience(cdr.export_template),
	cdr.note_late_charge(), cdr.report_begin(text, text, timestamptz,
		timestamptz), cdr.report_done(text, text, timestamptz,
		timestamptz, bigint, bigint, text, text, text) from public;
grant execute on function cdr.report_begin(text, text, timestamptz,
		timestamptz), cdr.report_done(text, text, timestamptz,
		timestamptz, bigint, bigint, text, text, text) to strowger_api;
