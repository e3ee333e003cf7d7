-- Requests that were refused for who sent them: events of the switch, of which
-- only the newest are kept, whatever somebody tries.
create view core.auth_failure as
	select id, at, node, tenant_id, object_id as trunk_id,
		data ->> 'reason' as reason, data ->> 'source' as source,
		(data ->> 'port')::integer as port,
		data ->> 'method' as method, data ->> 'username' as username,
		data ->> 'realm' as realm, data ->> 'from' as from_header,
		data ->> 'to' as to_header, data ->> 'identity' as identity,
		data ->> 'user_agent' as user_agent,
		data ->> 'sip_call_id' as sip_call_id
	from core.event where kind = 'auth.failed';

-- Some of what is older than that, and of the auth failures beyond p_auth,
-- oldest first; returns how many went.
drop function core.events_forget(interval, integer);
create function core.events_forget(p_older_than interval, p_max integer,
	p_auth integer default 100000)
	returns bigint language sql security definer
	set search_path = pg_catalog, pg_temp as
$$
	with old as (select o.id from core.event o
			where o.at < now() - p_older_than
			order by o.at limit p_max),
		many as (select a.id from core.event a
			where a.kind = 'auth.failed' and a.id <= (select b.id
				from core.event b where b.kind = 'auth.failed'
				order by b.id desc offset p_auth limit 1)
			order by a.id limit p_max),
		gone as (delete from core.event e where e.id in
			(select id from old union select id from many
				limit p_max)
		returning 1)
	select count(*) from gone
$$;
revoke all on function core.events_forget(interval, integer, integer)
	from public;
grant execute on function core.events_forget(interval, integer, integer)
	to strowger_api;
grant select on core.auth_failure to strowger_api;
