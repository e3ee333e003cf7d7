-- What a day may cost, patterns of fraud, and the locks that both may set.
alter table core.account
	add column daily_limit_micro bigint check (daily_limit_micro >= 0),
	add column daily_warn_percent integer not null default 80
		check (daily_warn_percent between 1 and 100),
	add column daily_at_limit text not null default 'reject'
		check (daily_at_limit in ('reject', 'cut')),
	add column daily_unlock text not null default 'midnight'
		check (daily_unlock in ('midnight', 'manual'));
alter table core.trunk
	add column daily_limit_micro bigint check (daily_limit_micro >= 0),
	add column daily_warn_percent integer not null default 80
		check (daily_warn_percent between 1 and 100),
	add column daily_at_limit text not null default 'reject'
		check (daily_at_limit in ('reject', 'cut')),
	add column daily_unlock text not null default 'midnight'
		check (daily_unlock in ('midnight', 'manual'));

-- One of what the switch refuses: a trunk or an account. It stays after an
-- unlock, so that a switch can tell an older lock of its own from a newer.
create table core.lock (
	object_id text primary key,
	reason text check (reason in ('fraud', 'spend')),
	rule_id text,
	locked_at timestamptz,
	until timestamptz,
	unlocked_at timestamptz,
	check (num_nonnulls(reason, locked_at) in (0, 2))
);

-- Counts of calls of one trunk: a rule for all trunks, those of a tenant, or
-- one; more than warn, limit or lock is too many. Null: not that.
create table core.fraud_rule (
	id text primary key check (core.is_id(id, 'frd')),
	name core.name,
	status core.status default 'active',
	tenant_id text references core.tenant,
	trunk_id text references core.trunk on delete cascade,
	zone_id text references core.zone,
	prefix text not null default '' check (prefix ~ '^[0-9]{0,15}$'),
	metric text not null check (metric in ('calls', 'concurrent',
		'same_number', 'different_numbers', 'short_calls',
		'duration')),
	window_s integer not null default 60
		check (window_s between 1 and 86400),
	short_s integer not null default 6
		check (short_s between 1 and 600),
	warn core.limit_n,
	limit_n core.limit_n,
	lock core.limit_n,
	lock_min integer check (lock_min between 1 and 44640),
	schedule_id text references core.schedule,
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint fraud_rule_one_scope
		check (num_nonnulls(tenant_id, trunk_id) <= 1),
	constraint fraud_rule_does_something
		check (num_nonnulls(warn, limit_n, lock) > 0)
);
create index fraud_rule_tenant on core.fraud_rule (tenant_id);
create index fraud_rule_trunk on core.fraud_rule (trunk_id);
create index fraud_rule_zone on core.fraud_rule (zone_id);
create index fraud_rule_schedule on core.fraud_rule (schedule_id);
create trigger fraud_rule_touch before update on core.fraud_rule
	for each row execute function core.touch();

create function core.fraud_rule_object(id text) returns jsonb
	language sql stable as
$$ select to_jsonb(t) from core.fraud_rule t where t.id = $1 $$;
create function core.ms(at timestamptz) returns bigint
	language sql immutable as
$$ select floor(extract(epoch from at) * 1000)::bigint $$;
create function core.lock_object(id text) returns jsonb
	language sql stable as
$$
	select jsonb_build_object('is_fraud', l.reason = 'fraud',
		'locked_ms', core.ms(l.locked_at), 'until_ms', core.ms(l.until),
		'unlocked_ms', core.ms(l.unlocked_at))
	from core.lock l where l.object_id = $1
$$;
insert into core.change_kind (kind, reader) values
	('fraud_rule', 'core.fraud_rule_object'), ('lock', 'core.lock_object');
create constraint trigger fraud_rule_change after insert or update or delete
	on core.fraud_rule deferrable initially deferred
	for each row execute function core.change_row('fraud_rule', 'id');
create constraint trigger lock_change after insert or update or delete
	on core.lock deferrable initially deferred
	for each row execute function core.change_row('lock', 'object_id');

-- Days begin in the tenant's zone. Its offsets are told of tenants that have
-- a daily limit somewhere.
create function core.has_daily_limit(tenant_id text) returns boolean
	language sql stable as
$$
	select exists (select from core.account a where a.tenant_id = $1
			and a.daily_limit_micro is not null)
		or exists (select from core.trunk k where k.tenant_id = $1
			and k.daily_limit_micro is not null)
$$;
create function core.zone_or_utc(zone text) returns text
	language sql stable as
$$ select case when core.is_schedule_zone(zone) then zone else 'UTC' end $$;
create or replace function core.tenant_object(id text) returns jsonb
	language sql stable as
$$
	select to_jsonb(t) || jsonb_build_object('offsets',
		case when core.has_daily_limit(t.id)
		then core.zone_offsets(core.zone_or_utc(t.time_zone))
		else '[]' end)
	from core.tenant t where t.id = $1
$$;
create constraint trigger account_daily after insert or update
	on core.account deferrable initially deferred
	for each row when (new.daily_limit_micro is not null)
	execute function core.change_row('tenant', 'tenant_id');
create constraint trigger trunk_daily after insert or update
	on core.trunk deferrable initially deferred
	for each row when (new.daily_limit_micro is not null)
	execute function core.change_row('tenant', 'tenant_id');
create constraint trigger account_daily_edit after update
	on core.account deferrable initially deferred
	for each row when ((old.daily_limit_micro, old.daily_warn_percent,
		old.daily_at_limit, old.daily_unlock) is distinct from
		(new.daily_limit_micro, new.daily_warn_percent,
		new.daily_at_limit, new.daily_unlock))
	execute function core.change_row('account', 'id');

-- When the present day of an account or trunk began, or it was unlocked.
create function core.spend_since(tenant_id text, object_id text)
	returns timestamptz language sql stable as
$$
	select greatest((select date_trunc('day', now(),
			core.zone_or_utc(t.time_zone))
			from core.tenant t where t.id = $1),
		(select l.unlocked_at from core.lock l
			where l.object_id = $2))
$$;
create function core.account_spent(account_id text, before timestamptz)
	returns bigint language sql stable as
$$
	select coalesce(sum(c.amount_micro), 0)::bigint
	from core.account a join cdr.charge c on c.account_id = a.id
		and c.side = 'sell'
		and c.started_at >= core.spend_since(a.tenant_id, a.id)
		and c.started_at < $2
	where a.id = $1
$$;
create function core.trunk_spent(trunk_id text, before timestamptz)
	returns bigint language sql stable as
$$
	select coalesce(sum(r.price_micro), 0)::bigint
	from core.trunk k join cdr.record r on r.trunk_id = k.id
		and r.attempt = 0 and r.direction <> 'inbound'
		and r.started_at >= core.spend_since(k.tenant_id, k.id)
		and r.started_at < $2
	where k.id = $1
$$;

-- What calls before that moment (ms) cost today, of all that is limited.
create function api_v1.spent(before_ms bigint)
	returns table (id text, day integer, micro bigint)
	language sql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
	with before as (select to_timestamp($1 / 1000.0) as at)
	select a.id, (now() at time zone core.zone_or_utc(t.time_zone))::date
		- date '1970-01-01', core.account_spent(a.id, b.at)
	from before b, core.account a join core.tenant t on t.id = a.tenant_id
	where a.daily_limit_micro is not null
	union all
	select k.id, (now() at time zone core.zone_or_utc(t.time_zone))::date
		- date '1970-01-01', core.trunk_spent(k.id, b.at)
	from before b, core.trunk k join core.tenant t on t.id = k.tenant_id
	where k.daily_limit_micro is not null
$$;

-- The switch locks in memory at once, and tells it by an event; this keeps it.
create function core.event_lock() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	insert into core.lock as l (object_id, reason, rule_id, locked_at,
			until)
		values (new.object_id, split_part(new.kind, '.', 1),
			new.data ->> 'rule_id', new.at,
			to_timestamp((new.data ->> 'until_ms')::bigint
				/ 1000.0))
	on conflict (object_id) do update set reason = excluded.reason,
		rule_id = excluded.rule_id, locked_at = excluded.locked_at,
		until = excluded.until
	where l.unlocked_at is null or l.unlocked_at < excluded.locked_at;
	return null;
end
$$;
create trigger event_lock after insert on core.event
	for each row when (new.kind in ('fraud.locked', 'spend.locked')
		and new.object_id is not null)
	execute function core.event_lock();

create function core.unlock(object_id text) returns void
	language sql security definer
	set search_path = pg_catalog, pg_temp as
$$
	insert into core.lock as l (object_id, unlocked_at)
		values ($1, clock_timestamp())
	on conflict (object_id) do update set reason = null, rule_id = null,
		locked_at = null, until = null,
		unlocked_at = excluded.unlocked_at
$$;

revoke all on function core.fraud_rule_object(text), core.lock_object(text),
	core.ms(timestamptz), core.has_daily_limit(text),
	core.zone_or_utc(text), core.spend_since(text, text),
	core.account_spent(text, timestamptz),
	core.trunk_spent(text, timestamptz), core.event_lock(),
	core.unlock(text), api_v1.spent(bigint) from public;
grant execute on function api_v1.spent(bigint) to strowger_switch;
grant execute on function core.account_spent(text, timestamptz),
	core.trunk_spent(text, timestamptz), core.spend_since(text, text),
	core.zone_or_utc(text), core.is_schedule_zone(text),
	core.unlock(text) to strowger_api;
grant select on core.lock to strowger_api;
grant select, insert, update, delete on core.fraud_rule to strowger_api;
grant insert (daily_limit_micro, daily_warn_percent, daily_at_limit,
	daily_unlock), update (daily_limit_micro, daily_warn_percent,
	daily_at_limit, daily_unlock) on core.account to strowger_api;
