-- A charge carries its whole price, net amount and taxes: whoever computes it
-- again (rating.parts) needs nothing but the charge.
alter table cdr.charge
	add column net_micro bigint,
	add column tax_micro bigint[],
	add column covered_ms bigint,
	add column price jsonb;

-- What a reverse price pays the account comes from no lease; it is posted as
-- a credit.
alter table core.ledger_posting drop constraint ledger_posting_sign,
	drop constraint ledger_posting_kind_check;
alter table core.ledger_posting add constraint ledger_posting_kind_check
	check (kind in ('usage', 'credit', 'payment', 'adjustment', 'refund',
		'transfer')),
	add constraint ledger_posting_sign check (case kind
		when 'usage' then amount_micro < 0 and call_id is not null
		when 'credit' then amount_micro > 0 and call_id is not null
		when 'payment' then amount_micro > 0
		when 'refund' then amount_micro > 0
		else true end);

create or replace function cdr.settle(p_node text, p_charges cdr.charge[]) returns void
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
		from unnest(p_charges) c
		where c.side = 'sell' and c.amount_micro > 0
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

create or replace function cdr.pay(p_node text, p_charges cdr.charge[])
	returns bigint language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	postings bigint;
begin
	perform cdr.settle(p_node, p_charges);
	select count(*) into postings from core.post_all(array(
		select row(c.account_id, case when c.amount_micro > 0
				then 'usage' else 'credit' end,
			-c.amount_micro, null, c.call_id,
			c.attempt)::core.posting_item
		from unnest(p_charges) c join core.account a
			on a.id = c.account_id
		where c.side = 'sell' and c.amount_micro <> 0
		order by c.started_at, c.call_id));
	return postings;
end
$$;

-- Does a charge come to what its price says? For checks, and for those who
-- rate again.
create function rating.is_right(c cdr.charge, duration_ms bigint)
	returns boolean language sql immutable parallel safe as
$$
	select (p.gross_micro, p.net_micro, p.tax_micro)
		is not distinct from (c.amount_micro, c.net_micro, c.tax_micro)
	from rating.parts(c.price, duration_ms, c.covered_ms) p
$$;
revoke all on function rating.is_right(cdr.charge, bigint) from public;
grant execute on function rating.is_right(cdr.charge, bigint)
	to strowger_api;
