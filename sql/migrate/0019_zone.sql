-- Where a trunk may call: zones by prefix, or by country and type of the
-- numbering plan; and what a call may cost at most.
create function core.is_zone_list(list text[], form text, n integer)
	returns boolean language sql immutable parallel safe as
$$
	select list is not null and cardinality(list) <= n
		and not exists (select from unnest(list) t
			where t is null or t !~ form)
$$;

-- A number is in a zone that has a prefix of it, or names its country (empty:
-- any) and its type (empty: any); one of the three must be said.
create table core.zone (
	id text primary key check (core.is_id(id, 'zon')),
	tenant_id text references core.tenant,
	name core.name,
	prefixes text[] not null default '{}'
		constraint zone_prefix_form
		check (core.is_zone_list(prefixes, '^[1-9][0-9]{0,14}$', 64)),
	countries text[] not null default '{}'
		constraint zone_country_form
		check (core.is_zone_list(countries, '^[A-Z]{2}$', 64)),
	types text[] not null default '{}'
		check (core.is_zone_list(types, '^[a-z_]{1,31}$', 16)),
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint zone_says_something check (cardinality(prefixes)
		+ cardinality(countries) + cardinality(types) > 0)
);
create index zone_tenant on core.zone (tenant_id);
create trigger zone_touch before update on core.zone
	for each row execute function core.touch();

create table core.zone_rule (
	id text primary key check (core.is_id(id, 'zrl')),
	trunk_id text not null references core.trunk on delete cascade,
	zone_id text not null references core.zone,
	action text not null check (action in ('allow', 'deny')),
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint zone_rule_once unique (trunk_id, zone_id)
);
create index zone_rule_zone on core.zone_rule (zone_id);
create trigger zone_rule_touch before update on core.zone_rule
	for each row execute function core.touch();

-- Trunks that are there keep what they may; new ones call at home.
alter table core.trunk
	add column international text not null default 'allowed'
		check (international in ('allowed', 'denied')),
	add column premium text not null default 'allowed'
		check (premium in ('allowed', 'denied')),
	add column other_zones text not null default 'allowed'
		check (other_zones in ('allowed', 'denied')),
	add column max_price_per_min_nano bigint
		check (max_price_per_min_nano >= 0),
	add column max_connect_fee_micro bigint
		check (max_connect_fee_micro >= 0),
	add column called_channels core.limit_n,
	add column called_per_min core.limit_n;
alter table core.trunk
	alter column international set default 'denied',
	alter column premium set default 'denied';
alter table core.account
	add column max_price_per_min_nano bigint
		check (max_price_per_min_nano >= 0),
	add column max_connect_fee_micro bigint
		check (max_connect_fee_micro >= 0);
create constraint trigger account_cap after update
	on core.account deferrable initially deferred
	for each row when ((old.max_price_per_min_nano,
		old.max_connect_fee_micro) is distinct from
		(new.max_price_per_min_nano, new.max_connect_fee_micro))
	execute function core.change_row('account', 'id');

create function core.zone_object(id text) returns jsonb
	language sql stable as
$$ select to_jsonb(t) from core.zone t where t.id = $1 $$;
create function core.zone_rule_object(id text) returns jsonb
	language sql stable as
$$ select to_jsonb(t) from core.zone_rule t where t.id = $1 $$;
insert into core.change_kind (kind, reader) values
	('zone', 'core.zone_object'), ('zone_rule', 'core.zone_rule_object');
create constraint trigger zone_change after insert or update or delete
	on core.zone deferrable initially deferred
	for each row execute function core.change_row('zone', 'id');
create constraint trigger zone_rule_change after insert or update or delete
	on core.zone_rule deferrable initially deferred
	for each row execute function core.change_row('zone_rule', 'id');

revoke all on function core.is_zone_list(text[], text, integer),
	core.zone_object(text), core.zone_rule_object(text) from public;
grant execute on function core.is_zone_list(text[], text, integer)
	to strowger_api;
grant select, insert, update, delete on core.zone, core.zone_rule
	to strowger_api;
grant insert (max_price_per_min_nano, max_connect_fee_micro),
	update (max_price_per_min_nano, max_connect_fee_micro)
	on core.account to strowger_api;
