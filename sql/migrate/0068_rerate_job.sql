-- Rating again as jobs of the API: a re-rating says when all of its calls are
-- compared and what came of it, its calls stand in an order, and what it is
-- asked for must exist.
alter table rating.rerate
	add column compared_at timestamptz,
	-- [{what, currency, calls, old, new, delta}], as of then
	add column totals jsonb not null default '[]',
	add column row_version bigint not null default 1,
	add column updated_at timestamptz not null default now();
create trigger rerate_touch before update on rating.rerate
	for each row execute function core.touch();
alter table rating.rerate_call
	add column n bigint generated always as identity;
create unique index rerate_call_n on rating.rerate_call (rerate_id, n);

-- What was planned by the command before: it was compared at once
update rating.rerate q set compared_at = q.created_at;

create function rating.rerate_totals(p_rerate text) returns jsonb
	language sql stable as
$$
	select coalesce(jsonb_agg(jsonb_build_object('what', t.what,
			'currency', t.currency, 'calls', t.calls,
			'old', rating.amount(t.old_micro),
			'new', rating.amount(t.new_micro),
			'delta', rating.amount(t.delta_micro))
		order by t.what, t.currency), '[]')
	from rating.rerate_total t where t.rerate_id = p_rerate
$$;
update rating.rerate q set totals = rating.rerate_totals(q.id);

-- All accounts are compared: it may be applied from now on.
create function rating.rerate_compared(p_rerate text) returns jsonb
	language sql security definer
	set search_path = pg_catalog, pg_temp as
$$
	update rating.rerate q set compared_at = now(),
		totals = rating.rerate_totals(q.id)
		where q.id = p_rerate returning q.totals
$$;

create or replace function rating.rerate_new(p_from timestamptz,
	p_to timestamptz, p_tenant text, p_account text, p_trunk text,
	p_prefix text, p_deck text, p_note text) returns text
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	made text := core.new_id('rrt');
begin
	if p_deck is not null and not exists (select from core.rate_deck d
			where d.id = p_deck) then
		perform billing.refuse('rerate_deck', 'there is no such deck');
	elsif p_tenant is not null and not exists (select from core.tenant t
			where t.id = p_tenant) then
		perform billing.refuse('rerate_tenant',
			'there is no such tenant');
	elsif p_account is not null and not exists (select from core.account a
			where a.id = p_account) then
		perform billing.refuse('rerate_account',
			'there is no such account');
	elsif p_trunk is not null and not exists (select from core.trunk k
			where k.id = p_trunk) then
		perform billing.refuse('rerate_trunk',
			'there is no such trunk');
	end if;
	insert into rating.rerate (id, from_at, to_at, tenant_id, account_id,
			trunk_id, called_prefix, deck_id, note)
		values (made, p_from, p_to, p_tenant, p_account, p_trunk,
			p_prefix, p_deck, p_note);
	return made;
end
$$;

-- Calls are numbered in their order, and nothing is posted of a half: what is
-- compared anew after it was posted would look as if it had not been.
do $$
begin
	execute replace(pg_get_functiondef(
		'rating.rerate_check(text, text)'::regprocedure),
		'starts_with(
			ltrim(r.called, ''+''), q.called_prefix));',
		'starts_with(
			ltrim(r.called, ''+''), q.called_prefix))
	order by c.started_at, c.call_id, c.attempt;');
	execute replace(replace(pg_get_functiondef(
		'rating.rerate_check(text, text)'::regprocedure),
		'where x.id = p_rerate;', 'where x.id = p_rerate for update;'),
		'	delete from rating.rerate_call k',
		'	if q.applied_at is not null then
		perform billing.refuse(''rerate_applied'', ''it was applied'');
	end if;
	delete from rating.rerate_call k');
	execute replace(pg_get_functiondef(
		'rating.rerate_apply(text, text)'::regprocedure),
		'	perform billing.lock(p_account);',
		'	if not exists (select from rating.rerate q where q.id
			= p_rerate and q.compared_at is not null) then
		perform billing.refuse(''rerate_not_compared'',
			''its calls are not all compared'');
	end if;
	perform billing.lock(p_account);');
end
$$;

create view rating.rerate_difference as
	select k.rerate_id, k.n, k.account_id, k.started_at, k.call_id,
		k.attempt, k.what, k.currency,
		rating.amount(k.old_micro) as old,
		rating.amount(k.new_micro) as new,
		rating.amount(k.new_micro - k.old_micro) as delta
	from rating.rerate_call k;

revoke all on function rating.rerate_compared(text),
	rating.rerate_totals(text) from public;
grant execute on function rating.rerate_compared(text) to strowger_api;
grant select on rating.rerate_difference to strowger_api;
