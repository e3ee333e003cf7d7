-- title: Calls without a price
-- about: Answered calls that were sold to nobody or for nothing.
-- for: platform
-- column: tenant_id text: Whose calls
-- column: tenant text: Its name
-- column: direction text: outbound, inbound or onnet
-- column: country text: Country of the called number
-- column: destination text: The rate's destination; empty: there was none
-- column: answered number: Answered calls
-- column: sold number: Of these, how many have a price
-- column: minutes decimal: Time of talk
-- column: revenue money: What they brought
-- column: cost money: What carriers ask for them, in the currency of the carrier
-- column: cost_currency text: Its currency
select s.tenant_id, n.name as tenant, s.direction, s.country, s.destination,
	s.answered, s.sold, s.minutes, s.revenue, s.cost, s.cost_currency
from (select f.tenant_id, f.direction, f.country, f.destination,
		f.cost_currency, sum(f.answered) as answered,
		sum(f.sold) as sold,
		report.minutes(sum(f.duration_ms)) as minutes,
		sum(f.revenue_micro) as revenue, sum(f.cost_micro) as cost
	from report.traffic(false, :'from'::timestamptz, :'to'::timestamptz,
		:'tenant', :'trunk', :'carrier', :'direction', :'currency', '') f
	group by 1, 2, 3, 4, 5
	having sum(f.answered) > sum(f.sold)
		or (sum(f.answered) > 0 and sum(f.revenue_micro) = 0)) s
left join core.tenant n on n.id = s.tenant_id
order by s.cost desc, s.answered desc, 1, 3, 4, 5
limit :'limit'::integer
