-- What happened and somebody may want to be told at once: calls, contacts,
-- carriers, limits, money. The switch brings its own in batches; what the
-- database sees by itself it notes here. Kinds: switch/base/event.h.
create table core.event (
	id uuid primary key,
	kind text not null check (kind ~ '^[a-z_]{1,31}\.[a-z_]{1,31}$'),
	at timestamptz not null,
	node text,
	-- no foreign keys: events outlive what they tell of
	tenant_id text,
	object_id text,
	call_id uuid,
	data jsonb not null default '{}'
		check (jsonb_typeof(data) = 'object')
);
create index event_at on core.event (at);
create index event_tenant on core.event (tenant_id, id);
create index event_kind on core.event (kind, id);

-- RFC 9562 5.7: 48 bits of time, the rest random
create function core.uuid7() returns uuid language sql volatile as
$$
	select encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
		placing substring(int8send(floor(extract(epoch
			from clock_timestamp()) * 1000)::bigint) from 3)
		from 1 for 6), 52, 1), 53, 1), 'hex')::uuid
$$;

-- A batch of the switch; one that is sent again changes nothing.
create function api_v1.events_put(events jsonb) returns bigint
	language sql security definer
	set search_path = pg_catalog, pg_temp as
$$
	with fresh as (insert into core.event (id, kind, at, node, tenant_id,
			object_id, call_id, data)
		select x.id, x.kind, x.at, x.node, x.tenant_id, x.object_id,
			x.call_id, coalesce(x.data, '{}')
		from jsonb_to_recordset($1) as x(id uuid, kind text,
			at timestamptz, node text, tenant_id text,
			object_id text, call_id uuid, data jsonb)
		on conflict (id) do nothing returning 1)
	select count(*) from fresh
$$;

create function core.event_note(p_kind text, p_tenant_id text,
	p_object_id text, p_data jsonb) returns void
	language sql security definer
	set search_path = pg_catalog, pg_temp as
$$
	insert into core.event (id, kind, at, tenant_id, object_id, data)
		values (core.uuid7(), p_kind, clock_timestamp(), p_tenant_id,
			p_object_id, p_data)
$$;

-- Once for each crossing of the threshold, whatever moved: the balance or the
-- threshold.
create function core.account_balance_event() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	perform core.event_note(case
		when new.balance_micro < new.low_balance_micro
			then 'balance.low' else 'balance.ok' end,
		new.tenant_id, new.id, jsonb_build_object(
			'balance', (new.balance_micro / 1000000.0)
				::numeric(20, 6)::text,
			'threshold', (new.low_balance_micro / 1000000.0)
				::numeric(20, 6)::text,
			'currency', new.currency));
	return null;
end
$$;
create trigger account_balance_event
	after update of balance_micro, low_balance_micro on core.account
	for each row when (
		coalesce(old.balance_micro < old.low_balance_micro, false)
		<> coalesce(new.balance_micro < new.low_balance_micro, false))
	execute function core.account_balance_event();

-- Some of what is older than that, oldest first; returns how many went.
create function core.events_forget(p_older_than interval, p_max integer)
	returns bigint language sql security definer
	set search_path = pg_catalog, pg_temp as
$$
	with gone as (delete from core.event e where e.id in (
			select o.id from core.event o
			where o.at < now() - p_older_than
			order by o.at limit p_max)
		returning 1)
	select count(*) from gone
$$;

revoke all on function core.uuid7(), api_v1.events_put(jsonb),
	core.event_note(text, text, text, jsonb),
	core.account_balance_event(),
	core.events_forget(interval, integer) from public;
grant execute on function api_v1.events_put(jsonb) to strowger_switch;
grant select on core.event to strowger_api;
grant execute on function core.event_note(text, text, text, jsonb),
	core.events_forget(interval, integer) to strowger_api;
