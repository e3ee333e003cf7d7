-- What moved, for the caches of the switch: one row per object with the
-- version of its last change. A deleted object keeps its row, so that a node
-- that was away learns of it.
--
-- The triggers are deferred: they run at COMMIT, after all the work of the
-- transaction, and only there wait for another writer. Under the lock versions
-- become visible in their order, so a reader that has seen N never misses a
-- smaller one. A writer that wants to know its version says
-- SET CONSTRAINTS ALL IMMEDIATE as its last statement and reads core.state.
create table core.change (
	version bigint not null unique,
	kind text not null check (kind in ('tenant', 'account', 'realm',
		'trunk', 'credential', 'address', 'carrier', 'gateway',
		'did', 'route', 'rate_deck')),
	id text not null,
	xact xid8 not null default pg_current_xact_id(),
	at timestamptz not null default now(),
	primary key (kind, id)
);

create sequence core.change_version;

create view core.state as
	select coalesce(max(version), 0) as version from core.change;

-- Which database the versions are of: a node that meets another one (or this
-- one restored) reads everything again.
create table core.feed (
	is_one boolean primary key default true check (is_one),
	feed uuid not null default gen_random_uuid()
);
insert into core.feed default values;

-- At most one version per object and transaction.
create function core.change_note(p_kind text, p_id text) returns void
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	if exists (select from core.change c where c.kind = p_kind
		and c.id = p_id and c.xact = pg_current_xact_id()) then
		return;
	end if;
	-- "swch": held until the transaction has become visible
	perform pg_advisory_xact_lock(1937204072);
	insert into core.change as c (version, kind, id)
		values (nextval('core.change_version'), p_kind, p_id)
		on conflict (kind, id) do update set
			version = excluded.version,
			xact = excluded.xact, at = excluded.at;
	-- without payload: any number of them in one transaction is sent once
	notify strowger_change;
end
$$;

-- tg_argv: the kind, and the column that holds the id
create function core.change_row() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	before text := to_jsonb(old) ->> tg_argv[1];
	after text := to_jsonb(new) ->> tg_argv[1];
begin
	if after is not null then
		perform core.change_note(tg_argv[0], after);
	end if;
	if before is distinct from after and before is not null then
		perform core.change_note(tg_argv[0], before);
	end if;
	return null;
end
$$;

create constraint trigger tenant_change after insert or update or delete
	on core.tenant deferrable initially deferred
	for each row execute function core.change_row('tenant', 'id');
create constraint trigger realm_change after insert or update or delete
	on core.realm deferrable initially deferred
	for each row execute function core.change_row('realm', 'name');
create constraint trigger trunk_change after insert or update or delete
	on core.trunk deferrable initially deferred
	for each row execute function core.change_row('trunk', 'id');
create constraint trigger trunk_credential_change
	after insert or update or delete
	on core.trunk_credential deferrable initially deferred
	for each row execute function core.change_row('credential', 'id');
create constraint trigger source_address_change
	after insert or update or delete
	on core.source_address deferrable initially deferred
	for each row execute function core.change_row('address', 'id');
create constraint trigger carrier_change after insert or update or delete
	on core.carrier deferrable initially deferred
	for each row execute function core.change_row('carrier', 'id');
create constraint trigger gateway_change after insert or update or delete
	on core.gateway deferrable initially deferred
	for each row execute function core.change_row('gateway', 'id');
create constraint trigger did_change after insert or update or delete
	on core.did deferrable initially deferred
	for each row execute function core.change_row('did', 'id');
create constraint trigger route_change after insert or update or delete
	on core.route deferrable initially deferred
	for each row execute function core.change_row('route', 'id');
create constraint trigger route_target_change
	after insert or update or delete
	on core.route_target deferrable initially deferred
	for each row execute function core.change_row('route', 'route_id');
create constraint trigger rate_deck_change after insert or update or delete
	on core.rate_deck deferrable initially deferred
	for each row execute function core.change_row('rate_deck', 'id');

-- Postings and leases move all day and are not the switch's business.
create constraint trigger account_change after insert or delete
	on core.account deferrable initially deferred
	for each row execute function core.change_row('account', 'id');
create constraint trigger account_edit after update
	on core.account deferrable initially deferred
	for each row when ((old.tenant_id, old.type, old.status, old.currency,
		old.credit_limit_micro) is distinct from (new.tenant_id,
		new.type, new.status, new.currency, new.credit_limit_micro))
	execute function core.change_row('account', 'id');
