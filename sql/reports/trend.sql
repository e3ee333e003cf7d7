-- title: Trend
-- about: Traffic over time, by day, hour or five minutes of the time zone (step: day, hour, 5min).
-- chart: calls
-- for: tenant
-- column: at text: Begin of the interval, in the time zone of the report
-- column: calls number: Calls that were begun
-- column: answered number: Of these, how many were answered
-- column: short number: Of these, how many ended within six seconds
-- column: asr percent: Answer seizure ratio
-- column: ner percent: Network effectiveness ratio
-- column: acd_s decimal: Average call duration [s]
-- column: pdd_s decimal: Post dial delay, mean [s]
-- column: minutes decimal: Time of talk of the calls that began then
-- column: erlang decimal: The same by the length of the interval: channels in use, on average
with f as (
	select x.hour as at, x.calls, x.answered, x.delivered, x.short,
		x.duration_ms, x.pdd_ms, x.pdd_n
	from report.traffic(false, :'from'::timestamptz, :'to'::timestamptz,
		:'tenant', :'trunk', :'carrier', :'direction', :'currency',
		:'viewer') x
	where :'step' <> '5min' and x.calls > 0
	union all
	select date_bin('5 minutes', r.started_at, timestamptz '2000-01-01Z'),
		1, (r.answered_at is not null)::integer,
		(r.answered_at is not null or report.is_delivered(r.outcome,
			r.ringing_at is not null))::integer,
		(r.duration_ms <= 6000)::integer, r.duration_ms, r.pdd_ms,
		(r.pdd_ms is not null)::integer
	from cdr.record r
	where :'step' = '5min' and r.attempt = 0
		and r.started_at >= :'from'::timestamptz
		and r.started_at < :'to'::timestamptz
		and (:'tenant' = '' or r.tenant_id in (select t.tenant_id
			from core.tenant_tree t
			where t.ancestor_id = :'tenant'))
		and (:'trunk' = '' or r.trunk_id = :'trunk')
		and (:'carrier' = '' or r.carrier_id = :'carrier')
		and (:'direction' = '' or r.direction = :'direction')
		and (:'currency' = '' or r.currency = :'currency')),
s as (
	select case :'step' when 'day' then date_trunc('day', f.at, :'zone')
		else f.at end as at, sum(f.calls) as calls,
		sum(f.answered) as answered, sum(f.delivered) as delivered,
		coalesce(sum(f.short), 0) as short,
		coalesce(sum(f.duration_ms), 0) as duration_ms,
		sum(f.pdd_ms) as pdd_ms, sum(f.pdd_n) as pdd_n
	from f group by 1)
-- the program reads every report in its time zone
select case :'step' when 'day' then to_char(s.at, 'YYYY-MM-DD')
		else to_char(s.at, 'YYYY-MM-DD HH24:MI TZH:TZM') end as at,
	s.calls, s.answered, s.short, report.asr(s.answered, s.calls) as asr,
	report.ner(s.delivered, s.calls) as ner,
	report.acd_s(s.duration_ms, s.answered) as acd_s,
	report.pdd_s(s.pdd_ms, s.pdd_n) as pdd_s,
	report.minutes(s.duration_ms) as minutes,
	-- of what of the interval is in the span; a day may have 23 or 25 hours
	round(s.duration_ms / 1000 / extract(epoch from
		least(case :'step' when 'day' then ((s.at at time zone :'zone')
			+ interval '1 day') at time zone :'zone'
			when 'hour' then s.at + interval '1 hour'
			else s.at + interval '5 minutes' end, :'to'::timestamptz)
		- greatest(s.at, :'from'::timestamptz)), 3) as erlang
from s
order by s.at
limit :'limit'::integer
