-- Who wants to be told of events over HTTP, and what became of telling them.
create table core.webhook_endpoint (
	id text primary key check (core.is_id(id, 'whk')),
	-- null: the platform's, which hears of everything
	tenant_id text references core.tenant,
	name core.name,
	url text not null check (length(url) between 8 and 500),
	kinds text[] not null check (cardinality(kinds) between 1 and 64),
	status text not null default 'active'
		check (status in ('active', 'disabled')),
	disabled_at timestamptz,
	disabled_reason text,
	failing_since timestamptz,
	-- secrets as the API seals them: nonce, AES-256-GCM, tag
	secret_box bytea not null,
	previous_box bytea,
	previous_until timestamptz,
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now()
);
create index webhook_endpoint_tenant on core.webhook_endpoint (tenant_id);

-- Failures come and go all day and are not edits of the resource.
create trigger webhook_endpoint_touch before update on core.webhook_endpoint
	for each row when (old.failing_since is not distinct from
		new.failing_since or old.status <> new.status)
	execute function core.touch();

create function core.webhook_endpoint_status() returns trigger
	language plpgsql as
$$
begin
	if new.status = 'active' then
		new.failing_since := null;
		new.disabled_at := null;
		new.disabled_reason := null;
	else
		new.disabled_at := now();
		new.disabled_reason := coalesce(new.disabled_reason,
			'by an operator');
	end if;
	return new;
end
$$;
create trigger webhook_endpoint_status
	before update of status on core.webhook_endpoint
	for each row when (old.status <> new.status)
	execute function core.webhook_endpoint_status();

-- One event for one endpoint. A row goes with its event.
create table core.webhook_delivery (
	id uuid primary key default core.uuid7(),
	endpoint_id text not null references core.webhook_endpoint
		on delete cascade,
	event_id uuid not null references core.event on delete cascade,
	state text not null default 'pending'
		check (state in ('pending', 'delivered', 'dead')),
	attempts integer not null default 0,
	next_at timestamptz not null default now(),
	held_until timestamptz,
	retry_from timestamptz not null default now(),
	status integer,
	error text,
	duration_ms integer,
	created_at timestamptz not null default now(),
	delivered_at timestamptz
);
create index webhook_delivery_endpoint
	on core.webhook_delivery (endpoint_id, id);
create index webhook_delivery_event on core.webhook_delivery (event_id);
create index webhook_delivery_due on core.webhook_delivery
	(endpoint_id, next_at) where state = 'pending';

create function core.event_fan_out() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	insert into core.webhook_delivery (endpoint_id, event_id)
		select e.id, f.id from fresh f join core.webhook_endpoint e
			on e.status = 'active' and f.kind = any (e.kinds)
			and (e.tenant_id is null or exists (select
				from core.tenant_tree n
				where n.ancestor_id = e.tenant_id
					and n.tenant_id = f.tenant_id));
	if found then
		notify strowger_webhook;
	end if;
	return null;
end
$$;
create trigger event_fan_out after insert on core.event
	referencing new table as fresh
	for each statement execute function core.event_fan_out();

-- The body as it is signed: the same at each attempt.
create function core.webhook_body(e core.event) returns text
	language sql stable as
$$
	select jsonb_build_object('type', e.kind, 'timestamp',
		to_char(e.at at time zone 'UTC',
			'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
		'id', e.id, 'tenant_id', e.tenant_id,
		'object_id', e.object_id, 'call_id', e.call_id,
		'data', e.data)::text
$$;

-- Up to p_max deliveries that are due, held for p_hold: whoever dies with one
-- lets another have it. No endpoint has more than p_each under way, so that
-- one which is slow does not stand before the others.
create function core.webhook_claim(p_max integer, p_each integer,
	p_hold interval)
	returns table (id uuid, endpoint_id text, event_id uuid, url text,
		secret_box bytea, previous_box bytea, body text)
	language sql volatile security definer
	set search_path = pg_catalog, pg_temp as
$$
	with due as (select d.id from core.webhook_endpoint e
		cross join lateral (select w.id, w.next_at
			from core.webhook_delivery w
			where w.endpoint_id = e.id and w.state = 'pending'
				and w.next_at <= now()
				and coalesce(w.held_until, '-infinity')
					<= now()
			order by w.next_at
			limit greatest(0, p_each - (select count(*)
				from core.webhook_delivery h
				where h.endpoint_id = e.id
					and h.state = 'pending'
					and h.held_until > now()))
			for update of w skip locked) d
		where e.status = 'active'
		order by d.next_at limit p_max)
	update core.webhook_delivery d set held_until = now() + p_hold
	from due, core.webhook_endpoint e, core.event v
	where d.id = due.id and e.id = d.endpoint_id and v.id = d.event_id
	returning d.id, e.id, v.id, e.url, e.secret_box,
		case when e.previous_until > now() then e.previous_box end,
		core.webhook_body(v)
$$;

-- What an attempt brought: p_status is null when there was no answer. After
-- p_first, then four times as long each time (6 h at most) it is tried again,
-- for p_for; an endpoint that has only failed for p_off, or says 410, is
-- disabled.
create function core.webhook_result(p_id uuid, p_status integer,
	p_error text, p_ms integer, p_first interval, p_for interval,
	p_off interval) returns void
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	d core.webhook_delivery;
	e core.webhook_endpoint;
	gap interval;
begin
	update core.webhook_delivery w set attempts = w.attempts + 1,
			held_until = null, status = p_status,
			error = p_error, duration_ms = p_ms
		where w.id = p_id and w.state = 'pending' returning * into d;
	if not found then
		return;
	end if;
	if p_status between 200 and 299 then
		update core.webhook_delivery w set state = 'delivered',
			delivered_at = now(), error = null where w.id = p_id;
		update core.webhook_endpoint w set failing_since = null
			where w.id = d.endpoint_id
				and w.failing_since is not null;
		return;
	end if;
	gap := least(p_first * 4 ^ least(d.attempts - 1, 12),
		interval '6 hours') * (0.9 + 0.2 * random());
	if now() + gap > d.retry_from + p_for then
		update core.webhook_delivery w set state = 'dead'
			where w.id = p_id;
	else
		update core.webhook_delivery w set next_at = now() + gap
			where w.id = p_id;
	end if;
	update core.webhook_endpoint w set failing_since = now()
		where w.id = d.endpoint_id and w.failing_since is null;
	select * into e from core.webhook_endpoint w
		where w.id = d.endpoint_id;
	if e.status = 'active' and (p_status = 410
			or e.failing_since < now() - p_off) then
		update core.webhook_endpoint w set status = 'disabled',
			disabled_reason = case when p_status = 410
				then 'it answered 410 Gone'
				else 'every delivery failed for too long' end
			where w.id = e.id;
		perform core.event_note('webhook.disabled', e.tenant_id, e.id,
			jsonb_strip_nulls(jsonb_build_object('url', e.url,
				'failing_since', e.failing_since,
				'status', p_status, 'error', p_error)));
	end if;
end
$$;

-- Once more, as if it were new.
create function core.webhook_replay(p_id uuid) returns void
	language sql security definer
	set search_path = pg_catalog, pg_temp as
$$
	update core.webhook_delivery w set state = 'pending', attempts = 0,
		next_at = now(), held_until = null, retry_from = now(),
		delivered_at = null
		where w.id = p_id;
	select pg_notify('strowger_webhook', '');
$$;

revoke all on function core.webhook_endpoint_status(), core.event_fan_out(),
	core.webhook_body(core.event),
	core.webhook_claim(integer, integer, interval),
	core.webhook_result(uuid, integer, text, integer, interval, interval,
		interval), core.webhook_replay(uuid) from public;
grant select, insert, delete on core.webhook_endpoint to strowger_api;
grant update (name, url, kinds, status, secret_box, previous_box,
	previous_until) on core.webhook_endpoint to strowger_api;
grant select on core.webhook_delivery to strowger_api;
grant execute on function
	core.webhook_claim(integer, integer, interval),
	core.webhook_result(uuid, integer, text, integer, interval, interval,
		interval), core.webhook_replay(uuid) to strowger_api;
