-- Rating again: calls of a time, priced by what the decks have for that time
-- now (or by another deck), compared with their charges, and the difference
-- posted. Records and charges stay as they are: a call that was rated again
-- has a revision of its charge, a posting that gives back the old price and one
-- that takes the new.
create table rating.rerate (
	id text primary key check (core.is_id(id, 'rrt')),
	from_at timestamptz not null,
	to_at timestamptz not null,
	tenant_id text,
	account_id text,
	trunk_id text,
	called_prefix text check (called_prefix ~ '^[0-9]{1,15}$'),
	-- instead of the deck that a charge is of
	deck_id text,
	note text check (length(note) <= 255),
	created_at timestamptz not null default now(),
	applied_at timestamptz,
	constraint rerate_span check (from_at < to_at)
);

-- What it found of each call. Only those that changed are posted.
create table rating.rerate_call (
	rerate_id text not null references rating.rerate on delete cascade,
	account_id text not null,
	started_at timestamptz not null,
	call_id uuid not null,
	attempt integer not null,
	-- same, changed; or why its price stays: invoiced (a credit note gives
	-- back), by_cost (made of a carrier's), no_deck, no_rate, blocked,
	-- no_exchange_rate, no_record
	what text not null,
	revision integer not null,
	currency text not null,
	old_micro bigint not null,
	new_micro bigint not null,
	new_charge jsonb,
	primary key (rerate_id, account_id, started_at, call_id, attempt)
);
create table rating.rerate_account (
	rerate_id text not null references rating.rerate,
	account_id text not null,
	calls bigint not null,
	delta_micro bigint not null,
	applied_at timestamptz not null default now(),
	primary key (rerate_id, account_id)
);
create trigger rerate_account_fixed before update or delete
	on rating.rerate_account
	for each row execute function core.refuse('re-rating');

-- A call's price as it would be now; what packages gave it stays. As the
-- switch makes it: the rate and exchange of when it began, windows from when
-- it was answered.
create function rating.again(c cdr.charge, p_deck text, r cdr.record,
	out what text, out charge jsonb)
	language plpgsql stable
	set search_path = pg_catalog, pg_temp as
$$
declare
	t core.trunk;
	d core.rate_deck;
	rate core.rate;
	price jsonb;
	parts record;
	deck text := coalesce(p_deck, c.deck_id);
begin
	select * into t from core.trunk k
		where k.id = coalesce(r.diverting_trunk_id, r.trunk_id);
	what := case when r.call_id is null then 'no_record'
		when deck is null then 'no_deck'
		when p_deck is null and t.rate_policy <> 'fixed'
			and deck is distinct from t.onnet_deck_id then 'by_cost'
		end;
	if what is not null then
		return;
	end if;
	rate := rating.find(deck, ltrim(coalesce(r.calling, ''), '+'),
		ltrim(coalesce(r.called, ''), '+'), r.started_at);
	what := case when rate.prefix is null then 'no_rate'
		when rate.is_blocked then 'blocked' end;
	if what is not null then
		return;
	end if;
	price := rating.price(rate, c.account_id, r.called_country,
		coalesce(r.answered_at, r.started_at),
		coalesce(t.max_call_s, 14400) * 1000::bigint);
	if price is null then
		what := 'no_exchange_rate';
		return;
	end if;
	select * into d from core.rate_deck k where k.id = rate.deck_id;
	if d.currency <> c.currency then
		price := price || jsonb_build_object('exchange_nano', (
			select e.rate_nano from core.exchange_rate e
			where e.base = d.currency and e.quote = c.currency
				and e.effective_from <= r.started_at
			order by e.effective_from desc limit 1));
		if price->>'exchange_nano' is null then
			what := 'no_exchange_rate';
			return;
		end if;
	end if;
	select * into parts from rating.parts(price, case when r.answered_at
			is null then 0 else r.duration_ms end,
		coalesce(c.covered_ms, 0), coalesce(c.covered_micro, 0));
	what := case when parts.gross_micro = c.amount_micro
		and parts.net_micro is not distinct from coalesce(c.net_micro,
			parts.net_micro)
		and parts.tax_micro is not distinct from coalesce(c.tax_micro,
			parts.tax_micro) then 'same' else 'changed' end;
	charge := to_jsonb(c) || jsonb_build_object('amount_micro',
		parts.gross_micro, 'net_micro', parts.net_micro, 'tax_micro',
		to_jsonb(parts.tax_micro), 'billed_ms', parts.billed_ms,
		'price', price, 'deck_id', rate.deck_id, 'deck_version',
		d.rate_version, 'prefix', rate.prefix, 'destination',
		rate.destination, 'rate_per_min_nano', rate.rate_per_min_nano,
		'connect_fee_micro', rate.connect_fee_micro, 'first_ms',
		rate.first_ms, 'next_ms', rate.next_ms, 'rounding_mode',
		d.rounding_mode, 'rounding_decimals', d.rounding_decimals);
end
$$;

-- Compare one account's calls; nothing is posted. @return how many
create function rating.rerate_check(p_rerate text, p_account text)
	returns bigint language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	q rating.rerate;
	n bigint;
begin
	select * into strict q from rating.rerate x where x.id = p_rerate;
	delete from rating.rerate_call k where k.rerate_id = p_rerate
		and k.account_id = p_account;
	insert into rating.rerate_call
	select p_rerate, p_account, c.started_at, c.call_id, c.attempt,
		case when v.is_invoiced then 'invoiced' else a.what end,
		v.revision, c.currency, c.amount_micro, case when
			v.is_invoiced or a.what not in ('same', 'changed')
			then c.amount_micro
			else (a.charge->>'amount_micro')::bigint end,
		case when a.what = 'changed' and not v.is_invoiced
			then a.charge end
	from cdr.charge_current c
	left join cdr.record r on r.started_at = c.started_at
		and r.call_id = c.call_id and r.attempt = c.attempt
	cross join lateral (select coalesce((select max(s.revision)
			from cdr.charge_revision s where s.call_id = c.call_id
			and s.attempt = c.attempt and s.side = 'sell'), 0)
			as revision,
		exists (select from core.ledger_posting p
			join billing.invoice_posting x on x.posting_id = p.id
				and not x.is_released
			where p.call_id = c.call_id and p.attempt = c.attempt)
			as is_invoiced) v
	cross join lateral rating.again(c::text::cdr.charge, q.deck_id, r) a
	where c.account_id = p_account and c.side = 'sell'
		and c.started_at >= q.from_at and c.started_at < q.to_at
		and (q.trunk_id is null or r.trunk_id = q.trunk_id)
		and (q.called_prefix is null or starts_with(
			ltrim(r.called, '+'), q.called_prefix));
	get diagnostics n = row_count;
	return n;
end
$$;

create function rating.rerate_accounts(p_rerate text) returns setof text
	language sql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
	select a.id from core.account a, rating.rerate q where q.id = p_rerate
		and (q.account_id is null or a.id = q.account_id)
		and (q.tenant_id is null or a.tenant_id = q.tenant_id)
		and (q.trunk_id is null or a.id = (select k.account_id
			from core.trunk k where k.id = q.trunk_id))
		order by a.id
$$;

-- Post one account's differences, all or none: what the calls cost goes back,
-- then they are charged again, in the order of the calls. Once.
create function rating.rerate_apply(p_rerate text, p_account text)
	returns bigint language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	stale bigint;
	n bigint;
	delta bigint;
begin
	perform billing.lock(p_account);
	if exists (select from rating.rerate_account a
		where a.rerate_id = p_rerate and a.account_id = p_account) then
		return 0;
	end if;
	select count(*), coalesce(sum(k.new_micro - k.old_micro), 0), count(*)
			filter (where k.revision <> coalesce((
			select max(s.revision) from cdr.charge_revision s
			where s.call_id = k.call_id and s.attempt = k.attempt
				and s.side = 'sell'), 0)
			or exists (select from core.ledger_posting p
			join billing.invoice_posting x on x.posting_id = p.id
				and not x.is_released
			where p.call_id = k.call_id and p.attempt = k.attempt))
		into n, delta, stale
		from rating.rerate_call k where k.rerate_id = p_rerate
			and k.account_id = p_account and k.what = 'changed';
	if stale > 0 then
		perform billing.refuse('rerate_stale', format('%s calls were '
			'invoiced or rated again meanwhile: compare again',
			stale));
	end if;
	insert into cdr.charge_revision select (jsonb_populate_record(
		null::cdr.charge_revision, k.new_charge || jsonb_build_object(
			'revision', k.revision + 1, 'rerate_id', p_rerate))).*
		from rating.rerate_call k where k.rerate_id = p_rerate
			and k.account_id = p_account and k.what = 'changed';
	perform core.post_all(array(
		select row(p_account, v.kind, v.micro, 'rated again',
			k.call_id, k.attempt)::core.posting_item
		from rating.rerate_call k
		cross join lateral (values (1, 'rerate_refund', k.old_micro),
			(2, 'rerate_charge', -k.new_micro)) v (turn, kind, micro)
		where k.rerate_id = p_rerate and k.account_id = p_account
			and k.what = 'changed' and v.micro <> 0
		order by v.turn, k.started_at, k.call_id, k.attempt));
	insert into rating.rerate_account (rerate_id, account_id, calls,
			delta_micro)
		values (p_rerate, p_account, n, delta);
	update rating.rerate q set applied_at = now() where q.id = p_rerate;
	return n;
end
$$;

create function rating.rerate_new(p_from timestamptz, p_to timestamptz,
	p_tenant text, p_account text, p_trunk text, p_prefix text, p_deck text,
	p_note text) returns text
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	made text := core.new_id('rrt');
begin
	if p_deck is not null and not exists (select from core.rate_deck d
			where d.id = p_deck) then
		perform billing.refuse('rerate_deck', 'there is no such deck');
	end if;
	insert into rating.rerate (id, from_at, to_at, tenant_id, account_id,
			trunk_id, called_prefix, deck_id, note)
		values (made, p_from, p_to, p_tenant, p_account, p_trunk,
			p_prefix, p_deck, p_note);
	return made;
end
$$;

create view rating.rerate_total as
	select k.rerate_id, k.what, k.currency, count(*) as calls,
		sum(k.old_micro)::bigint as old_micro,
		sum(k.new_micro)::bigint as new_micro,
		sum(k.new_micro - k.old_micro)::bigint as delta_micro
	from rating.rerate_call k group by k.rerate_id, k.what, k.currency;

revoke all on function rating.again(cdr.charge, text, cdr.record),
	rating.rerate_check(text, text), rating.rerate_accounts(text),
	rating.rerate_apply(text, text),
	rating.rerate_new(timestamptz, timestamptz, text, text, text, text,
		text, text) from public;
grant select on rating.rerate, rating.rerate_call, rating.rerate_account,
	rating.rerate_total to strowger_api;
grant execute on function rating.rerate_check(text, text),
	rating.rerate_accounts(text), rating.rerate_apply(text, text),
	rating.rerate_new(timestamptz, timestamptz, text, text, text, text,
		text, text) to strowger_api;
