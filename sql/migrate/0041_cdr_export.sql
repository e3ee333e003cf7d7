-- As the ids that strowger-api makes: they grow with time.
create or replace function core.new_id(prefix text) returns text
	language sql volatile as
$$
	select prefix || '_' || (select string_agg(substr(a.letters, 1 + ((ms
			>> (45 - 5 * i)) & 31)::integer, 1), '' order by i)
		from generate_series(0, 9) i) || (select string_agg(substr(
		a.letters, 1 + (get_byte(r.bytes, i) & 31), 1), '')
		from generate_series(0, 15) i)
	from (select '0123456789abcdefghjkmnpqrstvwxyz' as letters) a,
		(select (extract(epoch from clock_timestamp()) * 1000)::bigint
			as ms) t,
		(select decode(md5(random()::text || clock_timestamp()::text),
			'hex') as bytes) r
$$;

-- Exports by template: what a recipient gets of which calls, in which form,
-- when, and where to; each file has a number, one more than the last.
create table cdr.export_template (
	id text primary key check (core.is_id(id, 'cet')),
	name core.name not null unique,
	-- whose calls, with those below; null: all
	tenant_id text references core.tenant on delete cascade,
	status text not null default 'active'
		check (status in ('active', 'suspended')),
	format text not null default 'csv' check (format in ('csv', 'ndjson')),
	columns text[] not null check (cardinality(columns) between 1 and 64),
	-- of the columns, separated by commas; null: their names
	headings text check (octet_length(headings) between 1 and 2000),
	has_header boolean not null default true,
	separator text not null default ','
		check (separator in (',', ';', '|', E'\t')),
	decimal_mark text not null default '.'
		check (decimal_mark in ('.', ',')),
	time_zone text not null default 'UTC',
	schedule text not null default 'none'
		check (schedule in ('none', 'hourly', 'daily', 'monthly')),
	-- a record is loaded by then, also when the database was away
	delay_min integer not null default 60
		check (delay_min between 0 and 10080),
	url text check (url ~ '^(https?|sftp)://[^[:space:]]+$'
		and octet_length(url) <= 500),
	sequence bigint not null default 0 check (sequence >= 0),
	covered_to timestamptz,
	next_at timestamptz not null default now(),
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint export_template_headings check (headings is null or
		cardinality(string_to_array(headings, ','))
			= cardinality(columns)),
	constraint export_template_marks check (format <> 'csv'
		or separator <> decimal_mark),
	-- what we pay whom is nobody's but the platform's
	constraint export_template_vendor check (tenant_id is null or not
		columns && array['carrier_id', 'gateway_id', 'cost',
		'cost_currency'])
);
create trigger export_template_touch before update on cdr.export_template
	for each row when ((old.sequence, old.covered_to, old.next_at)
		is not distinct from (new.sequence, new.covered_to,
		new.next_at)) execute function core.touch();

create function cdr.export_template_zone() returns trigger
	language plpgsql as
$$
begin
	perform now() at time zone new.time_zone;
	return new;
exception when invalid_parameter_value then
	raise exception 'there is no time zone %', new.time_zone
		using errcode = 'check_violation',
		constraint = 'export_template_zone';
end
$$;
create trigger export_template_zone before insert or update of time_zone
	on cdr.export_template for each row
	execute function cdr.export_template_zone();

create table cdr.export_file (
	id text primary key check (core.is_id(id, 'cef')),
	template_id text not null references cdr.export_template
		on delete cascade,
	sequence bigint not null check (sequence > 0),
	name text not null,
	from_at timestamptz not null,
	to_at timestamptz not null,
	-- has the text, for a week
	job_id text not null,
	records bigint not null,
	bytes bigint not null,
	sha256 text not null,
	-- kept: nobody is to have it delivered
	status text not null check (status in
		('kept', 'waiting', 'delivered', 'failed')),
	tries integer not null default 0,
	next_try_at timestamptz,
	delivered_at timestamptz,
	error text,
	created_at timestamptz not null default now(),
	unique (template_id, sequence)
);
create index export_file_waiting on cdr.export_file (next_try_at)
	where status = 'waiting';

-- The file of a job, in the transaction that has its text: so no number is
-- without a file, and no file without a number.
create function cdr.export_done(p_template text, p_job text,
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
		where u.id = p_template returning * into t;
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

-- What came of bringing a file: a pause that grows to six hours, for two days.
create function cdr.export_tried(p_file text, p_error text) returns void
	language sql security definer
	set search_path = pg_catalog, pg_temp as
$$
	update cdr.export_file f set tries = f.tries + 1, error = $2,
		delivered_at = case when $2 is null then now() end,
		status = case when $2 is null then 'delivered'
			when f.created_at < now() - interval '2 days'
				then 'failed'
			else 'waiting' end,
		next_try_at = case when $2 is null then null
			else now() + least(interval '6 hours',
				interval '2 s' * 4 ^ least(f.tries, 10)) end
		where f.id = $1
$$;

create function cdr.export_period(t cdr.export_template) returns interval
	language sql immutable as
$$
	select case t.schedule when 'hourly' then interval '1 hour'
		when 'daily' then interval '1 day'
		else interval '1 month' end
$$;

-- The end of the last period that is over, in the template's time zone.
create function cdr.export_end(t cdr.export_template, p_now timestamptz)
	returns timestamptz language sql stable as
$$
	select date_trunc(case t.schedule when 'hourly' then 'hour'
		when 'daily' then 'day' else 'month' end,
		(p_now - make_interval(mins => t.delay_min))
			at time zone t.time_zone) at time zone t.time_zone
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
		since := coalesce(t.covered_to, ((until at time zone
			t.time_zone) - cdr.export_period(t))
			at time zone t.time_zone);
		-- a job that fails comes again, not at once
		update cdr.export_template e set next_at = now()
				+ interval '1 minute' where e.id = t.id;
		continue when until <= since or exists (select from core.job j
			where j.kind = 'cdr_export'
				and j.status in ('queued', 'running')
				and j.args ->> 'template_id' = t.id);
		insert into core.job (id, kind, key_id, args) values
			(core.new_id('job'), 'cdr_export', 'schedule',
			jsonb_build_object('template_id', t.id,
				'is_scheduled', true, 'from', to_char(since
				at time zone 'UTC',
				'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'to',
				to_char(least(until, since
					+ interval '93 days') at time zone 'UTC',
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

revoke all on function cdr.export_template_zone(),
	cdr.export_done(text, text, timestamptz, timestamptz, bigint, bigint,
		text, boolean), cdr.export_tried(text, text),
	cdr.export_period(cdr.export_template),
	cdr.export_end(cdr.export_template, timestamptz) from public;
grant execute on function cdr.export_done(text, text, timestamptz, timestamptz,
		bigint, bigint, text, boolean), cdr.export_tried(text, text)
	to strowger_api;
grant select, insert, delete on cdr.export_template to strowger_api;
grant update (name, status, format, columns, headings, has_header, separator,
	decimal_mark, time_zone, schedule, delay_min, url, row_version,
	updated_at) on cdr.export_template to strowger_api;
grant select on cdr.export_file to strowger_api;
