-- title: Failed calls
-- about: Why calls were not answered, with one of each to look at (GET /v1/cdrs/{id}, strowger trace).
-- for: tenant
-- chart: calls
-- column: outcome text: How the call ended: see the table of outcomes in operate.md
-- column: sip_code number: What its caller was answered
-- column: q850 number: Cause
-- column: calls number: How many
-- column: percent percent: Of all calls of the span
-- column: last_at time: When the last of them began
-- column: sample_call_id text: One of them
with f as materialized (
	select x.outcome, x.sip_code, x.q850, sum(x.calls) as calls,
		sum(x.answered) as answered, max(x.last_at) as last_at
	from report.traffic(false, :'from'::timestamptz, :'to'::timestamptz,
		:'tenant', :'trunk', :'carrier', :'direction', :'currency',
		:'viewer') x
	group by 1, 2, 3)
select f.outcome, f.sip_code, f.q850, f.calls - f.answered as calls,
	report.percent(f.calls - f.answered, sum(f.calls) over ()) as percent,
	f.last_at, (select r.call_id::text from cdr.record r
		where r.started_at = f.last_at and r.attempt = 0
			and r.outcome = f.outcome
			and coalesce(r.sip_code, 0) = f.sip_code
			and (:'tenant' = '' or r.tenant_id in (
				select t.tenant_id from core.tenant_tree t
				where t.ancestor_id = :'tenant')) limit 1)
		as sample_call_id
from f where f.calls > f.answered
order by calls desc, 1, 2, 3
limit :'limit'::integer
