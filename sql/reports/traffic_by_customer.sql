-- title: Traffic by customer
-- about: What each tenant and trunk called, and what it came to.
-- for: tenant
-- column: tenant_id text: Whose calls
-- column: tenant text: Its name
-- column: trunk_id text: Of which trunk; empty: of forwards that others' calls took
-- column: trunk text: Its name
-- column: currency text: Of the price; empty: calls without a price
-- column: calls number: Calls that were begun
-- column: answered number: Of these, how many were answered
-- column: short number: Of these, how many ended within six seconds
-- column: asr percent: Answer seizure ratio
-- column: ner percent: Network effectiveness ratio
-- column: acd_s decimal: Average call duration [s]
-- column: minutes decimal: Time of talk
-- column: billed_minutes decimal: What of it is charged, by the intervals of the rates
-- column: revenue money: Price of the calls without taxes
-- column: tax money: Taxes on it
-- column: cost money platform: What carriers ask, in the currency of the price
-- column: margin money platform: Revenue less cost
-- column: margin_percent percent platform: The same in percent of revenue
select s.tenant_id, n.name as tenant, s.trunk_id, k.name as trunk, s.currency,
	s.calls, s.answered, s.short, s.asr, s.ner, s.acd_s, s.minutes,
	s.billed_minutes, s.revenue, s.tax, s.cost, s.margin, s.margin_percent
from (select f.tenant_id, f.trunk_id, f.currency,
		sum(f.calls) as calls, sum(f.answered) as answered,
		sum(f.short) as short,
		report.asr(sum(f.answered), sum(f.calls)) as asr,
		report.ner(sum(f.delivered), sum(f.calls)) as ner,
		report.acd_s(sum(f.duration_ms), sum(f.answered)) as acd_s,
		report.minutes(sum(f.duration_ms)) as minutes,
		report.minutes(sum(f.billed_ms)) as billed_minutes,
		sum(f.revenue_micro) as revenue, sum(f.tax_micro) as tax,
		round(sum(f.cost_sold)) as cost,
		sum(f.revenue_micro) - round(sum(f.cost_sold)) as margin,
		report.margin_percent(sum(f.revenue_micro), sum(f.cost_sold))
			as margin_percent
	from report.traffic(false, :'from'::timestamptz, :'to'::timestamptz,
		:'tenant', :'trunk', :'carrier', :'direction', :'currency',
		:'viewer') f
	group by 1, 2, 3) s
left join core.tenant n on n.id = s.tenant_id
left join core.trunk k on k.id = s.trunk_id
order by n.name, k.name, s.tenant_id, s.trunk_id, s.currency
limit :'limit'::integer
