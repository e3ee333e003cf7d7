-- Where calls to a trunk arrive, in order, and what becomes of them when
-- nobody takes them.
create table core.trunk_endpoint (
	id text primary key check (core.is_id(id, 'ept')),
	trunk_id text not null references core.trunk on delete cascade,
	-- null: the contacts that the trunk registered
	host inet check (host = host(host)::inet),
	port core.port,
	priority integer not null default 1
		check (priority between 0 and 65535),
	weight integer not null default 100
		check (weight between 0 and 65535),
	status core.status default 'active',
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint trunk_endpoint_port_needs_host
		check (port is null or host is not null),
	constraint trunk_endpoint_once
		unique nulls not distinct (trunk_id, host, port)
);
create index trunk_endpoint_trunk on core.trunk_endpoint (trunk_id);
create trigger trunk_endpoint_touch before update on core.trunk_endpoint
	for each row execute function core.touch();

-- Of one number, or of all calls to a trunk: the number's come first. A
-- forward to a number is a call of the forwarding trunk and paid by it.
create table core.forward (
	id text primary key check (core.is_id(id, 'fwd')),
	tenant_id text not null references core.tenant,
	did_id text references core.did on delete cascade,
	trunk_id text,
	condition text not null check (condition in ('unconditional', 'busy',
		'no_answer', 'unreachable', 'rejected', 'codes')),
	codes text[] not null default '{}'
		check (cardinality(codes) <= 16 and array_to_string(codes, ',')
			~ '^([4-6][0-9]{2}(,|$))*$'),
	to_number core.e164,
	to_trunk_id text,
	after_s integer check (after_s between 1 and 600),
	priority integer not null default 1
		check (priority between 0 and 65535),
	status core.status default 'active',
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint forward_one_owner
		check (num_nonnulls(did_id, trunk_id) = 1),
	constraint forward_one_target
		check (num_nonnulls(to_number, to_trunk_id) = 1),
	constraint forward_codes
		check ((condition = 'codes') = (cardinality(codes) > 0)),
	constraint forward_after
		check (after_s is null or condition = 'no_answer'),
	constraint forward_trunk foreign key (trunk_id, tenant_id)
		references core.trunk (id, tenant_id) on delete cascade,
	constraint forward_to_trunk foreign key (to_trunk_id, tenant_id)
		references core.trunk (id, tenant_id)
);
create index forward_tenant on core.forward (tenant_id);
create index forward_did on core.forward (did_id);
create index forward_trunk_id on core.forward (trunk_id);
create index forward_to_trunk_id on core.forward (to_trunk_id);
create trigger forward_touch before update on core.forward
	for each row execute function core.touch();

-- A number's forwards are its tenant's
create function core.forward_did() returns trigger language plpgsql as
$$
begin
	if new.tenant_id <> (select d.tenant_id from core.did d
		where d.id = new.did_id) then
		raise exception 'number % is not of tenant %', new.did_id,
			new.tenant_id using errcode = 'foreign_key_violation',
			constraint = 'forward_did_tenant';
	end if;
	return new;
end
$$;
create trigger forward_did before insert or update on core.forward
	for each row when (new.did_id is not null)
	execute function core.forward_did();

create function core.endpoint_object(id text) returns jsonb
	language sql stable as
$$
	select to_jsonb(t) || jsonb_build_object('host', host(t.host))
	from core.trunk_endpoint t where t.id = $1
$$;
create function core.forward_object(id text) returns jsonb
	language sql stable as
$$ select to_jsonb(t) from core.forward t where t.id = $1 $$;
insert into core.change_kind (kind, reader) values
	('endpoint', 'core.endpoint_object'),
	('forward', 'core.forward_object');
create constraint trigger trunk_endpoint_change
	after insert or update or delete
	on core.trunk_endpoint deferrable initially deferred
	for each row execute function core.change_row('endpoint', 'id');
create constraint trigger forward_change after insert or update or delete
	on core.forward deferrable initially deferred
	for each row execute function core.change_row('forward', 'id');

grant select, insert, update, delete on core.trunk_endpoint, core.forward
	to strowger_api;
revoke all on function core.endpoint_object(text), core.forward_object(text),
	core.forward_did() from public;
grant execute on function core.forward_did() to strowger_api;
