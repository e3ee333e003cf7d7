-- Emergency calls: which numbers are emergency numbers, by country and by
-- trunk, where their calls go, who is said to call and from where.
create domain core.country as text
	check (value ~ '^[A-Z]{2}$'); -- ISO 3166-1 alpha-2

-- Where a caller is, when a gateway asks for it: civic elements named as in
-- RFC 5139, a point with its uncertainty (RFC 5491 5.2.1 and 5.2.3), or a URI
-- at which others tell it (RFC 6442).
create domain core.civic as text
	check (octet_length(value) between 1 and 95
		and value !~ '[[:cntrl:]]');
create table core.location (
	id text primary key check (core.is_id(id, 'loc')),
	tenant_id text not null references core.tenant,
	name core.name,
	country core.country,
	a1 core.civic,
	a2 core.civic,
	a3 core.civic,
	a4 core.civic,
	rd core.civic,
	hno core.civic,
	hns core.civic,
	lmk core.civic,
	loc core.civic,
	nam core.civic,
	pc core.civic,
	bld core.civic,
	unit core.civic,
	flr core.civic,
	room core.civic,
	latitude text check (latitude ~ '^-?[0-9]{1,2}(\.[0-9]{1,8})?$'
		and latitude::numeric between -90 and 90),
	longitude text check (longitude ~ '^-?[0-9]{1,3}(\.[0-9]{1,8})?$'
		and longitude::numeric between -180 and 180),
	radius_m integer check (radius_m between 1 and 1000000),
	uri text check (length(uri) between 9 and 200
		and uri ~ '^(https|sips|pres):[!#-;=?-~]+$'),
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	unique (id, tenant_id),
	constraint location_point_whole
		check ((latitude is null) = (longitude is null)
			and (radius_m is null or latitude is not null)),
	constraint location_civic_whole check (country is not null
		or num_nonnulls(a1, a2, a3, a4, rd, hno, hns, lmk, loc, nam,
			pc, bld, unit, flr, room) = 0),
	constraint location_says_something
		check (num_nonnulls(country, latitude, uri) > 0)
);
create index location_tenant on core.location (tenant_id);
create trigger location_touch before update on core.location
	for each row execute function core.touch();

alter table core.tenant add column if not exists country core.country;

-- What an emergency call of this trunk says: main number and place; its
-- country chooses the numbers, the tenant's when it is null.
alter table core.trunk
	add column country core.country,
	add column emergency_cli core.e164,
	add column location_id text,
	add foreign key (location_id, tenant_id)
		references core.location (id, tenant_id);
create index trunk_location on core.trunk (location_id);

-- A site says its own; its main_number is the number that calls.
alter table core.site
	add column country core.country,
	add column location_id text references core.location;
create index site_location on core.site (location_id);
create function core.site_location() returns trigger language plpgsql as
$$
begin
	if not exists (select from core.location l join core.trunk t
		on t.tenant_id = l.tenant_id
		where l.id = new.location_id and t.id = new.trunk_id) then
		raise exception 'a place of another tenant' using
			errcode = 'foreign_key_violation',
			constraint = 'site_location_id_fkey';
	end if;
	return new;
end
$$;
create trigger site_location before insert or update of location_id, trunk_id
	on core.site for each row when (new.location_id is not null)
	execute function core.site_location();

alter table core.gateway
	add column emergency_location text not null default 'none'
		check (emergency_location in ('none', 'value', 'reference'));

-- A number as it is dialled, for all, for a country, for a tenant, a trunk or
-- a site: the nearest to the caller counts. Emergency routes (core.route) are
-- what is left when no row matches. A test number takes the same way.
create table core.emergency_number (
	id text primary key check (core.is_id(id, 'emn')),
	number text not null check (number ~ '^\+?[0-9*#]{2,16}$'),
	-- what carriers are sent instead, when they want another form
	send_as text check (send_as ~ '^\+?[0-9*#]{2,16}$'),
	kind text not null default 'emergency'
		check (kind in ('emergency', 'test')),
	country core.country,
	tenant_id text references core.tenant,
	trunk_id text references core.trunk on delete cascade,
	site_id text references core.site on delete cascade,
	name core.name,
	status core.status default 'active',
	max_attempts integer not null default 20
		check (max_attempts between 1 and 20),
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint emergency_number_one_scope
		check (num_nonnulls(country, tenant_id, trunk_id, site_id)
			<= 1)
);
create unique index emergency_number_once on core.emergency_number
	(number, (coalesce(country, tenant_id, trunk_id, site_id, '')));
create index emergency_number_tenant on core.emergency_number (tenant_id);
create index emergency_number_trunk on core.emergency_number (trunk_id);
create index emergency_number_site on core.emergency_number (site_id);
create trigger emergency_number_touch before update
	on core.emergency_number
	for each row execute function core.touch();

create table core.emergency_target (
	emergency_number_id text not null
		references core.emergency_number on delete cascade,
	gateway_id text not null references core.gateway,
	priority integer not null default 1
		check (priority between 0 and 65535),
	weight integer not null default 100
		check (weight between 0 and 65535),
	primary key (emergency_number_id, gateway_id)
);
create index emergency_target_gateway on core.emergency_target (gateway_id);

create function core.location_object(id text) returns jsonb
	language sql stable as
$$ select to_jsonb(t) from core.location t where t.id = $1 $$;
create function core.emergency_number_object(id text) returns jsonb
	language sql stable as
$$
	select to_jsonb(t) || jsonb_build_object('targets',
		(select coalesce(jsonb_agg(to_jsonb(g) - 'emergency_number_id'
				order by g.priority, g.gateway_id), '[]')
			from core.emergency_target g
			where g.emergency_number_id = t.id))
	from core.emergency_number t where t.id = $1
$$;
insert into core.change_kind (kind, reader) values
	('location', 'core.location_object'),
	('emergency_number', 'core.emergency_number_object');

create constraint trigger location_change after insert or update or delete
	on core.location deferrable initially deferred
	for each row execute function core.change_row('location', 'id');
create constraint trigger emergency_number_change
	after insert or update or delete
	on core.emergency_number deferrable initially deferred
	for each row execute function core.change_row('emergency_number', 'id');
create constraint trigger emergency_target_change
	after insert or update or delete
	on core.emergency_target deferrable initially deferred
	for each row execute function core.change_row('emergency_number',
		'emergency_number_id');

revoke all on function core.site_location(), core.location_object(text),
	core.emergency_number_object(text) from public;
grant select, insert, update, delete on core.location, core.emergency_number,
	core.emergency_target to strowger_api;
