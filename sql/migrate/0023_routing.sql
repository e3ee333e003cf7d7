-- Routing plans: ordered matches, strategies, carrier groups, schedules, what
-- a customer may not or may only use, and limits of a gateway's quality.

create function core.is_tags(tags text[]) returns boolean
	language sql immutable parallel safe as
$$
	select tags is not null and cardinality(tags) <= 8
		and length(array_to_string(tags, ' ')) <= 119
		and not exists (select from unnest(tags) t
			where t is null or t !~ '^[a-z0-9_-]{1,31}$')
$$;

-- The floor of the margin: price less cost of a call of one minute must be at
-- least both that amount and that share of the price. Both null: not tested.
create table core.routing_plan (
	id text primary key check (core.is_id(id, 'pln')),
	name core.name,
	status core.status default 'active',
	strategy text not null default 'priority' check (strategy in (
		'priority', 'weight', 'percentage', 'lcr', 'lcr_priority',
		'priority_lcr', 'quality', 'quality_lcr')),
	max_attempts integer not null default 5
		check (max_attempts between 1 and 10),
	total_timeout_s integer not null default 0
		check (total_timeout_s between 0 and 600),
	margin_per_min_nano bigint check (margin_per_min_nano >= 0),
	margin_percent integer check (margin_percent between 0 and 99),
	tags text[] not null default '{}' check (core.is_tags(tags)),
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now()
);

-- PostgreSQL's own zones, by their names in the tz database: no abbreviations
-- and no POSIX strings, which it would take as well.
create function core.is_schedule_zone(zone text) returns boolean
	language plpgsql stable as
$$
begin
	perform now() at time zone zone;
	return zone = 'UTC' or zone ~ '^[A-Z][A-Za-z_]+(/[A-Za-z0-9_+-]+)+$';
exception when invalid_parameter_value then
	return false;
end
$$;

create table core.schedule (
	id text primary key check (core.is_id(id, 'sch')),
	tenant_id text references core.tenant,
	name core.name,
	time_zone text not null default 'UTC'
		constraint schedule_zone_known
		check (core.is_schedule_zone(time_zone)),
	ranges jsonb not null default '[]'
		check (jsonb_typeof(ranges) = 'array'
			and jsonb_array_length(ranges) <= 50),
	holidays date[] not null default '{}'
		check (cardinality(holidays) <= 128
			and array_position(holidays, null) is null),
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now()
);
create index schedule_tenant on core.schedule (tenant_id);

create table core.carrier_group (
	id text primary key check (core.is_id(id, 'cgr')),
	name core.name,
	status core.status default 'active',
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now()
);
create table core.carrier_group_member (
	group_id text not null references core.carrier_group on delete cascade,
	gateway_id text not null references core.gateway,
	priority integer not null default 1
		check (priority between 0 and 65535),
	weight integer not null default 100
		check (weight between 0 and 65535),
	primary key (group_id, gateway_id)
);
create index carrier_group_member_gateway
	on core.carrier_group_member (gateway_id);

-- A carrier that a tenant or trunk may not use ('blocked'), or one of the
-- only ones it may ('only').
create table core.carrier_rule (
	id text primary key check (core.is_id(id, 'crl')),
	tenant_id text references core.tenant on delete cascade,
	trunk_id text references core.trunk on delete cascade,
	carrier_id text not null references core.carrier,
	rule text not null check (rule in ('blocked', 'only')),
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint carrier_rule_owner
		check (num_nonnulls(tenant_id, trunk_id) = 1)
);
create unique index carrier_rule_one on core.carrier_rule
	((coalesce(tenant_id, trunk_id)), carrier_id);
create index carrier_rule_tenant on core.carrier_rule (tenant_id);
create index carrier_rule_trunk on core.carrier_rule (trunk_id);
create index carrier_rule_carrier on core.carrier_rule (carrier_id);

alter table core.trunk
	add column routing_plan_id text
		constraint trunk_routing_plan_id_fkey
		references core.routing_plan,
	add column tags text[] not null default '{}'
		check (core.is_tags(tags));
alter table core.tenant add column routing_plan_id text
	constraint tenant_routing_plan_id_fkey references core.routing_plan;
create index trunk_routing_plan on core.trunk (routing_plan_id);
create index tenant_routing_plan on core.tenant (routing_plan_id);

-- A route of a plan: the longest prefix first, then the lowest position; its
-- other members say which of those calls it takes.
alter table core.route
	add column plan_id text
		constraint route_plan_id_fkey references core.routing_plan,
	add column position integer not null default 100
		check (position between 0 and 65535),
	add column called_min integer not null default 0
		check (called_min between 0 and 15),
	add column called_max integer not null default 15
		check (called_max between 0 and 15),
	add column calling_prefix text not null default ''
		check (calling_prefix ~ '^([1-9][0-9]{0,14})?$'),
	add column tags text[] not null default '{}'
		check (core.is_tags(tags)),
	add column schedule_id text
		constraint route_schedule_id_fkey references core.schedule,
	add column schedule_is text not null default 'open'
		check (schedule_is in ('open', 'closed')),
	add column valid_from timestamptz check (isfinite(valid_from)),
	add column valid_to timestamptz check (isfinite(valid_to)),
	add constraint route_span check (valid_to > valid_from),
	add constraint route_lengths check (called_min <= called_max),
	add constraint route_emergency_planless
		check (kind = 'prefix' or plan_id is null);
create index route_plan on core.route (plan_id);
create index route_schedule on core.route (schedule_id);
drop index core.route_one_prefix;
create unique index route_one_prefix
	on core.route (kind, prefix, (coalesce(tenant_id, '')))
	where plan_id is null;

-- A target is a gateway or a group.
alter table core.route_target
	drop constraint route_target_pkey,
	alter column gateway_id drop not null,
	add column group_id text
		constraint route_target_group_id_fkey
		references core.carrier_group,
	add constraint route_target_one
		check (num_nonnulls(gateway_id, group_id) = 1);
create unique index route_target_once on core.route_target
	(route_id, (coalesce(gateway_id, group_id)));
create index route_target_group on core.route_target (group_id);

-- What a gateway may be sent, and below which figures it is locked. A limit
-- that is null is not watched.
alter table core.gateway
	add column tags text[] not null default '{}'
		check (core.is_tags(tags)),
	add column quality_window_s integer not null default 3600
		check (quality_window_s between 60 and 86400),
	add column quality_min_samples integer not null default 50
		check (quality_min_samples between 1 and 100000),
	add column quality_asr_min integer
		check (quality_asr_min between 1 and 100),
	add column quality_acd_min_s integer
		check (quality_acd_min_s between 1 and 86400),
	add column quality_pdd_max_ms integer
		check (quality_pdd_max_ms between 1 and 180000),
	add column quality_short_max integer
		check (quality_short_max between 0 and 99),
	add column quality_short_s integer not null default 6
		check (quality_short_s between 1 and 600),
	add column quality_lock_s integer not null default 300
		check (quality_lock_s between 1 and 86400),
	add column quality_trials integer not null default 5
		check (quality_trials between 1 and 1000);

create trigger routing_plan_touch before update on core.routing_plan
	for each row execute function core.touch();
create trigger schedule_touch before update on core.schedule
	for each row execute function core.touch();
create trigger carrier_group_touch before update on core.carrier_group
	for each row execute function core.touch();
create trigger carrier_rule_touch before update on core.carrier_rule
	for each row execute function core.touch();

-- Offsets of a zone from UTC, each from its moment on, for ten years ahead:
-- the switch asks nobody for time zones. Days whose offset differs from that
-- of the day before are searched by minutes.
create function core.zone_offsets(zone text) returns jsonb
	language sql stable parallel safe as
$$
	with day as (
		select d, extract(epoch from (d at time zone zone)
			- (d at time zone 'UTC'))::bigint as east
		from generate_series(date_trunc('year', now(), 'UTC')
			- interval '1 year', now() + interval '10 years',
			interval '1 day') d),
	step as (
		select d, east, lag(d) over w as before,
			lag(east) over w as was
		from day window w as (order by d)),
	moved as (
		select (select min(m) from generate_series(before, d,
			interval '1 minute') m
			where extract(epoch from (m at time zone zone)
				- (m at time zone 'UTC'))::bigint = east) as at,
			east
		from step where east is distinct from was and was is not null
		union all
		select d, east from step where was is null)
	select jsonb_agg(jsonb_build_array(extract(epoch from at)::bigint, east)
		order by at) from (select * from moved order by at limit 32) m
$$;

create function core.routing_plan_object(id text) returns jsonb
	language sql stable as
$$ select to_jsonb(t) from core.routing_plan t where t.id = $1 $$;
create function core.schedule_object(id text) returns jsonb
	language sql stable as
$$
	select to_jsonb(t) || jsonb_build_object('offsets',
		core.zone_offsets(t.time_zone))
	from core.schedule t where t.id = $1
$$;
create function core.carrier_group_object(id text) returns jsonb
	language sql stable as
$$
	select to_jsonb(t) || jsonb_build_object('targets',
		(select coalesce(jsonb_agg(to_jsonb(m) - 'group_id'
				order by m.priority, m.gateway_id), '[]')
			from core.carrier_group_member m
			where m.group_id = t.id))
	from core.carrier_group t where t.id = $1
$$;
create function core.carrier_rule_object(id text) returns jsonb
	language sql stable as
$$ select to_jsonb(t) from core.carrier_rule t where t.id = $1 $$;

-- Times as the switch counts them; a target names what it has.
create or replace function core.route_object(id text) returns jsonb
	language sql stable as
$$
	select to_jsonb(t) || jsonb_build_object(
		'valid_from_ms', (extract(epoch from t.valid_from)
			* 1000)::bigint,
		'valid_to_ms', (extract(epoch from t.valid_to)
			* 1000)::bigint,
		'targets', (select coalesce(jsonb_agg(jsonb_strip_nulls(
				to_jsonb(g) - 'route_id')
				order by g.priority, g.gateway_id,
					g.group_id), '[]')
			from core.route_target g where g.route_id = t.id))
	from core.route t where t.id = $1
$$;

insert into core.change_kind (kind, reader)
	select k, ('core.' || k || '_object')::regproc
	from unnest(array['routing_plan', 'schedule', 'carrier_group',
		'carrier_rule']) as k;

create constraint trigger routing_plan_change
	after insert or update or delete
	on core.routing_plan deferrable initially deferred
	for each row execute function core.change_row('routing_plan', 'id');
create constraint trigger schedule_change after insert or update or delete
	on core.schedule deferrable initially deferred
	for each row execute function core.change_row('schedule', 'id');
create constraint trigger carrier_group_change
	after insert or update or delete
	on core.carrier_group deferrable initially deferred
	for each row execute function core.change_row('carrier_group', 'id');
create constraint trigger carrier_group_member_change
	after insert or update or delete
	on core.carrier_group_member deferrable initially deferred
	for each row execute function core.change_row('carrier_group',
		'group_id');
create constraint trigger carrier_rule_change
	after insert or update or delete
	on core.carrier_rule deferrable initially deferred
	for each row execute function core.change_row('carrier_rule', 'id');

revoke all on all functions in schema core from public;
grant select, insert, update, delete on core.routing_plan, core.schedule,
	core.carrier_group, core.carrier_group_member, core.carrier_rule
	to strowger_api;
grant execute on function core.is_tags(text[]),
	core.is_schedule_zone(text) to strowger_api;
