-- A node says what it still has of all that was granted to it in this epoch
-- (granted less given back, spent or not); what is beyond that is free again.
-- It may be said any number of times: also a grant whose answer was lost with
-- the connection comes back by it. Returns what was taken back.
create function api_v1.lease_keep(account_id text, node text, epoch bigint,
	granted_micro bigint) returns bigint
	language sql security definer
	set search_path = pg_catalog, pg_temp as
$$
	select coalesce((select api_v1.lease_return($1, $2, $3,
			l.granted_micro - $4)
		from core.lease l
		where l.account_id = $1 and l.node = $2 and l.epoch = $3
			and l.granted_micro > $4), 0)
$$;

revoke all on function api_v1.lease_keep(text, text, bigint, bigint)
	from public;
grant execute on function api_v1.lease_keep(text, text, bigint, bigint)
	to strowger_switch;
