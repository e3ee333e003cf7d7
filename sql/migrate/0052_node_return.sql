-- What two nodes that come back together, and a node whose name another has
-- taken, could do to each other.

-- Each lost session is told of by whoever has marked it, and by nobody while
-- its own node has it in hand: two nodes that come back together neither wait
-- for each other nor are said to be gone.
create or replace function core.node_lost_tell() returns void
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	nodes text[];
	epochs bigint[];
begin
	with lost as (select s.node, s.epoch from core.node_session s
		where s.expires_at < now() - interval '10 s' and not s.is_told
		for no key update skip locked),
	told as (update core.node_session s set is_told = true from lost
		where s.node = lost.node and s.epoch = lost.epoch
		returning s.node, s.epoch)
	select array_agg(t.node), array_agg(t.epoch) into nodes, epochs
		from told t;
	perform core.event_note('lease.expired', a.tenant_id, a.id,
		jsonb_build_object('node', l.node, 'epoch', l.epoch, 'amount',
			((l.granted_micro - l.settled_micro) / 1000000.0)
				::numeric(20, 6)::text,
			'currency', a.currency))
	from unnest(nodes, epochs) t (node, epoch)
		join core.lease l on l.node = t.node and l.epoch = t.epoch
			and l.granted_micro > l.settled_micro
		join core.account a on a.id = l.account_id;
	perform core.event_note('lease.expired', u.tenant_id, u.id,
		jsonb_build_object('node', l.node, 'epoch', l.epoch, 'amount',
			core.package_amount(p.kind,
				sum(l.granted - l.settled)::bigint),
			'unit', core.package_unit(p)))
	from unnest(nodes, epochs) t (node, epoch)
		join core.package_lease l on l.node = t.node
			and l.epoch = t.epoch and l.granted > l.settled
		join core.subscription u on u.id = l.subscription_id
		join core.package p on p.id = u.package_id
	group by u.id, p.id, l.node, l.epoch;
end
$$;

-- As in 0033, but whoever waited for the account looks at the session when it
-- has it: an operator may have released what the node held meanwhile.
create or replace function core.money_take(account_id text, node text,
	epoch bigint, want_micro bigint, min_micro bigint,
	is_running boolean default false) returns bigint
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	account core.account;
	is_open boolean;
	free bigint;
	granted bigint;
	beyond bigint := 0;
begin
	select a.* into account from core.account a where a.id = $1
		for update;
	perform 1 from core.node_session s where s.node = $2
		and s.epoch = $3 and s.expires_at > clock_timestamp();
	if not found then
		raise exception 'node % has not claimed its session', $2
			using errcode = 'object_not_in_prerequisite_state',
			constraint = 'node_claimed';
	end if;
	select account.status = 'active' and t.status = 'active' into is_open
		from core.tenant t where t.id = account.tenant_id;
	if is_open is not true or $4 <= 0 then
		return 0;
	end if;
	free := account.balance_micro + account.credit_limit_micro
		- account.leased_micro;
	granted := least($4, greatest(free / 2, $5), free);
	if granted <= 0 or granted < $5 then
		perform core.account_exhausted(account, $2);
		if $6 is not true or $5 <= 0 or account.at_exhaustion = 'cut'
			or account.at_exhaustion = 'allow'
			and $5 > free + account.overdraft_limit_micro then
			return 0;
		end if;
		granted := $5;
		beyond := greatest(0, granted - greatest(0, free));
	end if;
	update core.account a set leased_micro = a.leased_micro + granted,
			overdraft_micro = a.overdraft_micro + beyond
		where a.id = $1;
	insert into core.lease as l (account_id, node, epoch, granted_micro)
		values ($1, $2, $3, granted)
		on conflict on constraint lease_pkey do update set
			granted_micro = l.granted_micro + granted;
	return granted;
end
$$;

-- Another state folder begins at segment 1 again: what is refused there is
-- another record at the same place.
alter table cdr.dead_letter
	drop constraint dead_letter_node_segment_offset_bytes_key;
create unique index dead_letter_record on cdr.dead_letter (node, segment,
	offset_bytes, sha256(frame));
create or replace function api_v1.load_dead_letter(p_node text,
	p_segment bigint, p_offset_bytes bigint, p_number bigint,
	p_frame bytea, p_sqlstate text, p_error text) returns void
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	insert into cdr.dead_letter (node, segment, offset_bytes, number,
			frame, sqlstate, error)
		values (p_node, p_segment, p_offset_bytes,
			nullif(p_number, 0), p_frame, p_sqlstate, p_error)
		on conflict (node, segment, offset_bytes, sha256(frame))
			do nothing;
	if found then
		perform core.event_note('cdr.refused', null, null,
			jsonb_build_object('node', p_node, 'segment', p_segment,
				'sqlstate', p_sqlstate, 'error', p_error));
	end if;
end
$$;

-- A start of a node loads its journal while its name is its own: until the end
-- of the transaction no start on another state folder takes it (node_moved
-- waits), and once one has, this one's position is nobody's.
create function api_v1.load_begin(node text, epoch bigint) returns void
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	perform 1 from core.node_session s
		where s.node = $1 and s.epoch = $2 for key share;
	if not found or exists (select from core.node_session s
			join core.node_session o on o.node = s.node
				and o.home not in ('', s.home)
				and o.expires_at > s.expires_at
			where s.node = $1 and s.epoch = $2) then
		raise exception 'another start has the name of node %', $1
			using errcode = 'object_not_in_prerequisite_state',
			constraint = 'node_claimed';
	end if;
	perform cdr.ensure_partitions(now(), now() + interval '1 month');
end
$$;
-- Also when a start comes back that another had taken the name from.
create or replace function core.node_moved() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	if new.home = '' or not exists (select from core.node_session s
			where s.node = new.node and s.epoch <> new.epoch
				and s.home not in ('', new.home)
				and (tg_op = 'INSERT'
					or s.claimed_at >= old.expires_at))
		or tg_op = 'INSERT' and exists (select
			from core.node_session s
			where s.node = new.node and s.epoch <> new.epoch
				and s.home = new.home) then
		return null;
	end if;
	-- who loads for the other start comes to its end first
	perform 1 from core.node_session s
		where s.node = new.node and s.epoch <> new.epoch
		for update;
	delete from cdr.journal_position p where p.node = new.node;
	return null;
end
$$;
create trigger node_returned after update of expires_at on core.node_session
	for each row when (old.expires_at < now()
		and new.expires_at > now())
	execute function core.node_moved();

revoke all on function api_v1.load_begin(text, bigint) from public;
grant execute on function api_v1.load_begin(text, bigint) to strowger_switch;
