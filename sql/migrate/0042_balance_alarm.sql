-- An account's balance has three thresholds: low, critical and high. Each is
-- reached once, and cleared when the balance is back by a margin, so that one
-- that moves around its threshold tells nobody every minute.
alter table core.account
	add column critical_balance_micro bigint,
	add column high_balance_micro bigint,
	add column balance_margin_micro bigint not null default 0
		check (balance_margin_micro >= 0),
	-- those that are reached: low, critical, high
	add column balance_alarms text[] not null default '{}';
grant insert (critical_balance_micro, high_balance_micro,
	balance_margin_micro), update (critical_balance_micro,
	high_balance_micro, balance_margin_micro) on core.account
	to strowger_api;

create or replace function core.account_object(id text) returns jsonb
	language sql stable as
$$
	select to_jsonb(t) - array['balance_micro', 'leased_micro',
		'overspent_micro', 'overdraft_micro', 'low_balance_micro',
		'critical_balance_micro', 'high_balance_micro',
		'balance_margin_micro', 'balance_alarms', 'exhausted_at']
	from core.account t where t.id = $1
$$;

create function core.account_alarms() returns trigger language plpgsql as
$$
begin
	new.balance_alarms := array_remove(array[
		case when new.balance_micro < new.low_balance_micro
			+ case when 'low' = any(old.balance_alarms)
				then new.balance_margin_micro else 0 end
			then 'low' end,
		case when new.balance_micro < new.critical_balance_micro
			+ case when 'critical' = any(old.balance_alarms)
				then new.balance_margin_micro else 0 end
			then 'critical' end,
		case when new.balance_micro > new.high_balance_micro
			- case when 'high' = any(old.balance_alarms)
				then new.balance_margin_micro else 0 end
			then 'high' end], null);
	return new;
end
$$;
-- At birth, too: a first payment clears what an empty account reaches.
create trigger account_alarms before insert or update of balance_micro,
	low_balance_micro, critical_balance_micro, high_balance_micro,
	balance_margin_micro on core.account
	for each row execute function core.account_alarms();

-- Once for each threshold that is reached or cleared, whatever moved: the
-- balance or the threshold.
create or replace function core.account_balance_event() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	alarm record;
begin
	for alarm in select a.name, a.at_micro,
			a.name = any(new.balance_alarms) as is_reached
		from (values ('low', coalesce(new.low_balance_micro,
				old.low_balance_micro)),
			('critical', coalesce(new.critical_balance_micro,
				old.critical_balance_micro)),
			('high', coalesce(new.high_balance_micro,
				old.high_balance_micro))) a (name, at_micro)
		where a.name = any(new.balance_alarms)
			<> (a.name = any(old.balance_alarms))
	loop
		perform core.event_note(case
			when alarm.is_reached then 'balance.' || alarm.name
			when alarm.name = 'low' then 'balance.ok'
			else 'balance.' || alarm.name || '_cleared' end,
			new.tenant_id, new.id, jsonb_build_object(
				'balance', (new.balance_micro / 1000000.0)
					::numeric(20, 6)::text,
				'threshold', (alarm.at_micro / 1000000.0)
					::numeric(20, 6)::text,
				'currency', new.currency));
	end loop;
	return null;
end
$$;
drop trigger account_balance_event on core.account;
create trigger account_balance_event after update on core.account
	for each row when (old.balance_alarms is distinct from
		new.balance_alarms)
	execute function core.account_balance_event();

-- What is reached already has been told.
update core.account a set balance_alarms = array['low']
	where a.balance_micro < a.low_balance_micro;

revoke all on function core.account_alarms() from public;
