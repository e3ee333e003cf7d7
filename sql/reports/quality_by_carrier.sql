-- title: Termination quality by carrier
-- about: How attempts at each gateway ended, and calls that it ended up with.
-- for: platform
-- column: carrier_id text: Who was asked
-- column: carrier text: Its name
-- column: gateway text: Name of the gateway
-- column: attempts number: Calls that were offered to it
-- column: answered number: Of these, how many were answered
-- column: rerouted_percent percent: Attempts after which another gateway was asked
-- column: asr percent: Answered of all attempts
-- column: call_asr percent: Answered of the calls that it was the last to be asked for
-- column: ner percent: Network effectiveness ratio of its attempts
-- column: acd_s decimal: Average call duration [s]
-- column: pdd_s decimal: Post dial delay, mean [s]
-- column: pdd_p95_s decimal: Post dial delay that 95 of 100 attempts stay below [s]
-- column: mos decimal: Mean opinion score of its calls
-- column: top_codes text: The most frequent final answers but 200: SIP/Q.850, how often
with a as materialized (
	select f.carrier_id, f.gateway_id, f.sip_code, f.q850,
		sum(f.calls) as attempts, sum(f.answered) as answered,
		sum(f.delivered) as delivered,
		sum(f.duration_ms) as duration_ms, sum(f.pdd_n) as pdd_n,
		sum(f.pdd_ms) as pdd_ms, sum(f.pdd_1) as pdd_1,
		sum(f.pdd_2) as pdd_2, sum(f.pdd_3) as pdd_3,
		sum(f.pdd_5) as pdd_5, sum(f.pdd_8) as pdd_8,
		sum(f.pdd_12) as pdd_12
	from report.traffic(true, :'from'::timestamptz, :'to'::timestamptz,
		:'tenant', :'trunk', :'carrier', :'direction', '', '') f
	group by 1, 2, 3, 4),
called as (
	select f.gateway_id, sum(f.calls) as calls, sum(f.answered) as answered,
		report.mos(sum(f.mos_milli), sum(f.mos_n)) as mos
	from report.traffic(false, :'from'::timestamptz, :'to'::timestamptz,
		:'tenant', :'trunk', :'carrier', :'direction', '', '') f
	where f.gateway_id <> '' and f.direction <> 'inbound'
	group by 1),
codes as (
	select carrier_id, gateway_id, string_agg(format('%s/%s %s', sip_code,
		q850, attempts), ', ' order by attempts desc, sip_code, q850)
		as top
	from (select *, row_number() over (partition by carrier_id, gateway_id
			order by attempts desc, sip_code, q850) as n
		from a where sip_code <> 200) r
	where n <= 3
	group by 1, 2)
select s.carrier_id, c.name as carrier, g.name as gateway, s.attempts,
	s.answered, report.percent(greatest(0, s.attempts - k.calls),
		s.attempts) as rerouted_percent, s.asr,
	report.asr(k.answered, k.calls) as call_asr, s.ner, s.acd_s, s.pdd_s,
	s.pdd_p95_s, k.mos, o.top as top_codes
from (select carrier_id, gateway_id, sum(attempts) as attempts,
		sum(answered) as answered,
		report.asr(sum(answered), sum(attempts)) as asr,
		report.ner(sum(delivered), sum(attempts)) as ner,
		report.acd_s(sum(duration_ms), sum(answered)) as acd_s,
		report.pdd_s(sum(pdd_ms), sum(pdd_n)) as pdd_s,
		report.pdd_p95_s(sum(pdd_n), array[sum(pdd_1), sum(pdd_2),
			sum(pdd_3), sum(pdd_5), sum(pdd_8), sum(pdd_12)])
			as pdd_p95_s
	from a group by 1, 2) s
left join called k on k.gateway_id = s.gateway_id
left join codes o on o.carrier_id = s.carrier_id
	and o.gateway_id = s.gateway_id
left join core.carrier c on c.id = s.carrier_id
left join core.gateway g on g.id = s.gateway_id
order by s.attempts desc, s.carrier_id, s.gateway_id
limit :'limit'::integer
