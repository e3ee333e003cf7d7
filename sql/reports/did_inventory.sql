-- title: Numbers and their use
-- about: Every number there is, whose it is, and what came in for it.
-- for: tenant
-- column: e164 text: The number, or the first of a range
-- column: e164_last text: The last of a range
-- column: tenant_id text: Whose it is
-- column: tenant text: Its name
-- column: trunk text: Name of the trunk that its calls go to
-- column: carrier text platform: Name of the carrier that it comes from
-- column: status text: active, suspended or closed
-- column: monthly money: What its tenant is charged for it by month when the span ends
-- column: currency text: Of that
-- column: calls number: Calls to it
-- column: answered number: Of these, how many were answered
-- column: minutes decimal: Time of talk
-- column: last_at time: When the last call of the span began
select d.e164, d.e164_last, d.tenant_id, n.name as tenant, k.name as trunk,
	c.name as carrier, d.status, m.monthly, case when m.monthly is not null
		then n.currency end as currency, coalesce(s.calls, 0) as calls,
	coalesce(s.answered, 0) as answered,
	coalesce(report.minutes(s.duration_ms), 0) as minutes, s.last_at
from core.did d
left join (select f.did_id, sum(f.calls) as calls,
		sum(f.answered) as answered, sum(f.duration_ms) as duration_ms,
		max(f.last_at) as last_at
	from report.traffic(false, :'from'::timestamptz, :'to'::timestamptz, '',
		'', '', '', '', '') f
	where f.did_id <> ''
	group by 1) s on s.did_id = d.id
join core.tenant n on n.id = d.tenant_id
left join lateral (select sum(g.amount_micro * g.quantity) as monthly
	from billing.charge g join core.account a on a.id = g.account_id
	where g.did_id = d.id and g.every = 'month'
		and a.currency = n.currency
		and g.starts_on < (:'to'::timestamptz at time zone :'zone')
		and (g.ends_on is null or g.ends_on + interval '1 day'
			>= (:'to'::timestamptz at time zone :'zone'))) m on true
left join core.trunk k on k.id = d.trunk_id
left join core.carrier c on c.id = d.carrier_id
where (:'tenant' = '' or d.tenant_id in (select t.tenant_id
		from core.tenant_tree t where t.ancestor_id = :'tenant'))
	and (:'trunk' = '' or d.trunk_id = :'trunk')
	and (:'carrier' = '' or d.carrier_id = :'carrier')
order by d.e164
limit :'limit'::integer
