-- Rate decks, the ledger of every account, and the leases by which a node
-- spends from a balance without asking for each call.

create table core.rate_deck (
	id text primary key check (core.is_id(id, 'dck')),
	name core.name,
	currency core.currency,
	rounding_mode text not null default 'half_up' check (rounding_mode
		in ('up', 'down', 'half_up', 'half_even')),
	rounding_decimals integer not null default 4
		check (rounding_decimals between 0 and 6),
	status core.status default 'active',
	-- moves with every statement that changes a rate of this deck
	rate_version bigint not null default 1,
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now()
);
create trigger rate_deck_touch before update on core.rate_deck
	for each row when (old.rate_version = new.rate_version)
	execute function core.touch();
create trigger rate_deck_currency before update of currency on core.rate_deck
	for each row when (old.currency <> new.currency)
	execute function core.refuse_currency();

alter table core.trunk add foreign key (rate_deck_id)
	references core.rate_deck;
alter table core.carrier add foreign key (rate_deck_id)
	references core.rate_deck;

-- A call is charged in the currency of the account (or the carrier): a deck
-- in another one would book wrong money.
create function core.trunk_currency() returns trigger language plpgsql as
$$
begin
	if (select a.currency from core.account a where a.id = new.account_id)
	<> (select d.currency from core.rate_deck d
		where d.id = new.rate_deck_id) then
		raise exception
			'rate deck % is not in the currency of account %',
			new.rate_deck_id, new.account_id
			using errcode = 'check_violation',
			constraint = 'trunk_rate_deck_currency';
	end if;
	return new;
end
$$;
create trigger trunk_currency before insert or update
	of account_id, rate_deck_id on core.trunk
	for each row execute function core.trunk_currency();

create function core.carrier_currency() returns trigger language plpgsql as
$$
begin
	if new.currency <> (select d.currency from core.rate_deck d
		where d.id = new.rate_deck_id) then
		raise exception
			'rate deck % is not in the currency of carrier %',
			new.rate_deck_id, new.id
			using errcode = 'check_violation',
			constraint = 'carrier_rate_deck_currency';
	end if;
	return new;
end
$$;
create trigger carrier_deck_currency before insert or update
	of currency, rate_deck_id on core.carrier
	for each row execute function core.carrier_currency();

create table core.rate (
	deck_id text not null references core.rate_deck on delete cascade,
	prefix text not null check (prefix ~ '^[0-9]{1,15}$'),
	destination text not null default ''
		check (octet_length(destination) <= 47),
	rate_per_min_nano bigint not null check (rate_per_min_nano >= 0),
	connect_fee_micro bigint not null default 0
		check (connect_fee_micro >= 0),
	first_ms integer not null default 1000
		check (first_ms between 1 and 86400000),
	next_ms integer not null default 1000
		check (next_ms between 1 and 86400000),
	effective_from timestamptz not null default now()
		check (isfinite(effective_from)),
	effective_to timestamptz check (isfinite(effective_to)),
	is_blocked boolean not null default false,
	primary key (deck_id, prefix, effective_from),
	constraint rate_span check (effective_to > effective_from)
);

-- 300 000 rates in one statement are one change of their deck. The update of
-- the deck also makes writers of one deck wait for each other, so that the
-- check for overlap sees every committed rate. It is a trigger because an
-- exclusion constraint took 37 s for those 300 000 rows.
create function core.rate_moved(decks text[]) returns void
	language sql security definer
	set search_path = pg_catalog, pg_temp as
$$
	update core.rate_deck set rate_version = rate_version + 1
		where id = any (decks)
$$;

create function core.rate_deleted() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	perform core.rate_moved(array(select distinct deck_id from before));
	return null;
end
$$;

create function core.rate_written() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	twice text;
begin
	perform core.rate_moved(array(select distinct deck_id from after));
	select r.prefix into twice from after a join core.rate r
		on r.deck_id = a.deck_id and r.prefix = a.prefix
		and r.effective_from <> a.effective_from
		and tstzrange(r.effective_from, r.effective_to)
			&& tstzrange(a.effective_from, a.effective_to)
		limit 1;
	if twice is not null then
		raise exception 'two rates of prefix % overlap in time', twice
			using errcode = 'exclusion_violation',
			constraint = 'rate_no_overlap';
	end if;
	return null;
end
$$;

create function core.rate_deck_fixed() returns trigger language plpgsql as
$$
begin
	raise exception 'a rate cannot move to another deck'
		using errcode = 'check_violation',
		constraint = 'rate_deck_fixed';
end
$$;

create trigger rate_deck_fixed before update of deck_id on core.rate
	for each row when (old.deck_id <> new.deck_id)
	execute function core.rate_deck_fixed();
create trigger rate_inserted after insert on core.rate
	referencing new table as after
	for each statement execute function core.rate_written();
create trigger rate_updated after update on core.rate
	referencing new table as after
	for each statement execute function core.rate_written();
create trigger rate_deleted after delete on core.rate
	referencing old table as before
	for each statement execute function core.rate_deleted();

create table core.ledger_posting (
	id bigint generated always as identity primary key,
	account_id text not null,
	kind text not null check (kind
		in ('usage', 'payment', 'adjustment', 'refund')),
	amount_micro bigint not null check (amount_micro <> 0),
	balance_after_micro bigint not null,
	currency core.currency,
	call_id uuid,
	attempt integer,
	note text check (length(note) <= 255),
	created_at timestamptz not null default now(),
	foreign key (account_id, currency)
		references core.account (id, currency),
	check ((call_id is null) = (attempt is null)),
	constraint ledger_posting_sign check (case kind
		when 'usage' then amount_micro < 0 and call_id is not null
		when 'payment' then amount_micro > 0
		when 'refund' then amount_micro > 0
		else true end)
);
create unique index ledger_posting_once on core.ledger_posting
	(call_id, attempt, kind) where call_id is not null;
create index ledger_posting_account on core.ledger_posting (account_id, id);
create trigger ledger_posting_fixed before update or delete
	on core.ledger_posting
	for each row execute function core.refuse('posting');
create trigger ledger_posting_kept before truncate on core.ledger_posting
	for each statement execute function core.refuse('posting');

-- An account is born empty; money comes by posting.
create function core.account_born() returns trigger language plpgsql as
$$
begin
	if (new.balance_micro, new.leased_micro, new.overspent_micro)
		<> (0, 0, 0) then
		raise exception 'account % must begin with nothing', new.id
			using errcode = 'check_violation',
			constraint = 'account_born_empty';
	end if;
	return new;
end
$$;
create trigger account_born before insert on core.account
	for each row execute function core.account_born();

create type core.posting_item as (
	account_id text, kind text, amount_micro bigint, note text,
	call_id uuid, attempt integer);

-- The only writer of a balance. All items in one step per account; usage is
-- never refused (the call has happened): what no lease and no balance covers
-- is shown as overspent until it is paid.
create function core.post_all(items core.posting_item[])
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
			case when s.is_usage then 9223372036854775807
				else a.overspent_micro end,
			greatest(0, a.leased_micro - a.balance_micro
				- s.amount - a.credit_limit_micro))
	from (select i.account_id, sum(i.amount_micro)::bigint as amount,
			bool_and(i.kind = 'usage') as is_usage
		from unnest(items) i group by i.account_id) s
	where a.id = s.account_id;
end
$$;

-- One posting; a payment, an adjustment or a refund.
create function core.post(account_id text, kind text, amount_micro bigint,
	note text default null, call_id uuid default null,
	attempt integer default null)
	returns core.ledger_posting
	language sql security definer
	set search_path = pg_catalog, pg_temp as
$$
	select * from core.post_all(array[row(account_id, kind, amount_micro,
		note, call_id, attempt)::core.posting_item])
$$;

-- Money a node may spend before it reports. One row per start (epoch) of a
-- node, so that what an earlier start left can be told apart.
-- account.leased_micro is the sum of granted - settled.
create table core.lease (
	account_id text not null references core.account,
	node text not null check (length(node) between 1 and 63),
	epoch bigint not null check (epoch >= 0),
	granted_micro bigint not null check (granted_micro >= 0),
	settled_micro bigint not null default 0,
	expires_at timestamptz not null,
	primary key (account_id, node, epoch),
	check (settled_micro between 0 and granted_micro)
);
create index lease_node on core.lease (node, epoch);
