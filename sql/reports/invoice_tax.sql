-- title: Taxes of invoices
-- about: What invoices and credit notes issued in the span ask for as tax, by seller and rate. Void ones are not in it.
-- for: platform
-- column: seller_id text: Who issued them
-- column: seller text: Its name
-- column: country text: Its country
-- column: tax text: Name of the tax; empty: without tax
-- column: percent percent: Its rate
-- column: category text: S standard, or why there is none: Z, E, AE, G, K, O (UNTDID 5305)
-- column: currency text: Of the amounts
-- column: documents number: Invoices and credit notes with it
-- column: base money: What it is of
-- column: amount money: The tax
select i.seller_id, s.name as seller, s.country, t ->> 'name' as tax,
	(t ->> 'percent')::numeric as percent, t ->> 'category' as category,
	i.currency, count(*) as documents,
	sum((t ->> 'base')::numeric * 1000000 * g.sign)::bigint as base,
	sum((t ->> 'amount')::numeric * 1000000 * g.sign)::bigint as amount
from billing.invoice i
join billing.seller s on s.id = i.seller_id
cross join lateral (select case i.kind when 'credit_note' then -1 else 1 end
	as sign) g
-- as it was issued: neither rates nor profiles of now
cross join lateral jsonb_array_elements(i.document -> 'taxes') t
where i.status in ('issued', 'paid')
	and i.issued_on >= (:'from'::timestamptz at time zone :'zone')::date
	-- the last day too, when the span ends within it
	and i.issued_on < (:'to'::timestamptz at time zone :'zone')
	and (:'tenant' = '' or i.tenant_id in (select t.tenant_id
		from core.tenant_tree t where t.ancestor_id = :'tenant'))
	and (:'currency' = '' or i.currency = :'currency')
group by i.seller_id, s.name, s.country, tax, percent, category, i.currency
order by s.name, i.seller_id, i.currency, tax nulls last, percent, category
limit :'limit'::integer
