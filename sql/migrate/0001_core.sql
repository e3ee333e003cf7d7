-- What is provisioned: tenants, accounts, trunks, numbers, carriers, gateways
-- and routes. Money is a bigint with its unit in the column name, the same
-- exact integer as in C (1 unit of currency = 1 000 000 micro).
create schema if not exists core;

create domain core.status as text not null
	check (value in ('active', 'suspended', 'closed'));
create domain core.currency as char(3) not null
	check (value ~ '^[A-Z]{3}$');
create domain core.name as text not null
	check (octet_length(value) between 1 and 63);
-- "+" and 5..15 digits, the first not 0 (ITU-T E.164 6)
create domain core.e164 as text
	check (value ~ '^\+[1-9][0-9]{4,14}$');
-- NULL is no limit
create domain core.limit_n as integer
	check (value between 0 and 1000000);
create domain core.port as integer
	check (value between 1 and 65535);

-- Ids are made by the API: a prefix that names the kind and 26 base32
-- characters of a UUIDv7.
create function core.is_id(id text, prefix text) returns boolean
	language sql immutable strict parallel safe as
$$ select id ~ ('^' || prefix || '_[0-9a-z]{26}$') $$;

create function core.is_rule_text(value jsonb) returns boolean
	language sql immutable parallel safe as
$$
	select value is null or (jsonb_typeof(value) = 'string'
		and value #>> '{}' ~ '^\+?[0-9*#]{0,22}$')
$$;

create function core.is_rule_number(value jsonb) returns boolean
	language sql immutable parallel safe as
$$
	select case when value is null then true
		when jsonb_typeof(value) <> 'number' then false
		else value #>> '{}' ~ '^[0-9]{1,2}$'
			and (value #>> '{}')::integer <= 32 end
$$;

-- One number rule as switch/catalog/rule.h reads it.
create function core.is_rule(rule jsonb) returns boolean
	language sql immutable parallel safe as
$$
	select case when jsonb_typeof(rule) <> 'object' then false
		else rule - array['prefix', 'min', 'max', 'strip', 'add'] = '{}'
		and core.is_rule_text(rule -> 'prefix')
		and core.is_rule_text(rule -> 'add')
		and core.is_rule_number(rule -> 'min')
		and core.is_rule_number(rule -> 'max')
		and core.is_rule_number(rule -> 'strip')
		and case when core.is_rule_number(rule -> 'min')
			and core.is_rule_number(rule -> 'max')
			then coalesce((rule ->> 'min')::integer, 0)
				<= coalesce((rule ->> 'max')::integer, 32)
			else false end end
$$;

create function core.is_rule_set(rules jsonb) returns boolean
	language sql immutable parallel safe as
$$
	select case when jsonb_typeof(rules) <> 'array' then false
		when jsonb_array_length(rules) > 16 then false
		else (select coalesce(bool_and(core.is_rule(r)), true)
			from jsonb_array_elements(rules) r) end
$$;

create domain core.rule_set as jsonb not null
	check (core.is_rule_set(value));

-- row_version is the ETag of a resource.
create function core.touch() returns trigger language plpgsql as
$$
begin
	new.row_version := old.row_version + 1;
	new.created_at := old.created_at;
	new.updated_at := now();
	return new;
end
$$;

create function core.refuse() returns trigger language plpgsql as
$$
begin
	raise exception '%: % is append-only', tg_argv[0], tg_table_name
		using errcode = 'restrict_violation';
end
$$;

-- Money already counted in one currency cannot become another.
create function core.refuse_currency() returns trigger language plpgsql as
$$
begin
	raise exception 'the currency of % cannot be changed', old.id
		using errcode = 'check_violation',
		constraint = tg_table_name || '_currency_fixed';
end
$$;

create table core.tenant (
	id text primary key check (core.is_id(id, 'ten')),
	external_id text unique check (length(external_id) between 1 and 255),
	name core.name,
	status core.status default 'active',
	currency core.currency,
	time_zone text not null default 'UTC'
		check (length(time_zone) between 1 and 63),
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now()
);

create table core.account (
	id text primary key check (core.is_id(id, 'acc')),
	tenant_id text not null references core.tenant,
	name core.name,
	type text not null check (type in ('prepaid', 'postpaid')),
	status core.status default 'active',
	currency core.currency,
	balance_micro bigint not null default 0,
	credit_limit_micro bigint not null default 0
		check (credit_limit_micro >= 0),
	leased_micro bigint not null default 0 check (leased_micro >= 0),
	-- usage that came in without a lease to cover it: never refused,
	-- because the call has happened, and never granted again
	overspent_micro bigint not null default 0
		check (overspent_micro >= 0),
	low_balance_micro bigint,
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	unique (id, tenant_id),
	unique (id, currency),
	constraint account_leased_covered check (leased_micro
		<= balance_micro + credit_limit_micro + overspent_micro)
);
create index account_tenant on core.account (tenant_id);

-- Digest realm; algorithms are offered in this order (RFC 8760 2.4).
create table core.realm (
	name text primary key check (octet_length(name) between 1 and 63
		and name !~ '["\\[:cntrl:]]'),
	algorithms text[] not null default array['SHA-256', 'MD5']
		check (cardinality(algorithms) between 1 and 3
		and algorithms <@ array['MD5', 'SHA-256', 'SHA-512-256']
		and algorithms[1] is distinct from algorithms[2]
		and (algorithms[3] is null
			or algorithms[3] <> all (algorithms[1:2]))),
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now()
);

-- in: towards the customer's PBX, out: from the PBX to the network
create table core.trunk (
	id text primary key check (core.is_id(id, 'trk')),
	tenant_id text not null references core.tenant,
	account_id text not null,
	rate_deck_id text,
	name core.name,
	status core.status default 'active',
	direction text not null default 'both'
		check (direction in ('both', 'in', 'out')),
	channels_in core.limit_n,
	channels_out core.limit_n,
	channels_total core.limit_n,
	cps core.limit_n,
	cli_policy text not null default 'owned'
		check (cli_policy in ('owned', 'default', 'pass')),
	default_cli core.e164,
	realm text references core.realm,
	number_in core.rule_set default '[]',
	number_out core.rule_set default '[]',
	uri_host inet check (uri_host = host(uri_host)::inet),
	uri_port core.port,
	max_call_s integer not null default 14400
		check (max_call_s between 1 and 86400),
	ring_timeout_s integer not null default 120
		check (ring_timeout_s between 1 and 600),
	media_timeout_s integer not null default 60
		check (media_timeout_s between 0 and 3600),
	is_trusted boolean not null default false,
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	unique (id, tenant_id),
	unique (id, realm),
	foreign key (account_id, tenant_id)
		references core.account (id, tenant_id),
	constraint trunk_default_cli_given
		check (cli_policy <> 'default' or default_cli is not null),
	constraint trunk_uri_port_needs_host
		check (uri_port is null or uri_host is not null)
);
create index trunk_tenant on core.trunk (tenant_id);
create index trunk_account on core.trunk (account_id);
create index trunk_rate_deck on core.trunk (rate_deck_id);

-- The HA1 depends on the realm (RFC 3261 22.4), so that a trunk cannot move
-- to another realm while it has credentials.
create table core.trunk_credential (
	id text primary key check (core.is_id(id, 'cre')),
	trunk_id text not null,
	realm text not null references core.realm,
	username text not null check (octet_length(username) between 1 and 63
		and username !~ '["\\:[:cntrl:]]'),
	ha1_md5 text check (ha1_md5 ~ '^[0-9a-f]{32}$'),
	ha1_sha256 text check (ha1_sha256 ~ '^[0-9a-f]{64}$'),
	ha1_sha512_256 text check (ha1_sha512_256 ~ '^[0-9a-f]{64}$'),
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	unique (realm, username),
	foreign key (trunk_id, realm) references core.trunk (id, realm)
		on delete cascade,
	check (num_nonnulls(ha1_md5, ha1_sha256, ha1_sha512_256) > 0)
);
create index trunk_credential_trunk on core.trunk_credential (trunk_id);

create table core.carrier (
	id text primary key check (core.is_id(id, 'car')),
	name core.name,
	status core.status default 'active',
	rate_deck_id text,
	currency core.currency,
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now()
);
create index carrier_rate_deck on core.carrier (rate_deck_id);

create table core.gateway (
	id text primary key check (core.is_id(id, 'gwy')),
	carrier_id text not null references core.carrier,
	name core.name,
	address inet not null check (address = host(address)::inet),
	port core.port not null default 5060,
	transport text not null default 'udp' check (transport in ('udp')),
	status core.status default 'active',
	identity text not null default 'pai'
		check (identity in ('from', 'pai')),
	channels core.limit_n,
	cps core.limit_n,
	number_in core.rule_set default '[]',
	number_out core.rule_set default '[]',
	username text check (octet_length(username) between 1 and 63),
	realm text check (octet_length(realm) between 1 and 63),
	ha1_md5 text check (ha1_md5 ~ '^[0-9a-f]{32}$'),
	ha1_sha256 text check (ha1_sha256 ~ '^[0-9a-f]{64}$'),
	ha1_sha512_256 text check (ha1_sha512_256 ~ '^[0-9a-f]{64}$'),
	ping_s integer not null default 0 check (ping_s between 0 and 3600),
	ping_down_after integer not null default 3
		check (ping_down_after between 1 and 100),
	ping_up_after integer not null default 2
		check (ping_up_after between 1 and 100),
	no_response_ms integer not null default 4000
		check (no_response_ms between 500 and 32000),
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint gateway_credential_whole check ((username is null)
		= (num_nonnulls(ha1_md5, ha1_sha256, ha1_sha512_256) = 0)
		and (username is null) = (realm is null))
);
create index gateway_carrier on core.gateway (carrier_id);

-- Who sends from where: one address belongs to one trunk or one gateway.
create table core.source_address (
	id text primary key check (core.is_id(id, 'adr')),
	trunk_id text references core.trunk on delete cascade,
	gateway_id text references core.gateway on delete cascade,
	cidr cidr not null,
	port core.port,
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	check (num_nonnulls(trunk_id, gateway_id) = 1)
);
create unique index source_address_one_owner
	on core.source_address (cidr, (coalesce(port::integer, 0)));
create index source_address_trunk on core.source_address (trunk_id);
create index source_address_gateway on core.source_address (gateway_id);

-- A gateway is known by the address and port it is called at; the row has
-- the id of the gateway with the prefix of an address.
create function core.gateway_address() returns trigger language plpgsql as
$$
begin
	insert into core.source_address as s (id, gateway_id, cidr, port)
		values ('adr_' || substr(new.id, 5), new.id,
			new.address::cidr, new.port)
		on conflict (id) do update
			set cidr = excluded.cidr, port = excluded.port;
	return null;
end
$$;
create trigger gateway_address after insert or update of address, port
	on core.gateway for each row execute function core.gateway_address();

create table core.did (
	id text primary key check (core.is_id(id, 'did')),
	e164 core.e164 not null unique,
	tenant_id text not null references core.tenant,
	trunk_id text not null,
	carrier_id text references core.carrier,
	status core.status default 'active',
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	foreign key (trunk_id, tenant_id) references core.trunk (id, tenant_id)
);
create index did_tenant on core.did (tenant_id);
create index did_trunk on core.did (trunk_id);
create index did_carrier on core.did (carrier_id);

-- kind prefix: digits of an E.164 number, '' for the rest of the world;
-- kind emergency: the whole number as dialled
create table core.route (
	id text primary key check (core.is_id(id, 'rte')),
	kind text not null default 'prefix'
		check (kind in ('prefix', 'emergency')),
	prefix text not null,
	tenant_id text references core.tenant,
	name core.name,
	status core.status default 'active',
	max_attempts integer not null default 5
		check (max_attempts between 1 and 20),
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint route_prefix_form check (case kind
		when 'prefix' then prefix ~ '^([1-9][0-9]{0,14})?$'
		else prefix ~ '^[0-9]{2,8}$' end),
	constraint route_emergency_common
		check (kind = 'prefix' or tenant_id is null)
);
create unique index route_one_prefix
	on core.route (kind, prefix, (coalesce(tenant_id, '')));
create index route_tenant on core.route (tenant_id);

create table core.route_target (
	route_id text not null references core.route on delete cascade,
	gateway_id text not null references core.gateway,
	priority integer not null default 1
		check (priority between 0 and 65535),
	weight integer not null default 100
		check (weight between 0 and 65535),
	primary key (route_id, gateway_id)
);
create index route_target_gateway on core.route_target (gateway_id);

create trigger tenant_touch before update on core.tenant
	for each row execute function core.touch();
create trigger realm_touch before update on core.realm
	for each row execute function core.touch();
create trigger trunk_touch before update on core.trunk
	for each row execute function core.touch();
create trigger trunk_credential_touch before update on core.trunk_credential
	for each row execute function core.touch();
create trigger carrier_touch before update on core.carrier
	for each row execute function core.touch();
create trigger gateway_touch before update on core.gateway
	for each row execute function core.touch();
create trigger source_address_touch before update on core.source_address
	for each row execute function core.touch();
create trigger did_touch before update on core.did
	for each row execute function core.touch();
create trigger route_touch before update on core.route
	for each row execute function core.touch();

-- Postings and leases move all day and are not edits of the resource.
create trigger account_touch before update on core.account
	for each row when ((old.balance_micro, old.leased_micro,
		old.overspent_micro) is not distinct from
		(new.balance_micro, new.leased_micro, new.overspent_micro))
	execute function core.touch();
create trigger account_currency before update of currency on core.account
	for each row when (old.currency <> new.currency)
	execute function core.refuse_currency();
create trigger carrier_currency before update of currency on core.carrier
	for each row when (old.currency <> new.currency)
	execute function core.refuse_currency();
