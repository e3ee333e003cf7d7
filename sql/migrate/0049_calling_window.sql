-- When calls may be made, and how often to one number meanwhile: of all
-- trunks, those of a tenant or of a plan, or one. A call has to pass every
-- window that its number is meant by.
create table core.calling_window (
	id text primary key check (core.is_id(id, 'cwn')),
	name core.name,
	status core.status default 'active',
	tenant_id text references core.tenant,
	routing_plan_id text references core.routing_plan,
	trunk_id text references core.trunk on delete cascade,
	zone_id text references core.zone,
	prefix text not null default '' check (prefix ~ '^[0-9]{0,15}$'),
	schedule_id text not null references core.schedule,
	calls_per_number core.limit_n,
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint calling_window_one_scope
		check (num_nonnulls(tenant_id, routing_plan_id, trunk_id) <= 1)
);
create index calling_window_tenant on core.calling_window (tenant_id);
create index calling_window_plan on core.calling_window (routing_plan_id);
create index calling_window_trunk on core.calling_window (trunk_id);
create index calling_window_zone on core.calling_window (zone_id);
create index calling_window_schedule on core.calling_window (schedule_id);
create trigger calling_window_touch before update on core.calling_window
	for each row execute function core.touch();

create function core.calling_window_object(id text) returns jsonb
	language sql stable as
$$ select to_jsonb(t) from core.calling_window t where t.id = $1 $$;
insert into core.change_kind (kind, reader) values
	('calling_window', 'core.calling_window_object');
create constraint trigger calling_window_change
	after insert or update or delete
	on core.calling_window deferrable initially deferred
	for each row execute function core.change_row('calling_window', 'id');

revoke all on function core.calling_window_object(text) from public;
grant select, insert, update, delete on core.calling_window to strowger_api;
