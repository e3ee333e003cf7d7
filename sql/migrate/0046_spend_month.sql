-- What a month may cost beside what a day may, in the tenant's time zone.
alter table core.account
	add column monthly_limit_micro bigint check (monthly_limit_micro >= 0),
	add column monthly_warn_percent integer not null default 80
		check (monthly_warn_percent between 1 and 100),
	add column monthly_at_limit text not null default 'reject'
		check (monthly_at_limit in ('reject', 'cut')),
	add column monthly_unlock text not null default 'month_end'
		check (monthly_unlock in ('month_end', 'manual'));
alter table core.trunk
	add column monthly_limit_micro bigint check (monthly_limit_micro >= 0),
	add column monthly_warn_percent integer not null default 80
		check (monthly_warn_percent between 1 and 100),
	add column monthly_at_limit text not null default 'reject'
		check (monthly_at_limit in ('reject', 'cut')),
	add column monthly_unlock text not null default 'month_end'
		check (monthly_unlock in ('month_end', 'manual'));

-- An unlock forgives the day, and the month only what its limit had locked:
-- else whoever may unlock a day has no month.
alter table core.lock
	add column period text check (period in ('day', 'month')),
	add column month_unlocked_at timestamptz;
create or replace function core.lock_object(id text) returns jsonb
	language sql stable as
$$
	select jsonb_build_object('is_fraud', l.reason = 'fraud',
		'locked_ms', core.ms(l.locked_at), 'until_ms', core.ms(l.until),
		'unlocked_ms', core.ms(l.unlocked_at),
		'month_unlocked_ms', core.ms(l.month_unlocked_at))
	from core.lock l where l.object_id = $1
$$;

-- The offsets of the zone are told of tenants that have a limit somewhere.
create function core.has_spend_limit(tenant_id text) returns boolean
	language sql stable as
$$
	select exists (select from core.account a where a.tenant_id = $1
			and (a.daily_limit_micro is not null
				or a.monthly_limit_micro is not null))
		or exists (select from core.trunk k where k.tenant_id = $1
			and (k.daily_limit_micro is not null
				or k.monthly_limit_micro is not null))
$$;
create or replace function core.tenant_object(id text) returns jsonb
	language sql stable as
$$
	select to_jsonb(t) || jsonb_build_object('offsets',
		case when core.has_spend_limit(t.id)
		then core.zone_offsets(core.zone_or_utc(t.time_zone))
		else '[]' end)
	from core.tenant t where t.id = $1
$$;
drop function core.has_daily_limit(text);

-- Only a statement that sets a limit is a change of the tenant, and not each
-- posting to an account that has one.
drop trigger account_daily on core.account;
drop trigger trunk_daily on core.trunk;
create constraint trigger account_spend after insert or update
	of daily_limit_micro, monthly_limit_micro
	on core.account deferrable initially deferred
	for each row when (new.daily_limit_micro is not null
		or new.monthly_limit_micro is not null)
	execute function core.change_row('tenant', 'tenant_id');
create constraint trigger trunk_spend after insert or update
	of daily_limit_micro, monthly_limit_micro
	on core.trunk deferrable initially deferred
	for each row when (new.daily_limit_micro is not null
		or new.monthly_limit_micro is not null)
	execute function core.change_row('tenant', 'tenant_id');
create constraint trigger account_monthly_edit after update
	on core.account deferrable initially deferred
	for each row when ((old.monthly_limit_micro, old.monthly_warn_percent,
		old.monthly_at_limit, old.monthly_unlock) is distinct from
		(new.monthly_limit_micro, new.monthly_warn_percent,
		new.monthly_at_limit, new.monthly_unlock))
	execute function core.change_row('account', 'id');

-- When the present day or month of an account or trunk began, or it was
-- unlocked.
create function core.spend_since(tenant_id text, object_id text, period text)
	returns timestamptz language sql stable as
$$
	select greatest((select date_trunc($3, now(),
			core.zone_or_utc(t.time_zone))
			from core.tenant t where t.id = $1),
		(select case $3 when 'day' then l.unlocked_at
			else l.month_unlocked_at end
			from core.lock l where l.object_id = $2))
$$;
create function core.account_spent(account_id text, before timestamptz,
	period text) returns bigint language sql stable as
$$
	select coalesce(sum(c.amount_micro), 0)::bigint
	from core.account a join cdr.charge c on c.account_id = a.id
		and c.side = 'sell'
		and c.started_at >= core.spend_since(a.tenant_id, a.id, $3)
		and c.started_at < $2
	where a.id = $1
$$;
create function core.trunk_spent(trunk_id text, before timestamptz,
	period text) returns bigint language sql stable as
$$
	select coalesce(sum(r.price_micro), 0)::bigint
	from core.trunk k join cdr.record r on r.trunk_id = k.id
		and r.attempt = 0 and r.direction <> 'inbound'
		and r.started_at >= core.spend_since(k.tenant_id, k.id, $3)
		and r.started_at < $2
	where k.id = $1
$$;

-- Days or months since 1970-01 there.
create function core.spend_number(zone text, period text) returns integer
	language sql stable as
$$
	select case $2 when 'day' then at::date - date '1970-01-01'
		else ((extract(year from at) - 1970) * 12
			+ extract(month from at) - 1)::integer end
	from (select now() at time zone core.zone_or_utc($1) as at) t
$$;

-- What calls before that moment (ms) cost in the present day or month, of all
-- that is limited and not known: 'acc_... day', 'trk_... month'.
create function api_v1.spent_so_far(before_ms bigint, known text[])
	returns table (key text, number integer, micro bigint)
	language sql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
	with limited as (
		select 'account' as kind, a.id, a.tenant_id, p.period
		from core.account a cross join lateral (values
			('day', a.daily_limit_micro),
			('month', a.monthly_limit_micro)) p (period, micro)
		where p.micro is not null
		union all
		select 'trunk', k.id, k.tenant_id, p.period
		from core.trunk k cross join lateral (values
			('day', k.daily_limit_micro),
			('month', k.monthly_limit_micro)) p (period, micro)
		where p.micro is not null)
	select l.id || ' ' || l.period,
		core.spend_number(t.time_zone, l.period),
		case l.kind when 'account'
		then core.account_spent(l.id, b.at, l.period)
		else core.trunk_spent(l.id, b.at, l.period) end
	from limited l join core.tenant t on t.id = l.tenant_id,
		(select to_timestamp($1 / 1000.0) as at) b
	where l.id || ' ' || l.period <> all ($2)
$$;
-- as a switch of the version before asks
create or replace function api_v1.spent(before_ms bigint)
	returns table (id text, day integer, micro bigint)
	language sql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
	select split_part(s.key, ' ', 1), s.number, s.micro
	from api_v1.spent_so_far($1, '{}') s where s.key like '% day'
$$;

-- A lock of the month stays one until it is unlocked, whatever locks beside it.
create or replace function core.event_lock() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	insert into core.lock as l (object_id, reason, rule_id, locked_at,
			until, period)
		values (new.object_id, split_part(new.kind, '.', 1),
			new.data ->> 'rule_id', new.at,
			to_timestamp((new.data ->> 'until_ms')::bigint
				/ 1000.0),
			case when new.kind = 'spend.locked'
			then coalesce(new.data ->> 'period', 'day') end)
	on conflict (object_id) do update set reason = excluded.reason,
		rule_id = excluded.rule_id, locked_at = excluded.locked_at,
		until = excluded.until,
		period = case when l.period = 'month' then 'month'
			else excluded.period end
	where l.unlocked_at is null or l.unlocked_at < excluded.locked_at;
	return null;
end
$$;
create or replace function core.unlock(object_id text) returns void
	language sql security definer
	set search_path = pg_catalog, pg_temp as
$$
	insert into core.lock as l (object_id, unlocked_at)
		values ($1, clock_timestamp())
	on conflict (object_id) do update set reason = null, rule_id = null,
		locked_at = null, until = null, period = null,
		unlocked_at = excluded.unlocked_at,
		month_unlocked_at = case when l.period = 'month'
			then excluded.unlocked_at
			else l.month_unlocked_at end
$$;

-- The two of before, as an API of the version before asks them.
create or replace function core.account_spent(account_id text,
	before timestamptz) returns bigint language sql stable as
$$ select core.account_spent($1, $2, 'day') $$;
create or replace function core.trunk_spent(trunk_id text, before timestamptz)
	returns bigint language sql stable as
$$ select core.trunk_spent($1, $2, 'day') $$;
drop function core.spend_since(text, text);

revoke all on function core.has_spend_limit(text),
	core.spend_since(text, text, text), core.spend_number(text, text),
	core.account_spent(text, timestamptz, text),
	core.trunk_spent(text, timestamptz, text),
	api_v1.spent_so_far(bigint, text[]) from public;
grant execute on function api_v1.spent_so_far(bigint, text[])
	to strowger_switch;
grant execute on function core.account_spent(text, timestamptz, text),
	core.trunk_spent(text, timestamptz, text),
	core.spend_since(text, text, text) to strowger_api;
grant insert (monthly_limit_micro, monthly_warn_percent, monthly_at_limit,
	monthly_unlock), update (monthly_limit_micro, monthly_warn_percent,
	monthly_at_limit, monthly_unlock) on core.account to strowger_api;
