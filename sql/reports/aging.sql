-- title: Balances and aging
-- about: What accounts have and owe today, by how long invoices are due (whatever the span).
-- for: tenant
-- column: tenant_id text: Whose account
-- column: tenant text: Its name
-- column: account_id text: The account
-- column: account text: Its name
-- column: currency text: Of all amounts
-- column: balance money: What the ledger says
-- column: credit_limit money: How far below zero it may go
-- column: leased money: What nodes hold of it for calls
-- column: open money: Unpaid of invoices
-- column: not_due money: Of that, not due yet
-- column: days_30 money: Due for up to 30 days
-- column: days_60 money: Due for 31 to 60 days
-- column: days_90 money: Due for 61 to 90 days
-- column: older money: Due for longer
-- column: last_payment_at time: When something was paid last
select a.tenant_id, n.name as tenant, a.account_id, a.name as account,
	a.currency, a.balance_micro as balance,
	a.credit_limit_micro as credit_limit, a.leased_micro as leased,
	a.open_micro as open, a.not_due_micro as not_due,
	a.days_30_micro as days_30, a.days_60_micro as days_60,
	a.days_90_micro as days_90, a.older_micro as older, a.last_payment_at
from billing.aging() a
left join core.tenant n on n.id = a.tenant_id
where (:'tenant' = '' or a.tenant_id in (select t.tenant_id
		from core.tenant_tree t where t.ancestor_id = :'tenant'))
	and (:'currency' = '' or a.currency = :'currency')
order by n.name, a.name, a.account_id
limit :'limit'::integer
