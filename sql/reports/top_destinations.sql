-- title: Top destinations
-- about: Where most was spent, beside the span before of the same length.
-- for: tenant
-- chart: revenue
-- column: rank number: By revenue, in each currency
-- column: destination text: The rate's destination
-- column: country text: Country of the called number
-- column: currency text: Of the price
-- column: answered number: Calls that were answered
-- column: minutes decimal: Time of talk
-- column: revenue money: Price of the calls without taxes
-- column: before money: The same of the span before
-- column: change_percent percent: How much more (or less) that is
with s as (
	select f.destination, f.country, f.currency,
		sum(f.answered) filter (where is_now) as answered,
		sum(f.duration_ms) filter (where is_now) as duration_ms,
		coalesce(sum(f.revenue_micro) filter (where is_now), 0)
			as revenue,
		coalesce(sum(f.revenue_micro) filter (where not is_now), 0)
			as before
	from (select x.*, true as is_now from report.traffic(false,
			:'from'::timestamptz, :'to'::timestamptz, :'tenant',
			:'trunk', :'carrier', :'direction', :'currency',
			:'viewer') x
		union all
		select x.*, false from report.traffic(false,
			:'from'::timestamptz - (:'to'::timestamptz
				- :'from'::timestamptz), :'from'::timestamptz,
			:'tenant', :'trunk', :'carrier', :'direction',
			:'currency', :'viewer') x) f
	where f.destination <> ''
	group by 1, 2, 3)
select row_number() over (partition by currency order by revenue desc,
		destination, country) as rank,
	destination, country, currency, answered,
	report.minutes(duration_ms) as minutes, revenue, before,
	report.percent(revenue - before, before) as change_percent
from s where revenue > 0
order by currency, rank
limit :'limit'::integer
