-- title: Top callers
-- about: Which numbers talked most.
-- for: tenant
-- column: rank number: By time of talk
-- column: tenant_id text: Whose call
-- column: tenant text: Its name
-- column: calling text: The calling number
-- column: calls number: Calls that it began
-- column: minutes decimal: Time of talk
-- column: price money: What the calls came to, with taxes
-- column: currency text: Of the price
with s as (
	select r.tenant_id, r.calling, r.currency, count(*) as calls,
		sum(r.duration_ms) as duration_ms, sum(r.price_micro) as price
	from cdr.record r
	where r.attempt = 0 and r.calling is not null
		and r.started_at >= :'from'::timestamptz
		and r.started_at < :'to'::timestamptz
		and (:'tenant' = '' or r.tenant_id in (select t.tenant_id
			from core.tenant_tree t
			where t.ancestor_id = :'tenant'))
		and (:'currency' = '' or r.currency = :'currency')
	group by 1, 2, 3
	order by sum(r.duration_ms) desc nulls last, r.calling, r.tenant_id
	limit :'limit'::integer)
select row_number() over (order by s.duration_ms desc nulls last, s.calling,
		s.tenant_id) as rank,
	s.tenant_id, n.name as tenant, s.calling, s.calls,
	report.minutes(s.duration_ms) as minutes, s.price, s.currency
from s left join core.tenant n on n.id = s.tenant_id
order by rank
