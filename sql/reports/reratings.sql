-- title: Re-ratings
-- about: What re-ratings begun in the span found, by account, and whether it was posted.
-- for: platform
-- column: rerate_id text: The re-rating
-- column: at time: When it was begun
-- column: tenant_id text: Whose account
-- column: tenant text: Its name
-- column: account_id text: Who paid for the calls
-- column: currency text: Of the amounts
-- column: calls number: Calls that were compared
-- column: changed number: Of these, how many have another price
-- column: invoiced number: How many stay, since they are invoiced: a credit note gives back
-- column: stayed number: How many stay for another reason (GET /v1/rerates/{id}/calls)
-- column: old money: What the changed calls came to, with taxes
-- column: new money: What they come to
-- column: difference money: New less old
-- column: applied_at time: When the difference was posted; empty: it was not
select r.id as rerate_id, r.created_at as at, a.tenant_id, n.name as tenant,
	c.account_id, c.currency, c.calls, c.changed, c.invoiced, c.stayed, c.old,
	c.new, c.new - c.old as difference, d.applied_at
from rating.rerate r
join lateral (select k.account_id, k.currency, count(*) as calls,
		count(*) filter (where k.what = 'changed') as changed,
		count(*) filter (where k.what = 'invoiced') as invoiced,
		count(*) filter (where k.what not in ('same', 'changed',
			'invoiced')) as stayed,
		coalesce(sum(k.old_micro) filter (where k.what = 'changed'), 0)
			as old,
		coalesce(sum(k.new_micro) filter (where k.what = 'changed'), 0)
			as new
	from rating.rerate_call k where k.rerate_id = r.id
	group by k.account_id, k.currency) c on true
left join core.account a on a.id = c.account_id
left join core.tenant n on n.id = a.tenant_id
left join rating.rerate_account d on d.rerate_id = r.id
	and d.account_id = c.account_id
where r.created_at >= :'from'::timestamptz and r.created_at < :'to'::timestamptz
	and (:'tenant' = '' or a.tenant_id in (select t.tenant_id
		from core.tenant_tree t where t.ancestor_id = :'tenant'))
	and (:'currency' = '' or c.currency = :'currency')
order by r.created_at, r.id, n.name, c.account_id
limit :'limit'::integer
