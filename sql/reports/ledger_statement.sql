-- title: Ledger statement
-- about: What moved each balance; calls are summed by day of the time zone.
-- for: tenant
-- column: tenant text: Whose account
-- column: account_id text: The account
-- column: currency text: Of all amounts
-- column: at text: Day, in the time zone of the report
-- column: kind text: What was posted; calls are usage or credit
-- column: note text: What was noted with it
-- column: entries number: How many postings
-- column: debit money: What the balance lost
-- column: credit money: What it gained
-- column: balance money: What it was after that
with l as (
	select p.account_id, min(p.id) as id, p.created_at < :'from'::timestamptz
			as is_before,
		case when p.created_at >= :'from'::timestamptz then
			(p.created_at at time zone :'zone')::date end as day,
		case when p.created_at < :'from'::timestamptz then 'opening'
			else p.kind end as kind,
		case when p.created_at >= :'from'::timestamptz
			and p.call_id is null then p.id end as alone,
		min(p.note) filter (where p.created_at >= :'from'::timestamptz)
			as note,
		count(*) as entries, sum(p.amount_micro) as amount
	from core.ledger_posting p
	where p.created_at < :'to'::timestamptz
		and (:'tenant' = '' or p.account_id in (select a.id
			from core.account a join core.tenant_tree t
				on t.tenant_id = a.tenant_id
			where t.ancestor_id = :'tenant'))
	group by p.account_id, is_before, day, 5, alone)
select n.name as tenant, l.account_id, a.currency,
	to_char(l.day, 'YYYY-MM-DD') as at, l.kind, l.note,
	case when not l.is_before then l.entries end as entries,
	case when l.amount < 0 and not l.is_before then -l.amount end as debit,
	case when l.amount > 0 and not l.is_before then l.amount end as credit,
	sum(l.amount) over w as balance
from l
join core.account a on a.id = l.account_id
join core.tenant n on n.id = a.tenant_id
where :'currency' = '' or a.currency = :'currency'
window w as (partition by l.account_id order by l.is_before desc, l.day, l.id)
order by n.name, l.account_id, l.is_before desc, l.day, l.id
limit :'limit'::integer
