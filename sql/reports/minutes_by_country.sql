-- title: Minutes by country
-- about: Calls and minutes by direction, country and kind of number, as authorities ask for them.
-- for: tenant
-- column: direction text: outbound, inbound or onnet
-- column: country text: Country of the called number
-- column: number_type text: Kind of the called number: geographic, mobile ...
-- column: calls number: Calls that were begun
-- column: answered number: Of these, how many were answered
-- column: minutes decimal: Time of talk
select f.direction, f.country, f.number_type, sum(f.calls) as calls,
	sum(f.answered) as answered,
	report.minutes(sum(f.duration_ms)) as minutes
from report.traffic(false, :'from'::timestamptz, :'to'::timestamptz,
	:'tenant', :'trunk', :'carrier', :'direction', :'currency',
	:'viewer') f
where f.calls > 0
group by 1, 2, 3
order by 1, minutes desc, 2, 3
limit :'limit'::integer
