-- title: Balance sheet
-- about: What each account had, got and used; closing is what the ledger says.
-- for: tenant
-- column: tenant_id text: Whose account
-- column: tenant text: Its name
-- column: account_id text: The account
-- column: account text: Its name
-- column: type text: prepaid or postpaid
-- column: currency text: Of all amounts
-- column: opening money: Balance when the span began
-- column: payments money: What was paid in
-- column: usage money: What calls came to, with taxes, also rated again; less what they paid the account
-- column: charges money: What was asked for beside calls, less discounts, with what rounding took
-- column: refunds money: What was given back, by credit notes too
-- column: other money: Adjustments and transfers
-- column: closing money: Balance when the span ended
with p as (
	select l.account_id,
		sum(l.amount_micro) filter (where l.created_at
			< :'from'::timestamptz) as opening,
		sum(l.amount_micro) filter (where l.created_at
			>= :'from'::timestamptz and l.kind = 'payment')
			as payments,
		sum(l.amount_micro) filter (where l.created_at
			>= :'from'::timestamptz and l.call_id is not null)
			as usage,
		sum(l.amount_micro) filter (where l.created_at
			>= :'from'::timestamptz and l.kind in ('charge',
			'discount', 'rounding')) as charges,
		sum(l.amount_micro) filter (where l.created_at
			>= :'from'::timestamptz and l.kind in ('refund',
			'credit_note')) as refunds,
		sum(l.amount_micro) as closing
	from core.ledger_posting l
	where l.created_at < :'to'::timestamptz
	group by 1)
select n.id as tenant_id, n.name as tenant, a.id as account_id,
	a.name as account, a.type, a.currency, coalesce(p.opening, 0) as opening,
	coalesce(p.payments, 0) as payments, coalesce(p.usage, 0) as usage,
	coalesce(p.charges, 0) as charges, coalesce(p.refunds, 0) as refunds,
	coalesce(p.closing, 0) - coalesce(p.opening, 0)
		- coalesce(p.payments, 0) - coalesce(p.usage, 0)
		- coalesce(p.charges, 0) - coalesce(p.refunds, 0) as other,
	coalesce(p.closing, 0) as closing
from core.account a
join core.tenant n on n.id = a.tenant_id
left join p on p.account_id = a.id
where (:'tenant' = '' or a.tenant_id in (select t.tenant_id
		from core.tenant_tree t where t.ancestor_id = :'tenant'))
	and (:'currency' = '' or a.currency = :'currency')
order by n.name, a.name, a.id
limit :'limit'::integer
