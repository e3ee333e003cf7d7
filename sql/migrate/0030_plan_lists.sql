-- Number lists of a routing plan, beside those of tenants, trunks and gateways.

alter table core.routing_plan
	add column number_lists text[] not null default '{}'
		check (core.is_id_list(number_lists, 'nls', 8));

create trigger number_use_check after insert or update of number_lists
	on core.routing_plan
	for each row execute function core.number_use_check();

create or replace function core.number_list_used() returns trigger
	language plpgsql as
$$
begin
	if exists (select from core.tenant t where old.id = any (t.number_lists))
		or exists (select from core.trunk t
			where old.id = any (t.number_lists))
		or exists (select from core.gateway g
			where old.id = any (g.number_lists))
		or exists (select from core.routing_plan p
			where old.id = any (p.number_lists)) then
		raise exception 'number list % is in use', old.id
			using errcode = 'foreign_key_violation',
			constraint = 'number_list_used';
	end if;
	return old;
end
$$;
