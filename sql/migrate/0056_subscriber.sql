-- Who the subscriber of a trunk or number is, by law: what an authority asks
-- for, and what ownership of a number rests on. The switch does not know it.
create domain core.personal as text
	check (octet_length(value) between 1 and 190
		and value !~ '[[:cntrl:]]');
create table core.subscriber (
	id text primary key check (core.is_id(id, 'sbr')),
	tenant_id text not null references core.tenant,
	legal_name core.personal not null,
	street core.personal not null,
	postal_code core.personal,
	city core.personal not null,
	country core.country not null,
	contact_name core.personal,
	contact_phone core.e164,
	contact_email core.personal
		check (contact_email ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
	is_verified boolean not null default false,
	verified_at timestamptz,
	verified_by core.personal,
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	unique (id, tenant_id),
	constraint subscriber_verified_by
		check (not is_verified or verified_by is not null)
);
create index subscriber_tenant on core.subscriber (tenant_id);
create trigger subscriber_touch before update on core.subscriber
	for each row execute function core.touch();

-- What was verified is who and where: another name or address is not.
create function core.subscriber_verify() returns trigger
	language plpgsql as
$$
begin
	if tg_op = 'UPDATE' and old.is_verified and new.is_verified
			and (old.legal_name, old.street, old.postal_code,
				old.city, old.country) is distinct from
			(new.legal_name, new.street, new.postal_code,
				new.city, new.country) then
		new.is_verified := false;
	end if;
	if not new.is_verified then
		new.verified_at := null;
		new.verified_by := null;
	elsif tg_op = 'INSERT' or not old.is_verified then
		new.verified_at := now();
	end if;
	return new;
end
$$;
create trigger subscriber_verify before insert or update on core.subscriber
	for each row execute function core.subscriber_verify();

alter table core.trunk
	add column subscriber_id text,
	add constraint trunk_subscriber foreign key (subscriber_id, tenant_id)
		references core.subscriber (id, tenant_id);
create index trunk_subscriber on core.trunk (subscriber_id);
alter table core.did
	add column subscriber_id text,
	add constraint did_subscriber foreign key (subscriber_id, tenant_id)
		references core.subscriber (id, tenant_id);
create index did_subscriber on core.did (subscriber_id);

-- Numbers that go to another tenant leave their subscriber behind.
create or replace function core.did_split(p_id text, p_first core.e164,
	p_last core.e164, p_tenant_id text, p_trunk_id text, p_ids text[])
	returns text language plpgsql as
$$
declare
	whole core.did;
	part_id text;
	kept text;
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
	kept := case when whole.tenant_id = p_tenant_id
		then whole.subscriber_id end;
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
			'subscriber_id', kept, 'row_version', 1))).*;
	else
		update core.did d set tenant_id = p_tenant_id,
			trunk_id = p_trunk_id, subscriber_id = kept
			where d.id = p_id;
	end if;
	return part_id;
end
$$;

revoke all on function core.subscriber_verify() from public;
grant select, insert, update, delete on core.subscriber to strowger_api;
