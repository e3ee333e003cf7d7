-- Resellers stand above tenants: a tree of at most four levels. Whoever may see
-- a tenant's rows sees those of the tenants below it; tenant_tree holds every
-- pair of a tenant and one that stands above it (itself at depth 0), so that
-- this is one lookup by key for each row.
alter table core.tenant add column parent_id text references core.tenant;
create index tenant_parent on core.tenant (parent_id);

create table core.tenant_tree (
	ancestor_id text not null references core.tenant on delete cascade,
	tenant_id text not null references core.tenant on delete cascade,
	depth integer not null,
	primary key (ancestor_id, tenant_id),
	constraint tenant_tree_depth check (depth between 0 and 3)
);
create index tenant_tree_tenant on core.tenant_tree (tenant_id);

insert into core.tenant_tree (ancestor_id, tenant_id, depth)
	select t.id, t.id, 0 from core.tenant t;

-- Links every tenant of the subtree of root to those above it.
create function core.tenant_link(root text, parent text) returns void
	language sql as
$$
	insert into core.tenant_tree (ancestor_id, tenant_id, depth)
	select above.ancestor_id, below.tenant_id,
		above.depth + 1 + below.depth
	from core.tenant_tree above, core.tenant_tree below
	where above.tenant_id = $2 and below.ancestor_id = $1
$$;

-- One at a time: two moves at once could make a ring of what each alone
-- leaves a tree.
create function core.tenant_place() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	if new.parent_id is not null or tg_op = 'UPDATE' then
		perform pg_advisory_xact_lock(
			hashtextextended('core.tenant_tree', 0));
	end if;
	if tg_op = 'INSERT' then
		insert into core.tenant_tree (ancestor_id, tenant_id, depth)
			values (new.id, new.id, 0);
	else
		if exists (select from core.tenant_tree n
			where n.ancestor_id = new.id
				and n.tenant_id = new.parent_id) then
			raise exception '% stands below %', new.parent_id,
				new.id using errcode = 'check_violation',
				constraint = 'tenant_parent_ring';
		end if;
		delete from core.tenant_tree n using core.tenant_tree below
			where below.ancestor_id = new.id
			and n.tenant_id = below.tenant_id
			and n.depth > below.depth;
	end if;
	if new.parent_id is not null then
		perform core.tenant_link(new.id, new.parent_id);
	end if;
	return null;
end
$$;
create trigger tenant_place_new after insert on core.tenant
	for each row execute function core.tenant_place();
create trigger tenant_place_move after update of parent_id on core.tenant
	for each row when (old.parent_id is distinct from new.parent_id)
	execute function core.tenant_place();

-- What a repeated POST is told beside the body.
alter table core.idempotency add column location text not null default '',
	add column etag text not null default '';

revoke all on function core.tenant_link(text, text), core.tenant_place()
	from public;
grant select on core.tenant_tree to strowger_api;
