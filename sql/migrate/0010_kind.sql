-- What is provisioned grows by kinds. Each says in one row which function
-- reads an object of it as the switch does, so that a migration that brings a
-- kind needs no new version of those that came before.
create table core.change_kind (
	kind text primary key check (kind ~ '^[a-z_]{1,31}$'),
	reader regproc not null
);

create function core.tenant_object(id text) returns jsonb
	language sql stable as
$$ select to_jsonb(t) from core.tenant t where t.id = $1 $$;
create function core.account_object(id text) returns jsonb
	language sql stable as
$$
	select to_jsonb(t) - array['balance_micro', 'leased_micro',
		'overspent_micro', 'low_balance_micro']
	from core.account t where t.id = $1
$$;
create function core.realm_object(id text) returns jsonb
	language sql stable as
$$ select to_jsonb(t) from core.realm t where t.name = $1 $$;
create function core.trunk_object(id text) returns jsonb
	language sql stable as
$$ select to_jsonb(t) from core.trunk t where t.id = $1 $$;
create function core.credential_object(id text) returns jsonb
	language sql stable as
$$ select to_jsonb(t) from core.trunk_credential t where t.id = $1 $$;
create function core.address_object(id text) returns jsonb
	language sql stable as
$$ select to_jsonb(t) from core.source_address t where t.id = $1 $$;
create function core.carrier_object(id text) returns jsonb
	language sql stable as
$$ select to_jsonb(t) from core.carrier t where t.id = $1 $$;
create function core.gateway_object(id text) returns jsonb
	language sql stable as
$$ select to_jsonb(t) from core.gateway t where t.id = $1 $$;
create function core.did_object(id text) returns jsonb
	language sql stable as
$$ select to_jsonb(t) from core.did t where t.id = $1 $$;
create function core.rate_deck_object(id text) returns jsonb
	language sql stable as
$$ select to_jsonb(t) from core.rate_deck t where t.id = $1 $$;
create function core.route_object(id text) returns jsonb
	language sql stable as
$$
	select to_jsonb(t) || jsonb_build_object('targets',
		(select coalesce(jsonb_agg(to_jsonb(g) - 'route_id'
				order by g.priority, g.gateway_id), '[]')
			from core.route_target g where g.route_id = t.id))
	from core.route t where t.id = $1
$$;

insert into core.change_kind (kind, reader)
	select k, ('core.' || k || '_object')::regproc
	from unnest(array['tenant', 'account', 'realm', 'trunk', 'credential',
		'address', 'carrier', 'gateway', 'did', 'route', 'rate_deck'])
		as k;

alter table core.change drop constraint change_kind_check;
alter table core.change add foreign key (kind) references core.change_kind;

-- reader is a regproc of the table above, which only a migration writes
create or replace function api_v1.object(kind text, id text) returns jsonb
	language plpgsql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	reader regproc;
	object jsonb;
begin
	select k.reader into reader from core.change_kind k
		where k.kind = $1;
	if reader is null then
		return null;
	end if;
	execute format('select %s($1)', reader) into object using $2;
	return object - array['row_version', 'created_at', 'updated_at'];
end
$$;

-- Columns of the record for what numbers, sites, forwarding and plans tell.
do $$
declare
	t text;
begin
	foreach t in array array['cdr.record', 'cdr.staging'] loop
		execute format('alter table %s
			add column site_id text,
			add column calling_country text,
			add column calling_network text,
			add column calling_type text,
			add column called_country text,
			add column called_network text,
			add column called_type text,
			add column calling_action text,
			add column diverting text,
			add column diverting_trunk_id text,
			add column diversion_reason text,
			add column plan_id text,
			add column marks text', t);
	end loop;
end
$$;

revoke all on all functions in schema core from public;
