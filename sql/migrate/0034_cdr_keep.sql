-- How long call records are kept, and proof of what was deleted.

-- A class without a rule is kept for ever. A tenant's own rule goes before
-- that of all. Charges and decisions are of no single tenant.
create table cdr.retention_rule (
	id text primary key check (core.is_id(id, 'crr')),
	class text not null check (class in ('answered', 'unanswered',
		'attempt', 'charge', 'decision')),
	tenant_id text references core.tenant on delete cascade,
	keep_days integer not null check (keep_days between 1 and 36500),
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint retention_rule_once unique nulls not distinct
		(class, tenant_id),
	constraint retention_rule_scope check (tenant_id is null
		or class in ('answered', 'unanswered', 'attempt'))
);
create trigger retention_rule_touch before update on cdr.retention_rule
	for each row execute function core.touch();

-- Append-only: which rule deleted how many rows of which time, and when.
create table cdr.deletion (
	id bigint generated always as identity primary key,
	rule_id text not null,
	class text not null,
	tenant_id text,
	keep_days integer not null,
	-- rows, or a whole month at once
	method text not null check (method in ('rows', 'partition')),
	rows_deleted bigint not null check (rows_deleted > 0),
	first_started_at timestamptz not null,
	last_started_at timestamptz not null,
	deleted_at timestamptz not null default clock_timestamp(),
	deleted_by text not null default session_user
);
create trigger deletion_fixed before update or delete on cdr.deletion
	for each row execute function core.refuse('deletion');

-- Records are still changed by nobody, and deleted by retention alone.
create function cdr.refuse_delete() returns trigger language plpgsql as
$$
begin
	if tg_op = 'DELETE' and
		coalesce(current_setting('cdr.retention', true), '') = 'on' then
		return old;
	end if;
	raise exception '%: % is append-only', tg_argv[0], tg_table_name
		using errcode = 'restrict_violation';
end
$$;
do $$
declare
	t text;
begin
	foreach t in array array['record', 'charge', 'decision'] loop
		execute format('drop trigger %1$s_fixed on cdr.%1$s', t);
		execute format('create trigger %1$s_fixed before update or '
			'delete on cdr.%1$s for each row '
			'execute function cdr.refuse_delete(%1$L)', t);
	end loop;
end
$$;

create function cdr.class_table(class text) returns text
	language sql immutable as
$$
	select case class when 'charge' then 'charge'
		when 'decision' then 'decision' else 'record' end
$$;

create function cdr.class_where(class text) returns text
	language sql immutable as
$$
	select case class
		when 'answered' then 't.attempt = 0 and t.answered_at is not null'
		when 'unanswered' then 't.attempt = 0 and t.answered_at is null'
		when 'attempt' then 't.attempt > 0'
		else 'true' end
$$;

-- The months of a table that are over for all its rules: every class has one
-- of its own for all tenants, and the longest of them has passed.
create function cdr.months_over(p_table text, p_now timestamptz)
	returns table (partition text, first timestamptz)
	language sql stable
	set search_path = pg_catalog, pg_temp
	set timezone = 'UTC' as
$$
	with longest as (select max(r.keep_days) as days
		from cdr.retention_rule r
		where cdr.class_table(r.class) = p_table
		having count(*) filter (where r.tenant_id is null)
			= case p_table when 'record' then 3 else 1 end),
	months as (select c.relname::text as name,
			to_timestamp(right(c.relname, 7), 'YYYY_MM') as first
		from pg_inherits i join pg_class c on c.oid = i.inhrelid
		where i.inhparent = ('cdr.' || p_table)::regclass
			and c.relname ~ (p_table || '_[0-9]{4}_[0-9]{2}$'))
	select m.name, m.first from months m, longest l
		where m.first + interval '1 month'
			<= p_now - make_interval(days => l.days)
		order by m.first
$$;

-- Drop the oldest month that is over. @return its rows, null: there is none
create function cdr.retain_month(p_now timestamptz) returns bigint
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	t text;
	month record;
	found_any boolean := false;
	n bigint := 0;
	k bigint;
	rule cdr.retention_rule;
begin
	foreach t in array array['decision', 'record', 'charge'] loop
		select * into month from cdr.months_over(t, p_now) limit 1;
		continue when month.partition is null;
		for rule in select * from cdr.retention_rule r
				where cdr.class_table(r.class) = t
					and r.tenant_id is null loop
			execute format('insert into cdr.deletion (rule_id, '
				'class, keep_days, method, rows_deleted, '
				'first_started_at, last_started_at) '
				'select $1, $2, $3, ''partition'', count(*), '
				'min(t.started_at), max(t.started_at) '
				'from cdr.%I t where %s having count(*) > 0 '
				'returning rows_deleted', month.partition,
				cdr.class_where(rule.class))
				into k using rule.id, rule.class,
					rule.keep_days;
			n := n + coalesce(k, 0);
		end loop;
		execute format('drop table cdr.%I', month.partition);
		return n;
	end loop;
	return null;
end
$$;

-- Delete up to p_rows rows that a rule does not keep. @return how many
create function cdr.retain_rows(p_now timestamptz, p_rows integer)
	returns bigint language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	rule cdr.retention_rule;
	whose text;
	key text;
	n bigint;
begin
	perform set_config('cdr.retention', 'on', true);
	for rule in select * from cdr.retention_rule r
			order by r.class, r.tenant_id nulls last loop
		whose := case
			when cdr.class_table(rule.class) <> 'record' then 'true'
			when rule.tenant_id is not null
				then format('t.tenant_id = %L', rule.tenant_id)
			else format('not exists (select from '
				'cdr.retention_rule o where o.class = %L and '
				'o.tenant_id = t.tenant_id)', rule.class) end;
		key := case cdr.class_table(rule.class)
			when 'record' then 'started_at, call_id, attempt'
			when 'charge' then 'started_at, call_id, attempt, side'
			else 'started_at, call_id' end;
		execute format('with old as (select %1$s from cdr.%2$I t '
			'where t.started_at < $1 and %3$s and %4$s '
			'order by t.started_at limit $2), '
			'gone as (delete from cdr.%2$I d where (%1$s) in '
			'(select %1$s from old) returning d.started_at) '
			'insert into cdr.deletion (rule_id, class, tenant_id, '
			'keep_days, method, rows_deleted, first_started_at, '
			'last_started_at) select $3, $4, $5, $6, ''rows'', '
			'count(*), min(started_at), max(started_at) from gone '
			'having count(*) > 0 returning rows_deleted',
			key, cdr.class_table(rule.class),
			cdr.class_where(rule.class), whose)
			into n using p_now - make_interval(days => rule.keep_days),
				p_rows, rule.id, rule.class, rule.tenant_id,
				rule.keep_days;
		if n > 0 then
			perform set_config('cdr.retention', 'off', true);
			return n;
		end if;
	end loop;
	perform set_config('cdr.retention', 'off', true);
	return 0;
end
$$;

-- One step of deleting, to be repeated in transactions of their own until it
-- says 0; partitions of the next months are made on the way.
create function cdr.retain(p_now timestamptz default now(),
	p_rows integer default 5000) returns bigint
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	n bigint;
begin
	-- one at a time: "cdrr"
	perform pg_advisory_xact_lock(1667527282);
	perform cdr.ensure_partitions(p_now, p_now + interval '3 months');
	loop
		n := cdr.retain_month(p_now);
		exit when n is null or n > 0;
	end loop;
	return coalesce(n, cdr.retain_rows(p_now, p_rows));
end
$$;

-- What the rules would delete now.
create function cdr.retain_plan(p_now timestamptz default now())
	returns table (class text, tenant_id text, keep_days integer,
		rows_due bigint)
	language plpgsql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	rule cdr.retention_rule;
begin
	for rule in select * from cdr.retention_rule r
			order by r.class, r.tenant_id nulls last loop
		class := rule.class;
		tenant_id := rule.tenant_id;
		keep_days := rule.keep_days;
		execute format('select count(*) from cdr.%I t '
			'where t.started_at < $1 and %s and %s',
			cdr.class_table(rule.class),
			cdr.class_where(rule.class), case
			when cdr.class_table(rule.class) <> 'record' then 'true'
			when rule.tenant_id is not null
				then format('t.tenant_id = %L', rule.tenant_id)
			else format('not exists (select from '
				'cdr.retention_rule o where o.class = %L and '
				'o.tenant_id = t.tenant_id)', rule.class) end)
			into rows_due
			using p_now - make_interval(days => rule.keep_days);
		return next;
	end loop;
end
$$;

-- Work that comes by itself. Asked for by every runner of jobs, all the time:
-- the first who finds that it is time writes the job.
create table cdr.schedule (
	kind text primary key,
	next_at timestamptz not null
);
insert into cdr.schedule values ('cdr_retention', now());

create function cdr.jobs_due() returns bigint
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	n bigint := 0;
begin
	update cdr.schedule s set next_at = date_trunc('day', now())
			+ interval '1 day 2 hours 30 minutes'
		where s.kind = 'cdr_retention' and s.next_at <= now();
	if found then
		insert into core.job (id, kind, key_id) values
			(core.new_id('job'), 'cdr_retention', 'schedule');
		n := n + 1;
	end if;
	return n;
end
$$;

create function core.new_id(prefix text) returns text
	language sql volatile as
$$
	select prefix || '_' || string_agg(substr(
		'0123456789abcdefghjkmnpqrstvwxyz',
		1 + (get_byte(r.bytes, i) & 31), 1), '')
	from (select decode(md5(random()::text || clock_timestamp()::text)
			|| md5(random()::text), 'hex') as bytes) r,
		generate_series(0, 25) i
$$;

revoke all on function cdr.refuse_delete(), cdr.class_table(text),
	cdr.class_where(text), cdr.months_over(text, timestamptz),
	cdr.retain_month(timestamptz), cdr.retain_rows(timestamptz, integer),
	cdr.retain(timestamptz, integer), cdr.retain_plan(timestamptz),
	cdr.jobs_due(), core.new_id(text) from public;
grant execute on function cdr.retain(timestamptz, integer),
	cdr.retain_plan(timestamptz), cdr.jobs_due() to strowger_api;
grant select, insert, update, delete on cdr.retention_rule to strowger_api;
grant select on cdr.deletion to strowger_api;
