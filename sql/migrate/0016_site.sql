-- Sites: places under one trunk that share its channels. An address or a user
-- name tells at which of them a call begins, a number at which it ends.
create table core.site (
	id text primary key check (core.is_id(id, 'sit')),
	trunk_id text not null references core.trunk on delete cascade,
	name core.name,
	status core.status default 'active',
	main_number core.e164,
	channels_in core.limit_n,
	channels_out core.limit_n,
	channels_total core.limit_n,
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	unique (id, trunk_id)
);
create index site_trunk on core.site (trunk_id);
create unique index site_one_name on core.site (trunk_id, name);
create trigger site_touch before update on core.site
	for each row execute function core.touch();

alter table core.source_address
	add column site_id text,
	add constraint source_address_site
		foreign key (site_id, trunk_id)
		references core.site (id, trunk_id),
	add constraint source_address_site_trunk
		check (site_id is null or trunk_id is not null);
create index source_address_site on core.source_address (site_id);

alter table core.trunk_credential
	add column site_id text,
	add constraint trunk_credential_site
		foreign key (site_id, trunk_id)
		references core.site (id, trunk_id);
create index trunk_credential_site on core.trunk_credential (site_id);

alter table core.did
	add column site_id text,
	add constraint did_site foreign key (site_id, trunk_id)
		references core.site (id, trunk_id);
create index did_site on core.did (site_id);

create function core.site_object(id text) returns jsonb
	language sql stable as
$$ select to_jsonb(t) from core.site t where t.id = $1 $$;
revoke all on function core.site_object(text) from public;

insert into core.change_kind (kind, reader)
	values ('site', 'core.site_object'::regproc);
create constraint trigger site_change after insert or update or delete
	on core.site deferrable initially deferred
	for each row execute function core.change_row('site', 'id');

grant select, insert, update, delete on core.site to strowger_api;
