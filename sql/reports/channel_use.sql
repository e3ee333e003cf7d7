-- title: Use of channels
-- about: How full each trunk was, and what its limits refused.
-- for: tenant
-- column: tenant_id text: Whose trunk
-- column: tenant text: Its name
-- column: trunk_id text: The trunk
-- column: trunk text: Its name
-- column: channels number: Its limit in total; empty: none
-- column: calls number: Calls that were begun
-- column: busiest_hour time: Hour in which most talk began
-- column: peak number: The most calls at once in that hour
-- column: peak_percent percent: Of the limit
-- column: p95_erlang decimal: Talk of an hour that 95 of 100 hours stay below [erlang]
-- column: blocked number: Calls that a limit refused
with h as (
	select f.tenant_id, f.trunk_id, f.hour, sum(f.calls) as calls,
		sum(f.duration_ms) as duration_ms, coalesce(sum(f.calls) filter
			(where f.outcome like 'limit\_%'), 0) as blocked
	from report.traffic(false, :'from'::timestamptz, :'to'::timestamptz,
		:'tenant', :'trunk', '', :'direction', '', :'viewer') f
	where f.trunk_id <> ''
	group by 1, 2, 3),
t as materialized (
	select tenant_id, trunk_id, sum(calls) as calls,
		(array_agg(hour order by duration_ms desc, hour))[1] as busiest,
		-- hours without a call are of the span, too, and come first: of
		-- all, the one that 95 of 100 are not above
		round(coalesce((array_agg(duration_ms order by duration_ms))[
			(ceil(0.95 * greatest(s.hours, count(*)))
			- greatest(s.hours - count(*), 0))::integer], 0) / 3600000.0, 2)
			as p95,
		sum(blocked) as blocked
	from h, (select ceil(extract(epoch from :'to'::timestamptz
		- :'from'::timestamptz) / 3600)::bigint as hours) s
	group by tenant_id, trunk_id, s.hours),
peak as (
	select t.trunk_id, max(p.n) as n
	from t, lateral (select c.at, sum(c.step) over (order by c.at, c.step)
			as n
		from cdr.record r, lateral (values (r.answered_at, 1),
			(r.ended_at, -1)) c (at, step)
		where r.trunk_id = t.trunk_id and r.attempt = 0
			and r.started_at >= t.busiest - interval '1 day'
			and r.started_at < t.busiest + interval '1 hour'
			and r.ended_at > t.busiest
			and r.answered_at is not null) p
	where p.at < t.busiest + interval '1 hour'
	group by 1)
select t.tenant_id, n.name as tenant, t.trunk_id, k.name as trunk,
	k.channels_total as channels, t.calls, t.busiest as busiest_hour,
	coalesce(peak.n, 0) as peak,
	report.percent(peak.n, k.channels_total) as peak_percent,
	t.p95 as p95_erlang, t.blocked
from t
left join peak on peak.trunk_id = t.trunk_id
left join core.trunk k on k.id = t.trunk_id
left join core.tenant n on n.id = t.tenant_id
order by peak_percent desc nulls last, t.trunk_id
limit :'limit'::integer
