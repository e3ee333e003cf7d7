-- Where a number belongs: country, network and type by the longest prefix of
-- an E.164 number, with the lengths that such a number may have. Without a
-- country: networks that belong to none (ITU-T E.164 6.2.2).
create table core.numbering (
	prefix text primary key check (prefix ~ '^[1-9][0-9]{0,14}$'),
	country text check (country ~ '^[A-Z]{2}$'),
	network text not null check (octet_length(network) between 1 and 47),
	type text not null default 'unknown' check (type in ('unknown',
		'geographic', 'mobile', 'voip', 'toll_free', 'shared_cost',
		'premium', 'personal', 'pager', 'corporate', 'satellite',
		'service', 'international', 'emergency')),
	min_len integer not null default 5,
	max_len integer not null default 15,
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint numbering_lengths
		check (min_len between 3 and max_len and max_len <= 15)
);
create trigger numbering_touch before update on core.numbering
	for each row execute function core.touch();

-- The switch takes the plan as one object: some hundred short rows.
create function core.numbering_object(id text) returns jsonb
	language sql stable as
$$
	select jsonb_build_object('rows', (select coalesce(jsonb_agg(
			jsonb_build_array(n.prefix, coalesce(n.country, ''),
				n.network, n.type, n.min_len, n.max_len)
			order by n.prefix), '[]')
		from core.numbering n))
	where $1 = 'e164'
$$;
insert into core.change_kind (kind, reader)
	values ('numbering', 'core.numbering_object');

create function core.numbering_change() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	perform core.change_note('numbering', 'e164');
	return null;
end
$$;
create constraint trigger numbering_change
	after insert or update or delete on core.numbering
	deferrable initially deferred
	for each row execute function core.numbering_change();

-- What is done with a called number that no country or network has.
alter table core.trunk
	add column number_check text not null default 'off'
		check (number_check in ('off', 'country', 'length'));

-- A row is a number or, with e164_last, all numbers from e164 to it. Ranges
-- do not overlap; a number of its own may stand inside one and comes before
-- it, so that a single number of a block can go elsewhere.
alter table core.did
	add column e164_last core.e164,
	add column name text check (octet_length(name) between 1 and 63),
	add column cnam text check (octet_length(cnam) between 1 and 63),
	add column channels core.limit_n,
	add column in_service_from timestamptz,
	add column in_service_to timestamptz,
	add constraint did_range_form check (e164_last is null
		or (length(e164_last) = length(e164)
		and substr(e164_last, 2)::bigint > substr(e164, 2)::bigint)),
	add constraint did_service_span
		check (in_service_to > in_service_from),
	drop constraint did_e164_key,
	add constraint did_no_overlap exclude using gist (int8range(
		substr(e164, 2)::bigint, substr(e164_last, 2)::bigint, '[]')
		with &&) where (e164_last is not null);
create unique index did_e164_key on core.did (e164)
	where e164_last is null;

-- A part of a range goes to another trunk. The row keeps what lies before the
-- part, or else what lies behind; what remains gets rows that are the same
-- but for their numbers. ids: for the part, and for the rest behind it.
-- Returns the id of the row that now is the part.
create function core.did_split(p_id text, p_first core.e164,
	p_last core.e164, p_tenant_id text, p_trunk_id text, p_ids text[])
	returns text language plpgsql as
$$
declare
	whole core.did;
	part_id text;
	a bigint; b bigint; f bigint; l bigint;
begin
	select * into whole from core.did d where d.id = p_id for update;
	a := substr(whole.e164, 2)::bigint;
	b := substr(coalesce(whole.e164_last, whole.e164), 2)::bigint;
	f := substr(p_first, 2)::bigint;
	l := substr(p_last, 2)::bigint;
	if whole.id is null or f < a or l > b or l < f then
		raise exception '% to % is no part of %', p_first, p_last, p_id
			using errcode = 'check_violation',
			constraint = 'did_split_inside';
	end if;
	part_id := case when f = a and l = b then p_id else p_ids[1] end;
	if f > a then
		update core.did d set e164_last = nullif('+' || f - 1, d.e164)
			where d.id = p_id;
	elsif l < b then
		update core.did d set e164 = '+' || l + 1,
				e164_last = nullif(d.e164_last, '+' || l + 1)
			where d.id = p_id;
	end if;
	if f > a and l < b then
		insert into core.did select (jsonb_populate_record(whole,
			jsonb_build_object('id', p_ids[2], 'e164', '+' || l + 1,
			'e164_last', nullif('+' || b, '+' || l + 1),
			'row_version', 1))).*;
	end if;
	if part_id <> p_id then
		insert into core.did select (jsonb_populate_record(whole,
			jsonb_build_object('id', part_id, 'e164', p_first,
			'e164_last', nullif(p_last, p_first),
			'tenant_id', p_tenant_id, 'trunk_id', p_trunk_id,
			'row_version', 1))).*;
	else
		update core.did d set tenant_id = p_tenant_id,
			trunk_id = p_trunk_id where d.id = p_id;
	end if;
	return part_id;
end
$$;

revoke all on function core.numbering_object(text), core.numbering_change(),
	core.did_split(text, core.e164, core.e164, text, text, text[])
	from public;
grant select, insert, update, delete on core.numbering to strowger_api;
grant execute on function
	core.did_split(text, core.e164, core.e164, text, text, text[])
	to strowger_api;

-- The switch counts in milliseconds.
create or replace function core.did_object(id text) returns jsonb
	language sql stable as
$$
	select to_jsonb(t) || jsonb_build_object(
		'from_ms', floor(extract(epoch from t.in_service_from) * 1000),
		'to_ms', floor(extract(epoch from t.in_service_to) * 1000))
	from core.did t where t.id = $1
$$;
