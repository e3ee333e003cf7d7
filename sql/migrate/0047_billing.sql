-- Money that is asked for beside calls: who sells, who buys, charges that recur
-- or come once, discounts. All of it reaches an account as postings of its
-- ledger; billing.posting says of each what it is for and which taxes it has,
-- as cdr.charge does of a call's.
create schema billing;

create domain billing.address_line as text
	check (octet_length(value) between 1 and 127);

alter table core.ledger_posting drop constraint ledger_posting_sign,
	drop constraint ledger_posting_kind_check;
alter table core.ledger_posting add constraint ledger_posting_kind_check
	check (kind in ('usage', 'credit', 'payment', 'adjustment', 'refund',
		'transfer', 'charge', 'discount', 'rounding', 'credit_note',
		'rerate_refund', 'rerate_charge')),
	add constraint ledger_posting_sign check (case kind
		when 'usage' then amount_micro < 0 and call_id is not null
		when 'credit' then amount_micro > 0 and call_id is not null
		when 'payment' then amount_micro > 0
		when 'refund' then amount_micro > 0
		when 'credit_note' then amount_micro > 0
		when 'rerate_refund' then call_id is not null
		when 'rerate_charge' then call_id is not null
		else true end);

-- A call is charged once, and rated again any number of times.
drop index core.ledger_posting_once;
create unique index ledger_posting_once on core.ledger_posting (call_id,
	attempt, kind, (case when kind in ('usage', 'credit') then 0 else id
	end)) where call_id is not null;
-- what is not of calls: few beside many
create index ledger_posting_other on core.ledger_posting (account_id, id)
	where call_id is null;

-- As in 0044; what is owed by contract is no more to be refused than a call
-- that has happened. What somebody asks for now may be.
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
			case when s.is_owed or a.balance_micro + s.amount
					+ a.credit_limit_micro >= 0
				then 9223372036854775807
				else a.overspent_micro end,
			greatest(0, a.leased_micro - a.balance_micro
				- s.amount - a.credit_limit_micro
				- a.overdraft_micro))
	from (select i.account_id, sum(i.amount_micro)::bigint as amount,
			bool_and(i.kind not in ('payment', 'adjustment',
				'refund', 'transfer')) as is_owed
		from unnest(items) i group by i.account_id) s
	where a.id = s.account_id;
end
$$;

-- Who sells: what stands at the head and foot of an invoice, and the numbers.
create table billing.seller (
	id text primary key check (core.is_id(id, 'sel')),
	name core.name,
	street billing.address_line,
	city billing.address_line not null,
	postcode text check (octet_length(postcode) between 1 and 16),
	country core.country not null,
	vat_id text check (vat_id ~ '^[A-Z]{2}[0-9A-Z+*]{2,13}$'),
	-- of the company's register, and of the tax office
	registration text check (octet_length(registration) between 1 and 63),
	tax_number text check (octet_length(tax_number) between 1 and 63),
	email text check (octet_length(email) between 3 and 127),
	phone text check (octet_length(phone) between 3 and 63),
	iban text check (iban ~ '^[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}$'),
	bic text check (bic ~ '^[A-Z]{6}[0-9A-Z]{2}([0-9A-Z]{3})?$'),
	footer text check (octet_length(footer) between 1 and 1023),
	payment_days integer not null default 14
		check (payment_days between 0 and 365),
	number_prefix text not null default 'INV-'
		check (number_prefix ~ '^[A-Za-z0-9/._-]{0,15}$'),
	-- taken under the lock of this row by whoever issues, in the same
	-- transaction: there is no gap and no number twice
	next_number bigint not null default 1 check (next_number > 0),
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now()
);
create trigger seller_touch before update on billing.seller
	for each row when (old.next_number = new.next_number)
	execute function core.touch();

-- Who buys: an account is invoiced when it has a profile.
create table billing.profile (
	id text primary key check (core.is_id(id, 'bpr')),
	account_id text not null unique references core.account,
	seller_id text not null references billing.seller,
	status core.status default 'active',
	name core.name,
	street billing.address_line,
	city billing.address_line not null,
	postcode text check (octet_length(postcode) between 1 and 16),
	country core.country not null,
	vat_id text check (vat_id ~ '^[A-Z]{2}[0-9A-Z+*]{2,13}$'),
	email text check (octet_length(email) between 3 and 127),
	-- EN 16931 BT-10 and BT-13
	buyer_reference text
		check (octet_length(buyer_reference) between 1 and 63),
	order_reference text
		check (octet_length(order_reference) between 1 and 63),
	-- null: the seller's
	payment_days integer check (payment_days between 0 and 365),
	-- why what has no tax has none (UNTDID 5305)
	untaxed_category text not null default 'Z' check (untaxed_category
		in ('Z', 'E', 'AE', 'G', 'K', 'O')),
	untaxed_reason text
		check (octet_length(untaxed_reason) between 1 and 255),
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint profile_untaxed_said check ((untaxed_category = 'Z')
		= (untaxed_reason is null))
);
create index profile_seller on billing.profile (seller_id);
create trigger profile_touch before update on billing.profile
	for each row execute function core.touch();

-- Per month, or once. The price never changes: another price is a charge that
-- ends and one that begins, each paid by its days.
create table billing.charge (
	id text primary key check (core.is_id(id, 'chg')),
	account_id text not null references core.account,
	kind text not null check (kind in ('trunk', 'channels', 'number',
		'service')),
	trunk_id text references core.trunk,
	did_id text references core.did,
	name core.name,
	-- of one; before taxes or with them, as the tax profile says
	amount_micro bigint not null
		check (amount_micro between 0 and 1000000000000),
	quantity integer not null default 1
		check (quantity between 1 and 1000000),
	every text not null default 'month' check (every in ('month', 'once')),
	paid text not null default 'advance'
		check (paid in ('advance', 'arrears')),
	is_prorated boolean not null default true,
	-- first and last day, of the tenant's time zone
	starts_on date not null check (starts_on
		between '2000-01-01' and '2100-01-01'),
	ends_on date,
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint charge_span check (ends_on >= starts_on - 1),
	constraint charge_once_open check (every = 'month' or ends_on is null)
);
create index charge_account on billing.charge (account_id);
create index charge_trunk on billing.charge (trunk_id);
create index charge_did on billing.charge (did_id);
create trigger charge_touch before update on billing.charge
	for each row execute function core.touch();

-- What a charge is for belongs to whom pays it.
create function billing.charge_of_tenant() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	if exists (select from core.account a where a.id = new.account_id
		and (exists (select from core.trunk k where k.id = new.trunk_id
			and k.tenant_id <> a.tenant_id)
		or exists (select from core.did d where d.id = new.did_id
			and d.tenant_id <> a.tenant_id))) then
		raise exception 'trunk or number of another tenant'
			using errcode = 'check_violation',
			constraint = 'charge_of_tenant';
	end if;
	return new;
end
$$;
create trigger charge_of_tenant before insert or update on billing.charge
	for each row execute function billing.charge_of_tenant();

-- What was posted has a reason: such a charge ends, it does not go.
create function billing.charge_needed() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	if exists (select from billing.posting p where p.item_id = old.id) then
		raise exception 'postings of charge % are there', old.id
			using errcode = 'foreign_key_violation',
			constraint = 'charge_posted';
	end if;
	return old;
end
$$;
create trigger charge_needed before delete on billing.charge
	for each row execute function billing.charge_needed();

-- A percentage of an invoice's usage, charges or both, when they come to so
-- much; in months that begin within its span.
create table billing.discount (
	id text primary key check (core.is_id(id, 'dsc')),
	account_id text not null references core.account,
	name core.name,
	-- 10^-6 of a percent, as core.tax_profile has decimals
	percent_micro bigint not null
		check (percent_micro between 1 and 100000000),
	applies_to text not null default 'usage'
		check (applies_to in ('usage', 'charges', 'all')),
	minimum_micro bigint not null default 0
		check (minimum_micro between 0 and 1000000000000000),
	starts_on date not null check (starts_on
		between '2000-01-01' and '2100-01-01'),
	ends_on date,
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint discount_span check (ends_on >= starts_on - 1)
);
create index discount_account on billing.discount (account_id);
create trigger discount_touch before update on billing.discount
	for each row execute function core.touch();

-- What a posting that is no call is for. taxes [[name, ppm, micro], ...];
-- net and taxes count as the customer owes them.
create table billing.posting (
	posting_id bigint primary key,
	account_id text not null,
	kind text not null check (kind in ('charge', 'package', 'discount',
		'rounding')),
	item_id text,
	description text not null check (length(description) <= 255),
	quantity integer not null default 1,
	-- of the price list; net and taxes are on top of it or in it
	amount_micro bigint not null,
	net_micro bigint not null,
	taxes jsonb not null default '[]',
	-- the days that are paid for
	from_on date,
	to_on date,
	-- the invoice of the month that has this day has it
	bill_on date not null
);
create index posting_item on billing.posting (item_id, from_on)
	where item_id is not null;
create trigger posting_fixed before update or delete on billing.posting
	for each row execute function core.refuse('billing posting');
create trigger posting_kept before truncate on billing.posting
	for each statement execute function core.refuse('billing posting');

-- The taxes of an amount that is no call: those of the account's profile (else
-- its tenant's) that are due in the tenant's country.
create function billing.tax_lines(p_account text, out is_included boolean,
	out lines jsonb) language sql stable
	set search_path = pg_catalog, pg_temp as
$$
	select coalesce(x.is_included, false), coalesce((
		select jsonb_agg(jsonb_build_array(l->>'name',
			((l->>'percent')::numeric * 10000)::bigint) order by o)
		from jsonb_array_elements(x.lines) with ordinality y (l, o)
		where jsonb_array_length(coalesce(nullif(l->'countries',
				'null'), '[]')) = 0
			or l->'countries' ? t.country), '[]')
	from core.account a join core.tenant t on t.id = a.tenant_id
	left join core.tax_profile x
		on x.id = coalesce(a.tax_profile_id, t.tax_profile_id)
	where a.id = p_account
$$;

-- An amount of the price list as net, taxes and what is due.
create function billing.taxed(p_account text, p_amount bigint,
	out net_micro bigint, out taxes jsonb, out gross_micro bigint)
	language plpgsql stable
	set search_path = pg_catalog, pg_temp as
$$
declare
	x record;
	all_ppm numeric;
begin
	select * into x from billing.tax_lines(p_account);
	select coalesce(sum((l->>1)::numeric), 0) into all_ppm
		from jsonb_array_elements(x.lines) l;
	select coalesce(jsonb_agg(jsonb_build_array(l->>0, l->1,
		rating.round_div(p_amount * (l->>1)::numeric, 1000000
			+ case when x.is_included then all_ppm else 0 end,
			'half_up')::bigint) order by o), '[]') into taxes
		from jsonb_array_elements(x.lines) with ordinality y (l, o);
	select coalesce(sum((l->>2)::bigint), 0) into gross_micro
		from jsonb_array_elements(taxes) l;
	net_micro := p_amount - case when x.is_included then gross_micro
		else 0 end;
	gross_micro := net_micro + gross_micro;
end
$$;

-- Ask an account for an amount; null: it is nothing. Whoever has other things
-- to sell (packages) calls this.
create function billing.charge_post(p_account text, p_kind text,
	p_description text, p_amount bigint, p_from date, p_to date,
	p_bill_on date, p_item text default null, p_quantity integer default 1)
	returns bigint language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	x record;
	posting bigint;
begin
	select * into x from billing.taxed(p_account, p_amount);
	if x.gross_micro = 0 then
		return null;
	end if;
	select p.id into posting from core.post(p_account, 'charge',
		-x.gross_micro, p_description) p;
	insert into billing.posting (posting_id, account_id, kind, item_id,
			description, quantity, amount_micro, net_micro, taxes,
			from_on, to_on, bill_on)
		values (posting, p_account, p_kind, p_item, p_description,
			p_quantity, p_amount, x.net_micro, x.taxes, p_from,
			p_to, p_bill_on);
	return posting;
end
$$;

-- What each charge of an account comes to by month, of what has begun on a day
-- (in arrears: ended before it). Its amount by days: unit x quantity x days of
-- the month that are within its span / days of the month.
create function billing.charge_months(p_account text, p_today date)
	returns table (charge_id text, from_on date, to_on date, bill_on date,
		month date, amount_micro bigint)
	language sql stable
	set search_path = pg_catalog, pg_temp as
$$
	select c.id, c.starts_on, c.starts_on, c.starts_on, c.starts_on,
		c.amount_micro * c.quantity
	from billing.charge c where c.account_id = p_account
		and c.every = 'once' and c.starts_on <= p_today
	union all
	select c.id, d.f, d.l, case when c.paid = 'arrears' then d.l
			when c.starts_on < m.first then m.first - 1
			else d.f end, m.first,
		case when d.f > d.l then 0 when not c.is_prorated
			then c.amount_micro * c.quantity
		else rating.round_div(c.amount_micro::numeric * c.quantity
			* (d.l - d.f + 1), m.last - m.first + 1,
			'half_up')::bigint end
	from billing.charge c
	cross join lateral (select s::date as first, (s + interval '1 month'
			- interval '1 day')::date as last
		from generate_series(date_trunc('month', c.starts_on::timestamp),
			p_today, interval '1 month') s) m
	cross join lateral (select greatest(m.first, c.starts_on) as f,
		least(m.last, coalesce(c.ends_on, m.last)) as l) d
	where c.account_id = p_account and c.every = 'month'
		and case c.paid when 'advance' then d.f <= p_today
			else m.last < p_today or c.ends_on < p_today end
$$;

-- Post what is due of an account and not posted yet. What was posted of a month
-- and is no more (a charge that ended early) goes back. Any number of times.
create function billing.charges_post(p_account text, p_today date)
	returns bigint language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	due record;
	n bigint := 0;
begin
	perform 1 from core.account a where a.id = p_account for update;
	for due in
		select m.*, c.name, c.quantity, m.amount_micro
			- coalesce(s.micro, 0) as rest
		from billing.charge_months(p_account, p_today) m
		join billing.charge c on c.id = m.charge_id
		left join lateral (select sum(b.amount_micro)::bigint as micro
			from billing.posting b where b.item_id = m.charge_id and date_trunc('month',
				b.from_on) = date_trunc('month', m.month)) s
			on true
		where m.amount_micro <> coalesce(s.micro, 0)
		order by m.bill_on, m.charge_id
	loop
		if billing.charge_post(p_account, 'charge', due.name, due.rest,
			least(due.from_on, due.to_on), greatest(due.from_on,
			due.to_on), due.bill_on, due.charge_id, due.quantity)
			is not null then
			n := n + 1;
		end if;
	end loop;
	return n;
end
$$;

create function billing.today(p_account text, p_now timestamptz) returns date
	language sql stable
	set search_path = pg_catalog, pg_temp as
$$
	select (p_now at time zone t.time_zone)::date from core.account a
		join core.tenant t on t.id = a.tenant_id where a.id = p_account
$$;

revoke all on all functions in schema billing from public;
grant usage on schema billing to strowger_api;
grant select, delete on billing.seller, billing.profile, billing.charge,
	billing.discount to strowger_api;
grant insert (id, name, street, city, postcode, country, vat_id, registration,
	tax_number, email, phone, iban, bic, footer, payment_days,
	number_prefix), update (name, street, city, postcode, country, vat_id,
	registration, tax_number, email, phone, iban, bic, footer,
	payment_days, number_prefix, row_version, updated_at)
	on billing.seller to strowger_api;
grant insert, update on billing.profile, billing.discount to strowger_api;
grant insert, update (name, ends_on, row_version, updated_at)
	on billing.charge to strowger_api;
grant select on billing.posting to strowger_api;
grant execute on function billing.charges_post(text, date),
	billing.charge_months(text, date), billing.today(text, timestamptz)
	to strowger_api;
