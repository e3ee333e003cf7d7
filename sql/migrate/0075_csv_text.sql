-- A text of a CSV that a spreadsheet would compute gets an apostrophe before it, as
-- text_is_formula() of the programs has it: names of destinations come from
-- carriers' sheets. A sign before digits alone is a number.
create function core.csv_text(value text) returns text
	language sql immutable parallel safe as
$$
	select case when value ~ '^([=@\t\r]|[+-][0-9.,]*[^0-9.,])'
		then '''' || value else value end
$$;

-- The annex of an invoice says by which intervals a call was billed, too: first and
-- following [s], as the report of rate changes has them.
drop function billing.annex(text);
create function billing.annex(p_invoice text)
	returns table (call_id uuid, started_at timestamptz, calling text,
		called text, destination text, duration_ms bigint,
		billed_ms bigint, rate_per_min text, increments text, net text, tax text,
		gross text)
	language sql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
	select k.call_id, k.started_at, core.csv_text(r.calling),
		core.csv_text(r.called), core.csv_text(c.destination),
		r.duration_ms, c.billed_ms,
		(c.rate_per_min_nano / 1000000000.0)::numeric(20, 6)::text,
		trim_scale(c.first_ms / 1000.0) || '/'
			|| trim_scale(c.next_ms / 1000.0),
		rating.amount(coalesce(c.net_micro, k.posted)),
		rating.amount(k.posted - coalesce(c.net_micro, k.posted)),
		rating.amount(k.posted)
	from (select p.call_id, p.attempt, x.started_at,
			-sum(p.amount_micro)::bigint as posted
		from billing.invoice_posting x
		join core.ledger_posting p on p.id = x.posting_id
		where x.invoice_id = p_invoice and p.call_id is not null
		group by p.call_id, p.attempt, x.started_at) k
	left join cdr.record r on r.started_at = k.started_at
		and r.call_id = k.call_id and r.attempt = k.attempt
	left join cdr.charge_current c on c.started_at = k.started_at
		and c.call_id = k.call_id and c.attempt = k.attempt
		and c.side = 'sell'
	order by k.started_at, k.call_id
$$;

revoke all on function billing.annex(text) from public;
grant execute on function billing.annex(text) to strowger_api;

revoke all on function core.csv_text(text) from public;
