-- title: Margin by carrier and destination
-- about: What calls by each gateway brought and cost; what loses money first.
-- for: platform
-- column: carrier_id text: Who carried the calls
-- column: carrier text: Its name
-- column: gateway text: Name of the gateway
-- column: destination text: The destination that the calls were sold by
-- column: currency text: Of the price
-- column: answered number: Calls that were answered
-- column: billed_minutes decimal: What customers are charged for
-- column: bought_minutes decimal: What the carrier charges for
-- column: revenue money: Price of the calls without taxes
-- column: cost money: What the carrier asks without taxes, in its own currency
-- column: cost_currency text: Its currency
-- column: cost_sold money: The same in the currency of the price; empty: there was no exchange rate
-- column: margin money: Revenue less cost
-- column: margin_percent percent: The same in percent of revenue
-- column: is_loss flag: The calls cost more than they brought
select s.carrier_id, c.name as carrier, g.name as gateway, s.destination,
	s.currency, s.answered, s.billed_minutes, s.bought_minutes, s.revenue,
	s.cost, s.cost_currency, s.cost_sold, s.margin, s.margin_percent,
	s.margin < 0 as is_loss
from (select f.carrier_id, f.gateway_id, f.destination, f.currency,
		f.cost_currency, sum(f.answered) as answered,
		report.minutes(sum(f.billed_ms)) as billed_minutes,
		report.minutes(sum(f.bought_ms)) as bought_minutes,
		sum(f.revenue_micro) as revenue, sum(f.cost_micro) as cost,
		round(sum(f.cost_sold)) as cost_sold,
		sum(f.revenue_micro) - round(sum(f.cost_sold)) as margin,
		report.margin_percent(sum(f.revenue_micro), sum(f.cost_sold))
			as margin_percent
	from report.traffic(false, :'from'::timestamptz, :'to'::timestamptz,
		:'tenant', :'trunk', :'carrier', :'direction', :'currency', '') f
	where f.carrier_id <> '' and (f.sold > 0 or f.bought > 0)
	group by 1, 2, 3, 4, 5) s
left join core.carrier c on c.id = s.carrier_id
left join core.gateway g on g.id = s.gateway_id
order by s.margin nulls first, 1, 2, 3, 4, 5
limit :'limit'::integer
