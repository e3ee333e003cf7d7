-- A node spends leased money only while its session lasts: it claims one when
-- it starts and prolongs it by every heartbeat. When the heartbeats stop, what
-- its leases still hold is neither free nor spent: it is pending, until the
-- journal of that node has been loaded or an operator releases it.

-- home: the state folder that the start runs on, by a random name of its own.
-- One process at a time runs on a folder, so a later start on the same folder
-- knows that the earlier one is gone; of another folder only time can tell.
create table core.node_session (
	node text not null check (length(node) between 1 and 63),
	epoch bigint not null check (epoch >= 0),
	home text not null check (length(home) <= 64),
	claimed_at timestamptz not null default now(),
	expires_at timestamptz not null,
	-- somebody has been told that it expired with money of accounts
	is_told boolean not null default false,
	primary key (node, epoch)
);
insert into core.node_session (node, epoch, home, expires_at)
	select l.node, l.epoch, '', max(l.expires_at) from core.lease l
	group by l.node, l.epoch;
alter table core.lease drop column expires_at,
	add constraint lease_session foreign key (node, epoch)
		references core.node_session;

-- What an operator has taken from leases that had expired. The node counts
-- them, should it come back in the same start.
create table core.lease_release (
	node text not null,
	epoch bigint not null,
	seq bigint not null,
	account_id text not null,
	amount_micro bigint not null check (amount_micro > 0),
	note text check (length(note) <= 255),
	released_at timestamptz not null default now(),
	primary key (node, epoch, seq)
);
create index lease_release_account on core.lease_release (account_id);

-- When the money is used up, calls that are up are cut (cut), go on until they
-- end by themselves (finish), or go on for a sum of money beyond balance and
-- credit (allow). What was granted that way is counted apart.
alter table core.account
	add column at_exhaustion text not null default 'cut'
		check (at_exhaustion in ('cut', 'finish', 'allow')),
	add column overdraft_limit_micro bigint not null default 0
		check (overdraft_limit_micro >= 0),
	add column overdraft_micro bigint not null default 0
		check (overdraft_micro >= 0),
	-- since a running call or a new one could not be covered
	add column exhausted_at timestamptz,
	drop constraint account_leased_covered,
	add constraint account_leased_covered check (leased_micro
		<= balance_micro + credit_limit_micro + overspent_micro
		+ overdraft_micro);
create index account_overspent on core.account (id)
	where overspent_micro > 0;
grant insert (at_exhaustion, overdraft_limit_micro),
	update (at_exhaustion, overdraft_limit_micro) on core.account
	to strowger_api;

create or replace function core.account_born() returns trigger
	language plpgsql as
$$
begin
	if (new.balance_micro, new.leased_micro, new.overspent_micro,
			new.overdraft_micro) <> (0, 0, 0, 0) then
		raise exception 'account % must begin with nothing', new.id
			using errcode = 'check_violation',
			constraint = 'account_born_empty';
	end if;
	return new;
end
$$;

create or replace function core.account_object(id text) returns jsonb
	language sql stable as
$$
	select to_jsonb(t) - array['balance_micro', 'leased_micro',
		'overspent_micro', 'overdraft_micro', 'low_balance_micro',
		'exhausted_at']
	from core.account t where t.id = $1
$$;

-- Money that moves is no edit of the resource, a limit is.
drop trigger account_touch on core.account;
create trigger account_touch before update on core.account
	for each row when ((old.balance_micro, old.leased_micro,
		old.overspent_micro, old.overdraft_micro, old.exhausted_at)
		is not distinct from (new.balance_micro, new.leased_micro,
		new.overspent_micro, new.overdraft_micro, new.exhausted_at)
		or (old.credit_limit_micro, old.overdraft_limit_micro)
		is distinct from (new.credit_limit_micro,
		new.overdraft_limit_micro))
	execute function core.touch();

-- Says that node and epoch may go on, or why not: rows of
--   refused   why                            nothing may be spent
--   claimed   -           number of releases so far
--   released  account     amount             it was taken from that lease
--   recalled  account                        give back what is free of it
-- released_seen: the number that the node knows of already.
create function api_v1.node_claim(node text, epoch bigint, home text,
	ttl_s integer, released_seen bigint)
	returns table (what text, name text, micro bigint)
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	other core.node_session;
begin
	perform pg_advisory_xact_lock(
		hashtextextended('strowger.node.' || $1, 0));
	select * into other from core.node_session s
		where s.node = $1 and s.home <> $3 and s.home <> ''
			and (s.expires_at > now() or s.epoch = $2)
		order by s.expires_at desc limit 1;
	if found then
		return query select 'refused', format('a node of this name '
			'with another state folder (%s) holds it until %s',
			other.home, other.expires_at), null::bigint;
		return;
	end if;
	if exists (select from core.node_session s where s.node = $1
			and s.epoch > $2 and s.home = $3) then
		return query select 'refused', 'a later start of this node '
			'has it', null::bigint;
		return;
	end if;

	insert into core.node_session as s (node, epoch, home, expires_at)
		values ($1, $2, $3, now() + make_interval(secs => $4))
		on conflict on constraint node_session_pkey do update set
			home = excluded.home, expires_at = excluded.expires_at,
			is_told = false;
	-- earlier starts of this folder are over, whatever they claimed
	update core.node_session s set expires_at = now()
		where s.node = $1 and s.epoch < $2 and s.expires_at > now();
	perform core.node_lost_tell();

	return query
	select 'claimed', null, coalesce(max(r.seq), 0)
		from core.lease_release r
		where r.node = $1 and r.epoch = $2
	union all
	select 'released', r.account_id, r.amount_micro
		from core.lease_release r where r.node = $1 and r.epoch = $2
			and r.seq > $5
	union all
	select 'recalled', l.account_id, null
		from core.account a join core.lease l on l.account_id = a.id
		where a.overspent_micro > 0 and l.node = $1 and l.epoch = $2
			and l.granted_micro > l.settled_micro;
end
$$;

-- A node whose session ended with money of accounts is told of once, by
-- whoever comes by first.
create function core.node_lost_tell() returns void
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	perform core.event_note('lease.expired', a.tenant_id, a.id,
		jsonb_build_object('node', l.node, 'epoch', l.epoch, 'amount',
			((l.granted_micro - l.settled_micro) / 1000000.0)
				::numeric(20, 6)::text,
			'currency', a.currency))
	from core.node_session s
		join core.lease l on l.node = s.node and l.epoch = s.epoch
			and l.granted_micro > l.settled_micro
		join core.account a on a.id = l.account_id
	where s.expires_at < now() - interval '10 s' and not s.is_told;
	update core.node_session s set is_told = true
		where s.expires_at < now() - interval '10 s'
			and not s.is_told;
end
$$;

-- Up to want of what is free; 0 when that is less than min. Others may need
-- some of it as well, so never more than half of what is free, or min. For
-- calls that are up, and by the account's will, min beyond what is there.
drop function api_v1.lease_take(text, text, bigint, bigint, bigint, integer);
create function api_v1.lease_take(account_id text, node text, epoch bigint,
	want_micro bigint, min_micro bigint, is_running boolean default false)
	returns bigint
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
	perform 1 from core.node_session s where s.node = $2
		and s.epoch = $3 and s.expires_at > now();
	if not found then
		raise exception 'node % has not claimed its session', $2
			using errcode = 'object_not_in_prerequisite_state',
			constraint = 'node_claimed';
	end if;
	select a.* into account from core.account a where a.id = $1
		for update;
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

create function core.balance_note(kind text, account core.account)
	returns void language sql security definer
	set search_path = pg_catalog, pg_temp as
$$
	select core.event_note(kind, account.tenant_id, account.id,
		jsonb_build_object('balance', (account.balance_micro
			/ 1000000.0)::numeric(20, 6)::text,
			'credit_limit', (account.credit_limit_micro
			/ 1000000.0)::numeric(20, 6)::text,
			'currency', account.currency))
$$;

-- Not even the next interval is covered: said once, until money comes. Nodes
-- that have more than they need are asked for it.
create function core.account_exhausted(account core.account, node text)
	returns void language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	if account.exhausted_at is null then
		update core.account a set exhausted_at = now()
			where a.id = account.id;
		perform core.balance_note('balance.exhausted', account);
	end if;
	if exists (select from core.lease l where l.account_id = account.id
			and l.node <> $2
			and l.granted_micro > l.settled_micro) then
		perform pg_notify('strowger_lease', '-' || account.id);
	end if;
end
$$;

-- Whoever holds a lease hears of it when there is less (-) or more (+) than
-- before. More: money came, or another node gave back.
create function core.account_money_moved() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	if new.overspent_micro > old.overspent_micro
		and new.leased_micro > 0 then
		perform pg_notify('strowger_lease', '-' || new.id);
	elsif old.exhausted_at is not null
		and new.balance_micro + new.credit_limit_micro
			- new.leased_micro > old.balance_micro
			+ old.credit_limit_micro - old.leased_micro then
		perform pg_notify('strowger_lease', '+' || new.id);
	end if;
	if old.exhausted_at is not null and new.exhausted_at is null then
		perform core.balance_note('balance.covered', new);
	end if;
	return null;
end
$$;
create trigger account_money_moved after update of balance_micro,
	leased_micro, credit_limit_micro, overspent_micro on core.account
	for each row when ((old.balance_micro, old.leased_micro,
		old.credit_limit_micro, old.overspent_micro)
		is distinct from (new.balance_micro, new.leased_micro,
		new.credit_limit_micro, new.overspent_micro))
	execute function core.account_money_moved();

-- A lower limit of credit takes nothing from a call for what it has held
-- already: what is leased beyond the new limit counts as overspent until the
-- nodes have given back what they can. A payment, or a higher limit, ends
-- being exhausted.
create function core.account_cover() returns trigger
	language plpgsql as
$$
declare
	beyond bigint := greatest(0, new.leased_micro - new.balance_micro
		- new.credit_limit_micro);
begin
	new.overdraft_micro := least(new.overdraft_micro, beyond);
	if new.credit_limit_micro <> old.credit_limit_micro then
		new.overspent_micro := beyond - new.overdraft_micro;
	end if;
	if new.exhausted_at is not null and new.balance_micro
		+ new.credit_limit_micro > old.balance_micro
		+ old.credit_limit_micro and new.balance_micro
		+ new.credit_limit_micro > new.leased_micro then
		new.exhausted_at := null;
	end if;
	return new;
end
$$;
create trigger account_cover before update of balance_micro,
	credit_limit_micro on core.account
	for each row execute function core.account_cover();

-- As in 0002, but what was allowed beyond balance and credit is no usage that
-- nobody covered, and an adjustment may take what is leased, to get it back
-- from the nodes: only below the credit it may not go.
create or replace function core.post_all(items core.posting_item[])
	returns setof core.ledger_posting
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	perform 1 from core.account a
		where a.id in (select i.account_id from unnest(items) i)
		order by a.id for update;

	return query insert into core.ledger_posting (account_id, kind,
		amount_micro, balance_after_micro, currency, call_id, attempt,
		note)
	select i.account_id, i.kind, i.amount_micro,
		a.balance_micro + (sum(i.amount_micro) over (
			partition by i.account_id order by i.n))::bigint,
		a.currency, i.call_id, i.attempt, i.note
	from unnest(items) with ordinality i (account_id, kind,
		amount_micro, note, call_id, attempt, n)
	left join core.account a on a.id = i.account_id
	order by i.n
	returning *;

	update core.account a set balance_micro = a.balance_micro + s.amount,
		overspent_micro = least(
			case when s.is_usage or a.balance_micro + s.amount
					+ a.credit_limit_micro >= 0
				then 9223372036854775807
				else a.overspent_micro end,
			greatest(0, a.leased_micro - a.balance_micro
				- s.amount - a.credit_limit_micro
				- a.overdraft_micro))
	from (select i.account_id, sum(i.amount_micro)::bigint as amount,
			bool_and(i.kind = 'usage') as is_usage
		from unnest(items) i group by i.account_id) s
	where a.id = s.account_id;
end
$$;

-- What comes back from a lease without having been spent. (A settled charge
-- leaves the lease, too, but comes back as a posting.)
create function core.account_unlease(account_id text, amount_micro bigint)
	returns void language sql security definer
	set search_path = pg_catalog, pg_temp as
$$
	update core.account a set leased_micro = a.leased_micro - $2,
		overspent_micro = greatest(0, a.overspent_micro - $2),
		overdraft_micro = least(a.overdraft_micro, greatest(0,
			a.leased_micro - $2 - a.balance_micro
			- a.credit_limit_micro))
	where a.id = $1
$$;

-- Give back what will not be spent; returns what was taken back.
create or replace function api_v1.lease_return(account_id text, node text,
	epoch bigint, amount_micro bigint) returns bigint
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	returned bigint;
begin
	perform 1 from core.account a where a.id = $1 for update;
	select greatest(0, least($4, l.granted_micro - l.settled_micro))
		into returned from core.lease l
		where l.account_id = $1 and l.node = $2 and l.epoch = $3;
	if returned is null or returned = 0 then
		return 0;
	end if;
	update core.lease l set granted_micro = l.granted_micro - returned
		where l.account_id = $1 and l.node = $2 and l.epoch = $3;
	perform core.account_unlease($1, returned);
	return returned;
end
$$;

-- The node has loaded everything it wrote before this epoch: what its older
-- leases still hold is free again. Returns the sum. Only of its own state
-- folder: the journal of another one has been loaded by nobody.
create or replace function api_v1.lease_close_epochs(node text, epoch bigint)
	returns bigint
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	epochs bigint[];
	freed_micro bigint;
begin
	select array_agg(s.epoch) into epochs from core.node_session s
		where s.node = $1 and s.epoch < $2 and s.home in ('',
			(select o.home from core.node_session o
				where o.node = $1 and o.epoch <= $2
				order by o.epoch desc limit 1));
	perform 1 from core.account a where a.id in (select l.account_id
			from core.lease l
			where l.node = $1 and l.epoch = any(epochs))
		order by a.id for update;
	with gone as (delete from core.lease l
			where l.node = $1 and l.epoch = any(epochs)
			returning *),
	rest as materialized (select g.account_id,
			sum(g.granted_micro - g.settled_micro)::bigint as micro
		from gone g group by g.account_id),
	freed as materialized (select r.micro,
			core.account_unlease(r.account_id, r.micro)
		from rest r)
	select coalesce(sum(f.micro), 0) into freed_micro from freed f;
	delete from core.lease_release r
		where r.node = $1 and r.epoch = any(epochs);
	delete from core.node_session s
		where s.node = $1 and s.epoch = any(epochs);
	return freed_micro;
end
$$;

-- An operator's word that the node will not report any more: what its lease
-- still holds is free. If it does report, those calls are paid from what is
-- free then, or overspent; so this can cost what it returns, and no more.
create function core.lease_release(account_id text, node text, epoch bigint,
	note text default null) returns bigint
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	rest bigint;
begin
	perform 1 from core.account a where a.id = $1 for update;
	perform 1 from core.node_session s where s.node = $2 and s.epoch = $3
		and s.expires_at <= now() for update;
	if not found then
		raise exception 'no lease of that node has expired'
			using errcode = 'check_violation',
			constraint = 'lease_expired';
	end if;
	select l.granted_micro - l.settled_micro into rest from core.lease l
		where l.account_id = $1 and l.node = $2 and l.epoch = $3;
	if coalesce(rest, 0) = 0 then
		return 0;
	end if;
	update core.lease l set granted_micro = l.settled_micro
		where l.account_id = $1 and l.node = $2 and l.epoch = $3;
	perform core.account_unlease($1, rest);
	insert into core.lease_release (node, epoch, seq, account_id,
			amount_micro, note)
		values ($2, $3, 1 + (select coalesce(max(r.seq), 0)
			from core.lease_release r
			where r.node = $2 and r.epoch = $3), $1, rest, $4);
	return rest;
end
$$;

revoke all on function core.node_lost_tell(),
	api_v1.node_claim(text, bigint, text, integer, bigint),
	api_v1.lease_take(text, text, bigint, bigint, bigint, boolean),
	core.account_exhausted(core.account, text),
	core.balance_note(text, core.account),
	core.account_unlease(text, bigint),
	core.account_money_moved(), core.account_cover(),
	core.lease_release(text, text, bigint, text) from public;
grant execute on function
	api_v1.node_claim(text, bigint, text, integer, bigint),
	api_v1.lease_take(text, text, bigint, bigint, bigint, boolean)
	to strowger_switch;
grant select on core.node_session, core.lease_release to strowger_api;
grant execute on function core.lease_release(text, text, bigint, text),
	core.node_lost_tell() to strowger_api;

-- Who holds what of an account, until when. What is leased by a session that
-- is over is pending.
create view core.lease_state as
	select l.account_id, l.node, l.epoch, l.granted_micro,
		l.settled_micro, l.granted_micro - l.settled_micro
			as left_micro,
		case when s.expires_at > now() then 'leased' else 'pending'
			end as state,
		s.expires_at as until
	from core.lease l join core.node_session s
		on s.node = l.node and s.epoch = l.epoch;
grant select on core.lease_state to strowger_api;
