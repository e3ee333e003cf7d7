-- title: Rate changes
-- about: Rates that begin or end in the span: a notice to who is charged by them.
-- for: tenant
-- column: deck text: Name of the rate deck
-- column: prefix text: Digits of the called number
-- column: destination text: The rate's destination
-- column: change text: new, increase, decrease, terms (intervals, fee, name, blocked) or closed
-- column: old_per_min decimal: Price of a minute before
-- column: new_per_min decimal: Price of a minute from then on
-- column: currency text: Of the prices
-- column: effective_from time: From when on
-- column: increments text: First and following interval [s] from then on
with mine as (
	select distinct k.rate_deck_id from core.trunk k
	join core.tenant_tree t on t.tenant_id = k.tenant_id
	where t.ancestor_id = :'tenant'),
moved as (
	select coalesce(r.deck_id, o.deck_id) as deck_id,
		coalesce(r.prefix, o.prefix) as prefix,
		coalesce(r.destination, o.destination) as destination,
		case when r.prefix is null then 'closed'
			when o.prefix is null then 'new'
			when r.rate_per_min_nano > o.rate_per_min_nano
				then 'increase'
			when r.rate_per_min_nano < o.rate_per_min_nano
				then 'decrease'
			else 'terms' end as change,
		o.rate_per_min_nano as old, r.rate_per_min_nano as new,
		coalesce(r.effective_from, o.effective_to) as at,
		format('%s/%s', trim_scale(r.first_ms / 1000.0),
			trim_scale(r.next_ms / 1000.0)) as increments
	from (select * from core.rate where effective_from
			>= :'from'::timestamptz and effective_from
			< :'to'::timestamptz) r
	full join (select * from core.rate where effective_to
			>= :'from'::timestamptz and effective_to
			< :'to'::timestamptz) o
		on o.deck_id = r.deck_id and o.prefix = r.prefix
			and o.effective_to = r.effective_from)
select d.name as deck, m.prefix, m.destination, m.change,
	trim_scale(m.old / 1000000000.0) as old_per_min,
	trim_scale(m.new / 1000000000.0) as new_per_min, d.currency,
	m.at as effective_from,
	case when m.change <> 'closed' then m.increments end as increments
from moved m join core.rate_deck d on d.id = m.deck_id
where (:'tenant' = '' or d.id in (select rate_deck_id from mine))
	and (:'currency' = '' or d.currency = :'currency')
order by d.name, d.id, m.at, m.prefix
limit :'limit'::integer
