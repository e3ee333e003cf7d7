-- A node that lost its state folder begins another journal, at segment 1: how
-- far the old one was loaded says nothing of the new one.
create function core.node_moved() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	if new.home <> '' and exists (select from core.node_session s
			where s.node = new.node and s.epoch <> new.epoch
				and s.home not in ('', new.home))
		and not exists (select from core.node_session s
			where s.node = new.node and s.epoch <> new.epoch
				and s.home = new.home) then
		delete from cdr.journal_position p where p.node = new.node;
	end if;
	return null;
end
$$;
create trigger node_moved after insert on core.node_session
	for each row execute function core.node_moved();
revoke all on function core.node_moved() from public;

-- A reverse price pays the customer for a call that has happened: such a
-- posting is no more to be refused than usage.
create or replace function core.post_all(items core.posting_item[])
	returns setof core.ledger_posting
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	perform 1 from core.account a
		where a.id in (select i.account_id from unnest(items) i)
		order by a.id for update;

	return query insert into core.ledger_posting (account_id, kind,
		amount_micro, balance_after_micro, currency, call_id, attempt,
		note)
	select i.account_id, i.kind, i.amount_micro,
		a.balance_micro + (sum(i.amount_micro) over (
			partition by i.account_id order by i.n))::bigint,
		a.currency, i.call_id, i.attempt, i.note
	from unnest(items) with ordinality i (account_id, kind,
		amount_micro, note, call_id, attempt, n)
	left join core.account a on a.id = i.account_id
	order by i.n
	returning *;

	update core.account a set balance_micro = a.balance_micro + s.amount,
		overspent_micro = least(
			case when s.is_usage or a.balance_micro + s.amount
					+ a.credit_limit_micro >= 0
				then 9223372036854775807
				else a.overspent_micro end,
			greatest(0, a.leased_micro - a.balance_micro
				- s.amount - a.credit_limit_micro
				- a.overdraft_micro))
	from (select i.account_id, sum(i.amount_micro)::bigint as amount,
			bool_and(i.kind in ('usage', 'credit')) as is_usage
		from unnest(items) i group by i.account_id) s
	where a.id = s.account_id;
end
$$;
