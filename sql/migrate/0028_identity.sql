-- How a trunk is known. auth: any - one of its addresses, or digest; all -
-- digest, and from one of its addresses. on_suspend: what becomes of live
-- calls when the trunk, its tenant or its account is suspended.
alter table core.trunk
	add column auth text not null default 'any'
		check (auth in ('any', 'all')),
	add column on_suspend text not null default 'drop'
		check (on_suspend in ('drop', 'finish'));

-- Several trunks behind one address tell themselves apart by digits before
-- the called number, or by a token in a header of which only the hash is here.
alter table core.source_address
	add column tech_prefix text check (tech_prefix ~ '^[0-9*#]{1,16}$'),
	add column token_sha256 text
		check (token_sha256 ~ '^[0-9a-f]{64}$'),
	add constraint source_address_one_mark
		check (num_nonnulls(tech_prefix, token_sha256) <= 1),
	add constraint source_address_gateway_unmarked
		check (gateway_id is null
			or num_nonnulls(tech_prefix, token_sha256) = 0);

drop index core.source_address_one_owner;
create unique index source_address_one_owner on core.source_address
	(cidr, (coalesce(port::integer, 0)), (coalesce(tech_prefix, '')),
	(coalesce(token_sha256, '')));

-- Rows of one network and port that could claim the same call of two owners:
-- a gateway's beside a trunk's, and a tech prefix that another one (none is
-- the shortest) begins. Tokens claim nothing but themselves.
create function core.source_address_clashes(p core.source_address)
	returns setof core.source_address language sql stable as
$$
	select o.* from core.source_address o
	where o.cidr = p.cidr and o.id <> p.id
		and coalesce(o.port::integer, 0) = coalesce(p.port::integer, 0)
		and (o.trunk_id, o.gateway_id) is distinct from
			(p.trunk_id, p.gateway_id)
		and case when (o.gateway_id is null) <> (p.gateway_id is null)
			then true
		when num_nonnulls(o.token_sha256, p.token_sha256) > 0
			then false
		else starts_with(coalesce(o.tech_prefix, ''),
				coalesce(p.tech_prefix, ''))
			or starts_with(coalesce(p.tech_prefix, ''),
				coalesce(o.tech_prefix, '')) end
	order by o.id
$$;

create function core.source_address_check() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	clashing text;
begin
	-- two writers could each miss the other's row
	lock table core.source_address in share row exclusive mode;
	select string_agg(c.id, ', ') into clashing
		from core.source_address_clashes(new) c;
	if clashing is not null then
		raise exception 'could claim the calls of %', clashing
			using errcode = 'unique_violation',
			constraint = 'source_address_ambiguous';
	end if;
	return null;
end
$$;
create trigger source_address_check after insert or update
	on core.source_address for each row
	execute function core.source_address_check();

revoke all on function core.source_address_clashes(core.source_address),
	core.source_address_check() from public;
grant execute on function
	core.source_address_clashes(core.source_address) to strowger_api;
