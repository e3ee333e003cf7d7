-- A document says which state it is in now: all else is as it was issued. And how
-- many decimals people expect of its currency (ISO 4217); amounts are whole
-- cents also where that is three (billing.minor()).
create function billing.decimals(currency text) returns integer
	language sql immutable parallel safe as
$$
	select case when billing.minor(currency) = 1000000 then 0
		when currency in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR',
			'TND') then 3 else 2 end
$$;
revoke all on function billing.decimals(text) from public;

-- The whole of it, for whoever renders it.
create or replace function billing.document(p_invoice text) returns jsonb
	language sql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
	select coalesce(i.document, jsonb_build_object(
	'kind', i.kind, 'number', i.name, 'status', i.status,
	'issued_on', i.issued_on, 'due_on', i.due_on, 'currency', i.currency,
	'decimals', billing.decimals(i.currency),
	'period', jsonb_build_object('from', i.period_from, 'to', i.period_to),
	'note', i.note,
	'refers', (select jsonb_build_object('number', r.name,
		'issued_on', r.issued_on) from billing.invoice r
		where r.id = i.refers_id),
	'seller', to_jsonb(s) - array['row_version', 'created_at', 'updated_at',
		'next_number', 'number_prefix'],
	'buyer', to_jsonb(p) - array['row_version', 'created_at', 'updated_at',
		'status', 'seller_id'],
	'lines', coalesce((select jsonb_agg(jsonb_build_object('n', l.n,
			'kind', l.kind, 'description', l.description,
			'calls', l.calls, 'billed_ms', l.billed_ms,
			'rate_per_min', case when l.rate_per_min_nano is not null
				then (l.rate_per_min_nano / 1000000000.0)
				::numeric(20, 6)::text end,
			'quantity', l.quantity, 'from', l.from_on,
			'to', l.to_on, 'exact', billing.text(l.net_micro),
			'amount', billing.text(l.amount_micro),
			'taxes', (select coalesce(jsonb_agg(jsonb_build_object(
				'name', t->>0, 'percent', trim_scale(
				(t->>1)::numeric / 10000)::text) order by o),
				'[]') from jsonb_array_elements(l.taxes)
				with ordinality y (t, o)),
			'refers_n', l.refers_n) order by l.n)
		from billing.invoice_line l where l.invoice_id = i.id), '[]'),
	'taxes', coalesce((select jsonb_agg(jsonb_build_object('name', t.name,
			'percent', trim_scale(t.ppm::numeric / 10000)::text,
			'category', case when t.ppm > 0 then 'S'
				else p.untaxed_category end,
			'reason', case when t.ppm = 0
				then p.untaxed_reason end,
			'base', billing.text(t.base_micro),
			'amount', billing.text(t.tax_micro)))
		from billing.invoice_taxes(i.id) t), '[]'),
	'totals', jsonb_build_object('net', billing.text(i.net_micro),
		'tax', billing.text(i.tax_micro),
		'total', billing.text(i.total_micro)),
	'balance', (select jsonb_build_object(
		'opening', billing.text(b.opening),
		'payments', billing.text(b.payments),
		'corrections', billing.text(b.corrections),
		'charges', billing.text(b.charges),
		'closing', billing.text(b.opening + b.payments + b.corrections
			- b.charges))
		from (select coalesce(i.opening_micro,
				(billing.last_document(i.account_id))
				.closing_micro, 0) as opening,
			case i.kind when 'invoice' then i.total_micro
				else -i.total_micro end as charges,
			coalesce(sum(l.amount_micro) filter (where l.kind
				= 'payment'), 0)::bigint as payments,
			coalesce(sum(l.amount_micro) filter (where l.kind in
				('adjustment', 'refund', 'transfer')), 0)::bigint
				as corrections
		from billing.invoice_posting x
		join core.ledger_posting l on l.id = x.posting_id
		where x.invoice_id = i.id and not x.is_released) b)))
		-- an invoice that was voided must not look as if it were due
		|| jsonb_build_object('status', i.status)
	from billing.invoice i
	join billing.seller s on s.id = i.seller_id
	left join billing.profile p on p.account_id = i.account_id
	where i.id = p_invoice
$$;
