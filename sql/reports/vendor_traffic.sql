-- title: Traffic by carrier
-- about: What is owed to each carrier for which destination: the mirror of its invoice.
-- for: platform
-- column: carrier_id text: Who carried the calls
-- column: carrier text: Its name
-- column: destination text: The destination that the calls were sold by
-- column: charges number: Calls and attempts that it asks money for
-- column: minutes decimal: Time of talk
-- column: bought_minutes decimal: What of it the carrier charges for
-- column: cost money: What that comes to, without taxes
-- column: currency text: Of the cost
select s.carrier_id, c.name as carrier, s.destination, s.charges, s.minutes,
	s.bought_minutes, s.cost, s.currency
from (select f.carrier_id, f.destination, f.cost_currency as currency,
		sum(f.bought) as charges,
		report.minutes(sum(f.duration_ms)) as minutes,
		report.minutes(sum(f.bought_ms)) as bought_minutes,
		sum(f.cost_micro) as cost
	from report.traffic(false, :'from'::timestamptz, :'to'::timestamptz,
		:'tenant', :'trunk', :'carrier', :'direction', '', '') f
	where f.bought > 0 and (:'currency' = ''
		or f.cost_currency = :'currency')
	group by 1, 2, 3) s
left join core.carrier c on c.id = s.carrier_id
order by c.name, s.cost desc, s.destination
limit :'limit'::integer
