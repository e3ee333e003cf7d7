-- title: Vendor reconciliation
-- about: Where a carrier's call records and ours differ (run: a reconciliation, or the newest of the carrier).
-- for: platform
-- chart: difference
-- column: fault text: missing_here, missing_there, unanswered, doubled, longer, shorter, dearer or cheaper
-- column: line number: Of the carrier's file
-- column: called text: The called number
-- column: their_at time: When, by the carrier; its clock put right
-- column: our_at time: When, by us
-- column: their_s decimal: Duration by the carrier [s]
-- column: our_s decimal: Duration by us [s]
-- column: their_cost money: What the carrier asks
-- column: our_cost money: What we say that it costs
-- column: difference money: Theirs less ours
-- column: currency text: Of the amounts
-- column: call_id text: Our call
-- column: attempt number: Our attempt of it
with run as (
	select r.id, r.currency from report.reconciliation r
	where case when :'run' <> '' then r.id = :'run'
		else r.carrier_id = :'carrier' and r.from_at
			< :'to'::timestamptz and r.to_at > :'from'::timestamptz
		end
	order by r.created_at desc limit 1)
select f.fault, f.line, f.called, f.their_at, f.our_at,
	round(f.their_ms / 1000.0, 1) as their_s,
	round(f.our_ms / 1000.0, 1) as our_s, f.their_cost_micro as their_cost,
	f.our_cost_micro as our_cost,
	coalesce(f.their_cost_micro, 0) - case when f.fault = 'doubled' then 0
		else coalesce(f.our_cost_micro, 0) end as difference,
	run.currency, f.call_id::text as call_id, f.attempt
from run join report.reconciliation_fault f on f.reconciliation_id = run.id
order by f.n
limit :'limit'::integer
