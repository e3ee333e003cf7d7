-- Whom the switch asks over HTTP what shall become of a call that a number's
-- trunk, or the forwards of the two, did not take; or, with the condition
-- unconditional, of each call before anybody is called. Of one number, or of
-- all calls to a trunk: the number's is asked before the trunk's.
create table core.decision_url (
	id text primary key check (core.is_id(id, 'dcu')),
	tenant_id text not null references core.tenant,
	did_id text references core.did on delete cascade,
	trunk_id text,
	url text not null check (length(url) between 8 and 500),
	timeout_ms integer not null default 2000
		check (timeout_ms between 100 and 10000),
	conditions text[] not null default '{busy,no_answer,unreachable,rejected,failure}'
		check (cardinality(conditions) between 1 and 6
			and conditions <@ '{unconditional,busy,no_answer,unreachable,rejected,failure}'),
	-- what follows when it does not answer in time, or not what it may
	fallback text not null default 'continue'
		check (fallback in ('continue', 'refuse', 'forward')),
	fallback_number core.e164,
	fallback_trunk_id text,
	is_signed boolean not null default true,
	-- secrets as the API seals them: nonce, AES-256-GCM, tag
	secret_box bytea,
	previous_box bytea,
	previous_until timestamptz,
	status core.status default 'active',
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint decision_url_one_owner
		check (num_nonnulls(did_id, trunk_id) = 1),
	constraint decision_url_did unique (did_id),
	constraint decision_url_of_trunk unique (trunk_id),
	constraint decision_url_fallback_target
		check (num_nonnulls(fallback_number, fallback_trunk_id) =
			case fallback when 'forward' then 1 else 0 end),
	constraint decision_url_secret
		check (is_signed = (secret_box is not null)),
	constraint decision_url_trunk foreign key (trunk_id, tenant_id)
		references core.trunk (id, tenant_id) on delete cascade,
	constraint decision_url_fallback_trunk
		foreign key (fallback_trunk_id, tenant_id)
		references core.trunk (id, tenant_id)
);
create index decision_url_tenant on core.decision_url (tenant_id);
create index decision_url_fallback_trunk_id
	on core.decision_url (fallback_trunk_id);
create trigger decision_url_touch before update on core.decision_url
	for each row execute function core.touch();

-- Whoever takes the signature away takes the secrets away, and a new secret
-- is there to sign with.
create function core.decision_url_secret() returns trigger
	language plpgsql as
$$
begin
	if old.is_signed and not new.is_signed then
		new.secret_box := null;
		new.previous_box := null;
		new.previous_until := null;
	elsif new.secret_box is distinct from old.secret_box then
		new.is_signed := new.secret_box is not null;
	end if;
	return new;
end
$$;
create trigger decision_url_secret before update on core.decision_url
	for each row execute function core.decision_url_secret();

-- A number's is its tenant's
create function core.decision_url_did() returns trigger language plpgsql as
$$
begin
	if new.tenant_id <> (select d.tenant_id from core.did d
		where d.id = new.did_id) then
		raise exception 'number % is not of tenant %', new.did_id,
			new.tenant_id using errcode = 'foreign_key_violation',
			constraint = 'decision_url_did_tenant';
	end if;
	return new;
end
$$;
create trigger decision_url_did before insert or update on core.decision_url
	for each row when (new.did_id is not null)
	execute function core.decision_url_did();

create function core.decision_url_object(id text) returns jsonb
	language sql stable as
$$
	select to_jsonb(t) || jsonb_build_object('previous_until_ms',
		(extract(epoch from t.previous_until) * 1000)::bigint)
	from core.decision_url t where t.id = $1
$$;
insert into core.change_kind (kind, reader)
	values ('decision_url', 'core.decision_url_object');
create constraint trigger decision_url_change
	after insert or update or delete
	on core.decision_url deferrable initially deferred
	for each row execute function core.change_row('decision_url', 'id');

grant select, insert, update, delete on core.decision_url to strowger_api;
revoke all on function core.decision_url_object(text),
	core.decision_url_did(), core.decision_url_secret() from public;
grant execute on function core.decision_url_did(),
	core.decision_url_secret() to strowger_api;
