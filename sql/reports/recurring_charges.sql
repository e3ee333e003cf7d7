-- title: Recurring and one-time charges
-- about: What is charged in the span beside calls: trunks, channels, numbers, services.
-- for: tenant
-- column: tenant_id text: Whose account
-- column: tenant text: Its name
-- column: account_id text: Who is charged
-- column: kind text: trunk, channels, number or service
-- column: charge text: Its name
-- column: quantity number: How many
-- column: amount money: Of one, as the tax profile has it
-- column: every text: month or once
-- column: each_time money: Of all, for a whole month or once
-- column: currency text: Of the amounts
-- column: starts_on text: First day
-- column: ends_on text: Last day; empty: until it is ended
select a.tenant_id, n.name as tenant, c.account_id, c.kind, c.name as charge,
	c.quantity, c.amount_micro as amount, c.every,
	c.amount_micro * c.quantity as each_time, a.currency,
	c.starts_on::text as starts_on, c.ends_on::text as ends_on
from billing.charge c
join core.account a on a.id = c.account_id
join core.tenant n on n.id = a.tenant_id
where c.starts_on < (:'to'::timestamptz at time zone :'zone')
	and (c.ends_on is null or c.ends_on
		>= (:'from'::timestamptz at time zone :'zone')::date)
	and (c.every = 'month' or c.starts_on
		>= (:'from'::timestamptz at time zone :'zone')::date)
	and (:'tenant' = '' or a.tenant_id in (select t.tenant_id
		from core.tenant_tree t where t.ancestor_id = :'tenant'))
	and (:'currency' = '' or a.currency = :'currency')
order by n.name, c.account_id, c.kind, c.name, c.id
limit :'limit'::integer
