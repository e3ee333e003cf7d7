-- Which number is believed and what is sent of it: rule sets by reference,
-- sources of numbers, forms of headers, lists, calling numbers that a customer
-- may use beyond its own, short codes.

create function core.is_rule_use(uses jsonb) returns boolean
	language sql immutable parallel safe as
$$
	select case when jsonb_typeof(uses) <> 'array' then false
		when jsonb_array_length(uses) > 8 then false
		else (select coalesce(bool_and(
			jsonb_typeof(u) = 'object'
			and u - array['direction', 'subject', 'rule_set_id'] = '{}'
			and u ->> 'direction' in ('in', 'out')
			and u ->> 'subject' in ('calling', 'called', 'diversion',
				'identity')
			and core.is_id(u ->> 'rule_set_id', 'nrs')), true)
			and count(*) = count(distinct (u ->> 'direction',
				u ->> 'subject'))
			from jsonb_array_elements(uses) u) end
$$;

create function core.is_id_list(ids text[], prefix text, n integer)
	returns boolean language sql immutable parallel safe as
$$
	select cardinality(ids) <= n and (select coalesce(bool_and(
			core.is_id(i, prefix)), true) and count(i) = count(distinct i)
		and count(*) = count(i) from unnest(ids) i)
$$;

create table core.number_rule_set (
	id text primary key check (core.is_id(id, 'nrs')),
	name core.name,
	rules core.rule_set default '[]',
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now()
);

-- deny: a number of the list is refused; allow: one that is not; rewrite: the
-- number is replaced; tag: the call gets the tags, which routing asks for.
create table core.number_list (
	id text primary key check (core.is_id(id, 'nls')),
	tenant_id text references core.tenant,
	name core.name,
	kind text not null check (kind in ('allow', 'deny', 'rewrite', 'tag')),
	subject text not null check (subject in ('calling', 'called')),
	tags text[] not null default '{}' check (cardinality(tags) <= 8),
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint number_list_tags
		check ((kind = 'tag') = (cardinality(tags) > 0))
);
create index number_list_tenant on core.number_list (tenant_id);

-- number: digits of an E.164 number, of a prefix the first of them
create table core.number_list_entry (
	id text primary key check (core.is_id(id, 'nle')),
	list_id text not null references core.number_list on delete cascade,
	number text not null check (number ~ '^[0-9]{1,15}$'),
	is_prefix boolean not null default false,
	replacement core.e164,
	expires_at timestamptz,
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint number_list_entry_once unique (list_id, number)
);

-- A calling number that is not ours and that the customer has proved to own.
create table core.cli_grant (
	id text primary key check (core.is_id(id, 'cgr')),
	tenant_id text not null references core.tenant,
	trunk_id text,
	e164 core.e164 not null,
	e164_last core.e164,
	valid_from timestamptz,
	valid_to timestamptz,
	reference text check (octet_length(reference) between 1 and 255),
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	foreign key (trunk_id, tenant_id) references core.trunk (id, tenant_id)
		on delete cascade,
	constraint cli_grant_form check (e164_last is null
		or (length(e164_last) = length(e164)
		and substr(e164_last, 2)::bigint > substr(e164, 2)::bigint)),
	constraint cli_grant_span check (valid_to > valid_from)
);
create index cli_grant_tenant on core.cli_grant (tenant_id);
create index cli_grant_trunk on core.cli_grant (trunk_id);
-- of one trunk, or of all trunks of a tenant, no two have a number in common
create function core.cli_grant_check() returns trigger language plpgsql as
$$
begin
	perform pg_advisory_xact_lock(1937204073);
	if exists (select from core.cli_grant g where g.id <> new.id
		and g.tenant_id = new.tenant_id
		and g.trunk_id is not distinct from new.trunk_id
		and substr(g.e164, 2)::bigint
			<= substr(coalesce(new.e164_last, new.e164), 2)::bigint
		and substr(coalesce(g.e164_last, g.e164), 2)::bigint
			>= substr(new.e164, 2)::bigint) then
		raise exception 'a grant has these numbers'
			using errcode = 'exclusion_violation',
			constraint = 'cli_grant_no_overlap';
	end if;
	return new;
end
$$;
create trigger cli_grant_check before insert or update on core.cli_grant
	for each row execute function core.cli_grant_check();

-- Dialled as it is; of a trunk before those of its tenant.
create table core.short_code (
	id text primary key check (core.is_id(id, 'shc')),
	tenant_id text not null references core.tenant,
	trunk_id text,
	code text not null check (code ~ '^[0-9*#]{1,8}$'),
	e164 core.e164 not null,
	name core.name,
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	foreign key (trunk_id, tenant_id) references core.trunk (id, tenant_id)
		on delete cascade
);
create unique index short_code_once
	on core.short_code (tenant_id, (coalesce(trunk_id, '')), code);
create index short_code_trunk on core.short_code (trunk_id);

-- Nobody dials 112 and gets the canteen: the switch asks for emergency
-- numbers first, and such a code is not taken in.
create function core.short_code_check() returns trigger language plpgsql as
$$
begin
	if new.code in ('112', '911', '999', '000', '110') or exists (
		select from core.route r
		where r.kind = 'emergency' and r.prefix = new.code)
		or exists (select from core.emergency_number e
		where e.number = new.code) then
		raise exception '% is an emergency number', new.code
			using errcode = 'check_violation',
			constraint = 'short_code_emergency';
	end if;
	return new;
end
$$;
create trigger short_code_check before insert or update of code
	on core.short_code
	for each row execute function core.short_code_check();

alter table core.tenant
	add column number_lists text[] not null default '{}'
		check (core.is_id_list(number_lists, 'nls', 8));

do $$
declare
	t text;
begin
	foreach t in array array['core.trunk', 'core.gateway'] loop
		execute format('alter table %s
			add column number_lists text[] not null default ''{}''
				check (core.is_id_list(number_lists, ''nls'', 8)),
			add column number_rules jsonb not null default ''[]''
				check (core.is_rule_use(number_rules)),
			add column calling_sources text[] not null default ''{}''
				check (cardinality(calling_sources) <= 5
				and calling_sources <@ array[''from'', ''pai'',
					''ppi'', ''rpid'', ''diversion'']),
			add column called_source text not null
				default ''request_uri''
				check (called_source in (''request_uri'', ''to'')),
			add column send_ppi boolean not null default false,
			add column send_rpid boolean not null default false,
			add column send_diversion boolean not null default false,
			add column send_history boolean not null default false,
			add column identity_uri text not null default ''sip''
				check (identity_uri in (''sip'', ''tel'')),
			add column identity_domain text
				check (identity_domain ~ ''^[a-z0-9.-]{1,63}$'')',
			t);
	end loop;
end
$$;
alter table core.trunk
	drop constraint trunk_cli_policy_check,
	add constraint trunk_cli_policy_check check (cli_policy in ('owned',
		'default', 'pass', 'reject', 'mark'));

-- What rows name by id has to be there, and stays while they do.
create function core.number_use_check() returns trigger language plpgsql as
$$
declare
	row_ jsonb := to_jsonb(new);
begin
	if exists (select from jsonb_array_elements_text(
			row_ -> 'number_lists') i
		where not exists (select from core.number_list l
			where l.id = i for share)) then
		raise exception 'no such number list'
			using errcode = 'foreign_key_violation',
			constraint = 'number_lists_exist';
	end if;
	if exists (select from jsonb_array_elements(coalesce(
			row_ -> 'number_rules', '[]')) u
		where not exists (select from core.number_rule_set s
			where s.id = u ->> 'rule_set_id' for share)) then
		raise exception 'no such rule set'
			using errcode = 'foreign_key_violation',
			constraint = 'number_rules_exist';
	end if;
	return null;
end
$$;
create trigger number_use_check after insert or update of number_lists
	on core.tenant
	for each row execute function core.number_use_check();
create trigger number_use_check
	after insert or update of number_lists, number_rules on core.trunk
	for each row execute function core.number_use_check();
create trigger number_use_check
	after insert or update of number_lists, number_rules on core.gateway
	for each row execute function core.number_use_check();

create function core.number_list_used() returns trigger language plpgsql as
$$
begin
	if exists (select from core.tenant t where old.id = any (t.number_lists))
		or exists (select from core.trunk t
			where old.id = any (t.number_lists))
		or exists (select from core.gateway g
			where old.id = any (g.number_lists)) then
		raise exception 'number list % is in use', old.id
			using errcode = 'foreign_key_violation',
			constraint = 'number_list_used';
	end if;
	return old;
end
$$;
create trigger number_list_used before delete on core.number_list
	for each row execute function core.number_list_used();

create function core.number_rule_set_used() returns trigger
	language plpgsql as
$$
declare
	use jsonb := jsonb_build_array(jsonb_build_object('rule_set_id',
		old.id));
begin
	if exists (select from core.trunk t where t.number_rules @> use)
		or exists (select from core.gateway g
			where g.number_rules @> use) then
		raise exception 'rule set % is in use', old.id
			using errcode = 'foreign_key_violation',
			constraint = 'number_rule_set_used';
	end if;
	return old;
end
$$;
create trigger number_rule_set_used before delete on core.number_rule_set
	for each row execute function core.number_rule_set_used();

create trigger number_rule_set_touch before update on core.number_rule_set
	for each row execute function core.touch();
create trigger number_list_touch before update on core.number_list
	for each row execute function core.touch();
create trigger number_list_entry_touch before update
	on core.number_list_entry
	for each row execute function core.touch();
create trigger cli_grant_touch before update on core.cli_grant
	for each row execute function core.touch();
create trigger short_code_touch before update on core.short_code
	for each row execute function core.touch();

-- for the switch
create function core.number_rule_set_object(id text) returns jsonb
	language sql stable as
$$ select to_jsonb(t) from core.number_rule_set t where t.id = $1 $$;
create function core.number_list_object(id text) returns jsonb
	language sql stable as
$$
	select to_jsonb(t) || jsonb_build_object('entries',
		(select coalesce(jsonb_agg(jsonb_build_array(e.number,
				e.is_prefix, coalesce(e.replacement, ''),
				floor(extract(epoch from e.expires_at) * 1000))
				order by e.number), '[]')
			from core.number_list_entry e where e.list_id = t.id))
	from core.number_list t where t.id = $1
$$;
create function core.cli_grant_object(id text) returns jsonb
	language sql stable as
$$
	select to_jsonb(t) || jsonb_build_object(
		'from_ms', floor(extract(epoch from t.valid_from) * 1000),
		'to_ms', floor(extract(epoch from t.valid_to) * 1000))
	from core.cli_grant t where t.id = $1
$$;
create function core.short_code_object(id text) returns jsonb
	language sql stable as
$$ select to_jsonb(t) from core.short_code t where t.id = $1 $$;

insert into core.change_kind (kind, reader)
	select k, ('core.' || k || '_object')::regproc
	from unnest(array['number_rule_set', 'number_list', 'cli_grant',
		'short_code']) as k;
create constraint trigger number_rule_set_change
	after insert or update or delete on core.number_rule_set
	deferrable initially deferred for each row
	execute function core.change_row('number_rule_set', 'id');
create constraint trigger number_list_change
	after insert or update or delete on core.number_list
	deferrable initially deferred for each row
	execute function core.change_row('number_list', 'id');
create constraint trigger number_list_entry_change
	after insert or update or delete on core.number_list_entry
	deferrable initially deferred for each row
	execute function core.change_row('number_list', 'list_id');
create constraint trigger cli_grant_change
	after insert or update or delete on core.cli_grant
	deferrable initially deferred for each row
	execute function core.change_row('cli_grant', 'id');
create constraint trigger short_code_change
	after insert or update or delete on core.short_code
	deferrable initially deferred for each row
	execute function core.change_row('short_code', 'id');

revoke all on function core.is_rule_use(jsonb),
	core.is_id_list(text[], text, integer), core.cli_grant_check(),
	core.short_code_check(), core.number_use_check(),
	core.number_list_used(), core.number_rule_set_used(),
	core.number_rule_set_object(text), core.number_list_object(text),
	core.cli_grant_object(text), core.short_code_object(text)
	from public;
grant execute on function core.is_rule_use(jsonb),
	core.is_id_list(text[], text, integer) to strowger_api;
grant select, insert, update, delete on core.number_rule_set,
	core.number_list, core.number_list_entry, core.cli_grant,
	core.short_code to strowger_api;
