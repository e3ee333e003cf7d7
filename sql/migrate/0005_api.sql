-- Who may do what: keys and audit of the REST API, the nodes, and api_v1, the
-- functions the switch calls. An incompatible shape becomes api_v2 beside it,
-- so that old and new nodes run together.
create table core.api_key (
	id text primary key check (core.is_id(id, 'key')),
	name core.name,
	tenant_id text references core.tenant,
	scopes text[] not null check (cardinality(scopes) between 1 and 64
		and array_position(scopes, null) is null),
	secret_sha256 bytea not null check (octet_length(secret_sha256) = 32),
	status text not null default 'active'
		check (status in ('active', 'revoked')),
	expires_at timestamptz,
	last_used_at timestamptz,
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now()
);
create index api_key_tenant on core.api_key (tenant_id);
create trigger api_key_touch before update on core.api_key for each row
	when (old.last_used_at is not distinct from new.last_used_at)
	execute function core.touch();

create table core.audit (
	id bigint generated always as identity primary key,
	at timestamptz not null default now(),
	key_id text,
	ip inet,
	request_id text,
	method text not null,
	path text not null,
	kind text not null,
	object_id text,
	before jsonb,
	after jsonb
);
create index audit_at on core.audit (at);
create index audit_object on core.audit (kind, object_id, id);
create trigger audit_fixed before update or delete on core.audit
	for each row execute function core.refuse('audit');
create trigger audit_kept before truncate on core.audit
	for each statement execute function core.refuse('audit');

create table core.node (
	name text primary key check (length(name) between 1 and 63),
	boot bigint not null,
	version text not null default '',
	applied_version bigint not null default 0,
	seen_at timestamptz not null default now()
);

create schema if not exists api_v1;

-- The row of one object as the switch reads it; null when it is gone.
create function api_v1.object(kind text, id text) returns jsonb
	language sql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
	select case $1
	when 'tenant' then (select to_jsonb(t)
		from core.tenant t where t.id = $2)
	when 'account' then (select to_jsonb(t) - array['balance_micro',
			'leased_micro', 'overspent_micro', 'low_balance_micro']
		from core.account t where t.id = $2)
	when 'realm' then (select to_jsonb(t)
		from core.realm t where t.name = $2)
	when 'trunk' then (select to_jsonb(t)
		from core.trunk t where t.id = $2)
	when 'credential' then (select to_jsonb(t)
		from core.trunk_credential t where t.id = $2)
	when 'address' then (select to_jsonb(t)
		from core.source_address t where t.id = $2)
	when 'carrier' then (select to_jsonb(t)
		from core.carrier t where t.id = $2)
	when 'gateway' then (select to_jsonb(t)
		from core.gateway t where t.id = $2)
	when 'did' then (select to_jsonb(t)
		from core.did t where t.id = $2)
	when 'rate_deck' then (select to_jsonb(t)
		from core.rate_deck t where t.id = $2)
	when 'route' then (select to_jsonb(t) || jsonb_build_object('targets',
		(select coalesce(jsonb_agg(to_jsonb(g) - 'route_id'
				order by g.priority, g.gateway_id), '[]')
			from core.route_target g where g.route_id = t.id))
		from core.route t where t.id = $2)
	end - array['row_version', 'created_at', 'updated_at']
$$;

-- Which database this is, and the version of its last change.
create function api_v1.feed(out feed uuid, out version bigint)
	language sql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
	select f.feed, s.version from core.feed f, core.state s
$$;

-- What moved since a version, oldest first, with the newest row of each.
create function api_v1.changes(since bigint, max integer)
	returns table (version bigint, kind text, id text, "row" jsonb)
	language sql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
	select c.version, c.kind, c.id, api_v1.object(c.kind, c.id)
	from (select * from core.change h where h.version > $1
		order by h.version limit $2) c
	order by c.version
$$;

create function api_v1.deck_rates(deck_id text)
	returns table (prefix text, destination text,
		rate_per_min_nano bigint, connect_fee_micro bigint,
		first_ms integer, next_ms integer, from_ms bigint,
		to_ms bigint, is_blocked boolean)
	language sql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
	select r.prefix, r.destination, r.rate_per_min_nano,
		r.connect_fee_micro, r.first_ms, r.next_ms,
		floor(extract(epoch from r.effective_from) * 1000)::bigint,
		floor(extract(epoch from r.effective_to) * 1000)::bigint,
		r.is_blocked
	from core.rate r where r.deck_id = $1
		order by r.prefix, r.effective_from
$$;

create function api_v1.node_hello(name text, boot bigint, version text)
	returns void language sql security definer
	set search_path = pg_catalog, pg_temp as
$$
	insert into core.node as n (name, boot, version) values ($1, $2, $3)
	on conflict (name) do update set boot = excluded.boot,
		version = excluded.version, seen_at = now()
$$;

create function api_v1.node_applied(name text, version bigint)
	returns void language sql security definer
	set search_path = pg_catalog, pg_temp as
$$
	update core.node n set applied_version = $2, seen_at = now()
		where n.name = $1
$$;

-- Up to want of what is free; 0 when less than min is. ttl_s: until when the
-- node may spend it.
create function api_v1.lease_take(account_id text, node text, epoch bigint,
	want_micro bigint, min_micro bigint, ttl_s integer default 90)
	returns bigint
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	granted bigint;
begin
	select least($4, a.balance_micro + a.credit_limit_micro
			- a.leased_micro) into granted
		from core.account a join core.tenant t on t.id = a.tenant_id
		where a.id = $1 and a.status = 'active'
			and t.status = 'active'
		for update of a;
	if granted is null or granted <= 0 or granted < $5
		or exists (select from core.lease l
			where l.node = $2 and l.epoch > $3) then
		return 0;
	end if;
	update core.account a set leased_micro = a.leased_micro + granted
		where a.id = $1;
	insert into core.lease as l (account_id, node, epoch, granted_micro,
			expires_at)
		values ($1, $2, $3, granted, now() + make_interval(secs => $6))
		on conflict on constraint lease_pkey do update set
			granted_micro = l.granted_micro + granted,
			expires_at = excluded.expires_at;
	return granted;
end
$$;

-- Give back what will not be spent; returns what was taken back.
create function api_v1.lease_return(account_id text, node text, epoch bigint,
	amount_micro bigint) returns bigint
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	returned bigint;
begin
	perform 1 from core.account a where a.id = $1 for update;
	select greatest(0, least($4, l.granted_micro - l.settled_micro))
		into returned from core.lease l
		where l.account_id = $1 and l.node = $2 and l.epoch = $3;
	if returned is null or returned = 0 then
		return 0;
	end if;
	update core.lease l set granted_micro = l.granted_micro - returned
		where l.account_id = $1 and l.node = $2 and l.epoch = $3;
	update core.account a set leased_micro = a.leased_micro - returned,
		overspent_micro = greatest(0, a.overspent_micro - returned)
		where a.id = $1;
	return returned;
end
$$;

-- The node has loaded everything it wrote before this epoch: what its older
-- leases still hold is free again. Returns the sum.
create function api_v1.lease_close_epochs(node text, epoch bigint)
	returns bigint
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	released bigint;
begin
	perform 1 from core.account a where a.id in (select l.account_id
			from core.lease l where l.node = $1 and l.epoch < $2)
		order by a.id for update;
	with gone as (delete from core.lease l
			where l.node = $1 and l.epoch < $2 returning *),
	rest as (select g.account_id,
			sum(g.granted_micro - g.settled_micro)::bigint as micro
		from gone g group by g.account_id),
	freed as (update core.account a set
			leased_micro = a.leased_micro - r.micro,
			overspent_micro =
				greatest(0, a.overspent_micro - r.micro)
		from rest r where a.id = r.account_id returning r.micro)
	select coalesce(sum(f.micro), 0) into released from freed f;
	return released;
end
$$;

do $$
begin
	if not exists (select from pg_roles
		where rolname = 'strowger_switch') then
		create role strowger_switch nologin;
	end if;
	if not exists (select from pg_roles
		where rolname = 'strowger_api') then
		create role strowger_api nologin;
	end if;
end
$$;

-- Functions are open to everybody unless told otherwise.
revoke all on all functions in schema core, api_v1 from public;

grant usage on schema api_v1 to strowger_switch;
grant execute on function
	api_v1.feed(),
	api_v1.changes(bigint, integer),
	api_v1.deck_rates(text),
	api_v1.node_hello(text, bigint, text),
	api_v1.node_applied(text, bigint),
	api_v1.lease_take(text, text, bigint, bigint, bigint, integer),
	api_v1.lease_return(text, text, bigint, bigint),
	api_v1.lease_close_epochs(text, bigint)
	to strowger_switch;

grant usage on schema core to strowger_api;
grant select, insert, update, delete on core.tenant, core.realm, core.trunk,
	core.trunk_credential, core.source_address, core.carrier,
	core.gateway, core.did, core.route, core.route_target, core.rate_deck,
	core.rate, core.api_key to strowger_api;
grant select, delete on core.account to strowger_api;
grant insert (id, tenant_id, name, type, status, currency,
	credit_limit_micro, low_balance_micro) on core.account to strowger_api;
grant update (name, type, status, currency, credit_limit_micro,
	low_balance_micro) on core.account to strowger_api;
grant select on core.change, core.state, core.node, core.lease,
	core.ledger_posting to strowger_api;
grant select, insert on core.audit to strowger_api;
grant execute on function
	core.is_id(text, text), core.is_rule(jsonb), core.is_rule_set(jsonb),
	core.is_rule_text(jsonb), core.is_rule_number(jsonb),
	core.post(text, text, bigint, text, uuid, integer),
	api_v1.object(text, text) to strowger_api;
grant usage on schema api_v1 to strowger_api;
