-- title: Taxes
-- about: What calls were taxed, by tenant and tax. The span is of whole hours (UTC).
-- for: tenant
-- column: tenant_id text: Whose account was charged
-- column: tenant text: Its name
-- column: tax text: Name of the tax
-- column: percent percent: Its rate
-- column: currency text: Of the amounts
-- column: charges number: Charges that it was due for
-- column: base money: Their price without taxes
-- column: amount money: The tax
select x.tenant_id, n.name as tenant, x.name as tax,
	round(x.ppm / 10000.0, 2) as percent, x.currency,
	sum(x.charges) as charges, sum(x.base_micro) as base,
	sum(x.tax_micro) as amount
from report.tax_hour x
left join core.tenant n on n.id = x.tenant_id
where x.hour >= date_trunc('hour', :'from'::timestamptz, 'UTC')
	and x.hour < report.hour_up(:'to'::timestamptz)
	and (:'tenant' = '' or x.tenant_id in (select t.tenant_id
		from core.tenant_tree t where t.ancestor_id = :'tenant'))
	and (:'currency' = '' or x.currency = :'currency')
group by x.tenant_id, n.name, x.name, x.ppm, x.currency
order by n.name, x.tenant_id, x.name, x.ppm, x.currency
limit :'limit'::integer
