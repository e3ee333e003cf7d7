-- title: Traffic by destination
-- about: Where calls went, how well they got there, what they brought.
-- for: tenant
-- column: prefix text: Digits of the rate that priced the calls; empty: not rated, as inbound calls
-- column: destination text: The rate's destination
-- column: country text: Country of the called number
-- column: network text: Network of the called number
-- column: currency text: Of the price
-- column: calls number: Calls that were begun
-- column: answered number: Of these, how many were answered
-- column: asr percent: Answer seizure ratio
-- column: ner percent: Network effectiveness ratio
-- column: acd_s decimal: Average call duration [s]
-- column: minutes decimal: Time of talk
-- column: revenue money: Price of the calls without taxes
-- column: cost money platform: What carriers ask, in the currency of the price
-- column: margin money platform: Revenue less cost
-- column: margin_percent percent platform: The same in percent of revenue
-- column: first_at time: When the first call began
-- column: last_at time: When the last call began
select f.prefix, f.destination, f.country, f.network, f.currency,
	sum(f.calls) as calls, sum(f.answered) as answered,
	report.asr(sum(f.answered), sum(f.calls)) as asr,
	report.ner(sum(f.delivered), sum(f.calls)) as ner,
	report.acd_s(sum(f.duration_ms), sum(f.answered)) as acd_s,
	report.minutes(sum(f.duration_ms)) as minutes,
	sum(f.revenue_micro) as revenue,
	round(sum(f.cost_sold)) as cost,
	sum(f.revenue_micro) - round(sum(f.cost_sold)) as margin,
	report.margin_percent(sum(f.revenue_micro), sum(f.cost_sold))
		as margin_percent,
	min(f.first_at) as first_at, max(f.last_at) as last_at
from report.traffic(false, :'from'::timestamptz, :'to'::timestamptz,
	:'tenant', :'trunk', :'carrier', :'direction', :'currency',
	:'viewer') f
group by 1, 2, 3, 4, 5
having sum(f.calls) > 0 or sum(f.revenue_micro) <> 0
order by calls desc, 1, 2, 3, 4, 5
limit :'limit'::integer
