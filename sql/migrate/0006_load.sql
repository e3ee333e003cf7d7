-- The way of a call record from the journal of a node into cdr.record, the
-- ledger and the leases: one transaction of COPY cdr.staging and
-- api_v1.load_cdrs(), any number of times, with the same result.

-- Money that was leased has been spent. Accounts are locked first, in order,
-- as everywhere; beyond its lease a call is paid from the free balance.
create function cdr.settle(p_node text, p_charges cdr.charge[]) returns void
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	perform 1 from core.account a
		where a.id in (select c.account_id from unnest(p_charges) c
			where c.side = 'sell')
		order by a.id for update;

	with spent as (select c.account_id, c.lease_epoch,
			sum(c.amount_micro)::bigint as micro
		from unnest(p_charges) c where c.side = 'sell'
		group by c.account_id, c.lease_epoch),
	due as (select l.account_id, l.epoch, least(s.micro,
			l.granted_micro - l.settled_micro) as micro
		from spent s join core.lease l
			on l.account_id = s.account_id
			and l.epoch = s.lease_epoch and l.node = p_node),
	settled as (update core.lease l
		set settled_micro = l.settled_micro + d.micro
		from due d where l.account_id = d.account_id
			and l.epoch = d.epoch and l.node = p_node)
	update core.account a set leased_micro = a.leased_micro - s.micro
	from (select d.account_id, sum(d.micro)::bigint as micro
		from due d group by d.account_id) s
	where a.id = s.account_id;
end
$$;

-- Records and charges that are new. The column list comes from the table, so
-- that a field appended to CDR_FIELDS needs a column and nothing here.
create function cdr.take_staging(out records bigint, out charges cdr.charge[])
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	columns text;
begin
	select string_agg(quote_ident(a.attname), ', ' order by a.attnum)
		into columns from pg_attribute a
		where a.attrelid = 'cdr.record'::regclass
			and a.attnum > 0 and not a.attisdropped;
	execute format($q$
	with staged as materialized (
		select distinct on (started_at, call_id, attempt) *
		from cdr.staging),
	fresh as (insert into cdr.record (%1$s)
		select %1$s from staged on conflict do nothing
		returning started_at, call_id, attempt),
	charged as (insert into cdr.charge
		select s.started_at, s.call_id, s.attempt, c.side,
			c.account_id, c.carrier_id, c.amount_micro,
			c.currency, c.deck_id, c.deck_version, c.prefix,
			c.destination, c.rate_per_min_nano,
			c.connect_fee_micro, c.first_ms, c.next_ms,
			c.rounding_mode, c.rounding_decimals, c.billed_ms,
			c.lease_epoch
		from fresh join staged s
			using (started_at, call_id, attempt),
		jsonb_to_recordset(s.charges) as c (side text,
			account_id text, carrier_id text, amount_micro bigint,
			currency text, deck_id text, deck_version bigint,
			prefix text, destination text,
			rate_per_min_nano bigint, connect_fee_micro bigint,
			first_ms integer, next_ms integer, rounding_mode text,
			rounding_decimals integer, billed_ms bigint,
			lease_epoch bigint)
		returning charge.*)
	select (select count(*) from fresh),
		(select coalesce(array_agg(row(g.*)::cdr.charge), '{}')
			from charged g)
	$q$, columns) into records, charges;
	delete from cdr.staging;
end
$$;

create function api_v1.load_cdrs(node text, segment bigint,
	offset_bytes bigint, out records bigint, out charges bigint,
	out postings bigint)
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	fresh cdr.charge[];
begin
	perform cdr.ensure_partitions(now(), now() + interval '1 month');
	select t.records, t.charges into load_cdrs.records, fresh
		from cdr.take_staging() t;
	charges := cardinality(fresh);
	perform cdr.settle($1, fresh);
	-- an account that was deleted meanwhile has no ledger to post to
	select count(*) into postings from core.post_all(array(
		select row(c.account_id, 'usage', -c.amount_micro, null,
			c.call_id, c.attempt)::core.posting_item
		from unnest(fresh) c join core.account a
			on a.id = c.account_id
		where c.side = 'sell' and c.amount_micro > 0
		order by c.started_at, c.call_id));
	insert into cdr.journal_position as p (node, segment, offset_bytes)
		values ($1, $2, $3)
		on conflict on constraint journal_position_pkey do update set
			segment = excluded.segment,
			offset_bytes = excluded.offset_bytes,
			updated_at = now();
end
$$;

create function api_v1.journal_position(node text, out segment bigint,
	out offset_bytes bigint)
	language sql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
	select p.segment, p.offset_bytes from cdr.journal_position p
		where p.node = $1
$$;

revoke all on all functions in schema cdr from public;
revoke all on function api_v1.load_cdrs(text, bigint, bigint),
	api_v1.journal_position(text) from public;

grant usage on schema cdr to strowger_switch, strowger_api;
grant insert on cdr.staging to strowger_switch;
grant execute on function api_v1.load_cdrs(text, bigint, bigint),
	api_v1.journal_position(text) to strowger_switch;
grant select on cdr.record, cdr.charge, cdr.journal_position to strowger_api;
