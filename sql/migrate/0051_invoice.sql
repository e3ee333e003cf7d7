-- Invoices and credit notes. An invoice takes postings of one account's ledger
-- that no other has: each posting is on one document, so that all documents of
-- an account and what is not invoiced yet are its ledger, to the micro-unit.
-- Its lines are rounded to the currency's smallest amount, taxes are of the
-- sum of lines; what that differs from the postings is posted when it is
-- issued (kind rounding): total and ledger are equal.

-- A charge that was rated again: the newest revision counts. rerate_id says
-- which re-rating made it.
create table cdr.charge_revision (
	like cdr.charge,
	revision integer not null check (revision > 0),
	rerate_id text not null,
	primary key (call_id, attempt, side, revision)
);
create index charge_revision_rerate on cdr.charge_revision (rerate_id);
create trigger charge_revision_fixed before update or delete
	on cdr.charge_revision
	for each row execute function core.refuse('charge revision');
create trigger charge_revision_kept before truncate on cdr.charge_revision
	for each statement execute function core.refuse('charge revision');

do $$
begin
	execute (select format('create view cdr.charge_current as
		select %1$s from cdr.charge c where not exists (
			select from cdr.charge_revision r
			where r.call_id = c.call_id and r.attempt = c.attempt
				and r.side = c.side)
		union all
		select %1$s from cdr.charge_revision c where not exists (
			select from cdr.charge_revision n
			where n.call_id = c.call_id and n.attempt = c.attempt
				and n.side = c.side
				and n.revision > c.revision)',
		string_agg('c.' || quote_ident(a.attname), ', '
			order by a.attnum))
		from pg_attribute a where a.attrelid = 'cdr.charge'::regclass
			and a.attnum > 0 and not a.attisdropped);
end
$$;

create table billing.invoice (
	id text primary key check (core.is_id(id, 'inv')),
	kind text not null check (kind in ('invoice', 'credit_note')),
	status text not null default 'draft'
		check (status in ('draft', 'issued', 'paid', 'void')),
	seller_id text not null references billing.seller,
	account_id text not null references core.account,
	tenant_id text not null references core.tenant,
	-- gap-free for each seller, both kinds in one sequence
	number bigint,
	name text,
	refers_id text references billing.invoice,
	period_from date not null,
	period_to date not null,
	currency core.currency,
	net_micro bigint not null default 0,
	tax_micro bigint not null default 0,
	total_micro bigint not null default 0,
	-- the account's ledger before and after it
	opening_micro bigint,
	closing_micro bigint,
	-- order of the account's documents; all postings up to covered_id are
	-- on one of them
	place bigint,
	covered_id bigint,
	issued_on date,
	issued_at timestamptz,
	due_on date,
	paid_at timestamptz,
	voided_at timestamptz,
	note text check (octet_length(note) between 1 and 1023),
	-- as it was issued, with names and addresses of then
	document jsonb,
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint invoice_number unique (seller_id, number),
	constraint invoice_whole check (status = 'draft'
		or num_nulls(number, name, opening_micro, closing_micro, place,
			covered_id, issued_on, issued_at, document) = 0),
	constraint invoice_sum check (total_micro = net_micro + tax_micro),
	constraint invoice_refers check ((kind = 'credit_note')
		= (refers_id is not null))
);
create unique index invoice_month on billing.invoice (account_id, period_from)
	where kind = 'invoice' and status <> 'void';
create unique index invoice_one_draft on billing.invoice (account_id)
	where status = 'draft';
create index invoice_place on billing.invoice (account_id, place);
create index invoice_tenant on billing.invoice (tenant_id);
create index invoice_refers on billing.invoice (refers_id);
create sequence billing.invoice_place_seq;

create table billing.invoice_line (
	invoice_id text not null references billing.invoice on delete cascade,
	n integer not null,
	kind text not null check (kind in ('usage', 'charge', 'package',
		'discount')),
	description text not null,
	item_id text,
	calls bigint,
	billed_ms bigint,
	rate_per_min_nano bigint,
	quantity integer,
	from_on date,
	to_on date,
	-- exact, and as it is asked for
	net_micro bigint not null,
	amount_micro bigint not null,
	taxes jsonb not null,
	-- of a credit note: the line of the invoice
	refers_n integer,
	primary key (invoice_id, n)
);

create table billing.invoice_posting (
	posting_id bigint not null,
	invoice_id text not null references billing.invoice on delete cascade,
	started_at timestamptz,
	-- by a void invoice: the next one takes it
	is_released boolean not null default false,
	primary key (posting_id, invoice_id)
);
create unique index invoice_posting_once on billing.invoice_posting (posting_id)
	where not is_released;
create index invoice_posting_invoice on billing.invoice_posting (invoice_id);

-- What is issued stays as it is. It may become paid, open again (a payment that
-- was taken back) and void.
create function billing.invoice_fixed() returns trigger language plpgsql as
$$
declare
	moves text[] := array['status', 'paid_at', 'voided_at', 'row_version',
		'updated_at'];
begin
	if tg_op = 'UPDATE' and old.status = 'draft' then
		return new;
	elsif tg_op = 'DELETE' and old.status = 'draft' then
		return old;
	elsif tg_op = 'UPDATE' and to_jsonb(new) - moves = to_jsonb(old) - moves
		and (old.status, new.status) in (('issued', 'issued'),
			('issued', 'paid'), ('paid', 'issued'),
			('paid', 'paid'), ('issued', 'void')) then
		return new;
	end if;
	raise exception 'invoice % is issued', old.id
		using errcode = 'restrict_violation',
		constraint = 'invoice_fixed';
end
$$;
create trigger a_invoice_fixed before update or delete on billing.invoice
	for each row execute function billing.invoice_fixed();
create trigger invoice_touch before update on billing.invoice
	for each row execute function core.touch();

-- Lines and postings of what is issued stay; a void invoice lets go of its
-- postings, and gets those that take back what it posted.
create function billing.invoice_part_fixed() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	was text;
begin
	select i.status into was from billing.invoice i
		where i.id = old.invoice_id;
	if coalesce(was, 'draft') <> 'draft' and (tg_op <> 'UPDATE'
		or tg_argv[0] <> 'posting' or was <> 'void'
		or to_jsonb(new) <> to_jsonb(old) || '{"is_released": true}')
	then
		raise exception 'that invoice is issued' using
			errcode = 'restrict_violation',
			constraint = 'invoice_fixed';
	end if;
	return case tg_op when 'DELETE' then old else new end;
end
$$;
create function billing.invoice_part_added() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	if exists (select from added a join billing.invoice i
		on i.id = a.invoice_id where i.status <> 'draft' and not
		(tg_argv[0] = 'posting' and i.status = 'void')) then
		raise exception 'that invoice is issued' using
			errcode = 'restrict_violation',
			constraint = 'invoice_fixed';
	end if;
	return null;
end
$$;
create trigger invoice_line_fixed before update or delete
	on billing.invoice_line
	for each row execute function billing.invoice_part_fixed('line');
create trigger invoice_line_added after insert on billing.invoice_line
	referencing new table as added for each statement
	execute function billing.invoice_part_added('line');
create trigger invoice_posting_fixed before update or delete
	on billing.invoice_posting
	for each row execute function billing.invoice_part_fixed('posting');
create trigger invoice_posting_added after insert on billing.invoice_posting
	referencing new table as added for each statement
	execute function billing.invoice_part_added('posting');
create trigger invoice_kept before truncate on billing.invoice
	for each statement execute function core.refuse('invoice');
create trigger invoice_line_kept before truncate on billing.invoice_line
	for each statement execute function core.refuse('invoice line');
create trigger invoice_posting_kept before truncate on billing.invoice_posting
	for each statement execute function core.refuse('invoice posting');

-- The smallest amount of a currency that is asked for; EN 16931 knows at most
-- two decimals.
create function billing.minor(currency text) returns bigint
	language sql immutable parallel safe as
$$
	select case when currency in ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY',
		'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF',
		'XPF') then 1000000 else 10000 end
$$;

create function billing.rounded(micro numeric, currency text) returns bigint
	language sql immutable parallel safe as
$$
	select (rating.round_div(micro, m, 'half_up') * m)::bigint
		from (select billing.minor(currency)::numeric as m) x
$$;

-- As people read it: at least two decimals.
create function billing.text(micro bigint) returns text
	language sql immutable parallel safe as
$$
	select case when scale(trim_scale(micro / 1000000.0)) > 2
		then trim_scale(micro / 1000000.0)::text
		else (micro / 1000000.0)::numeric(24, 2)::text end
$$;

create function billing.refuse(why text, says text) returns void
	language plpgsql as
$$
begin
	raise exception '%', says using errcode = 'check_violation',
		constraint = why;
end
$$;

-- One at a time makes documents of an account. Not the account's row: leases of
-- its calls would wait for that, and a month of calls takes seconds.
create function billing.lock(p_account text) returns void language sql as
$$
	select pg_advisory_xact_lock(hashtextextended('billing '
		|| p_account, 0))
$$;

create function billing.last_document(p_account text) returns billing.invoice
	language sql stable as
$$
	select i.* from billing.invoice i where i.account_id = p_account
		and i.status in ('issued', 'paid')
		order by i.place desc limit 1
$$;

-- Postings that are due in the invoice's month and on no document yet. When the
-- records of a call are gone (retention), it is of an earlier month.
create function billing.take_postings(i billing.invoice, to_at timestamptz)
	returns bigint language plpgsql
	set search_path = pg_catalog, pg_temp as
$$
declare
	last billing.invoice := billing.last_document(i.account_id);
	since timestamptz := coalesce(last.period_from::timestamptz
		- interval '40 days', '-infinity');
	n bigint;
begin
	insert into billing.invoice_posting (posting_id, invoice_id, started_at)
	select x.id, i.id, x.started_at from (
		select p.id, p.call_id, p.created_at, b.bill_on, coalesce(
			c.started_at, (select min(r.started_at)
				from cdr.record r where p.call_id is not null
				and c.call_id is null
				and r.call_id = p.call_id)) as started_at
		from core.ledger_posting p
		left join cdr.charge c on c.account_id = i.account_id
			and c.started_at >= since and c.side = 'sell'
			and c.call_id = p.call_id and c.attempt = p.attempt
		left join billing.posting b on b.posting_id = p.id
		where p.account_id = i.account_id
			and p.id > coalesce(last.covered_id, 0)
			and not exists (select from billing.invoice_posting o
				where o.posting_id = p.id
				and not o.is_released)) x
	where case when x.call_id is not null
			then coalesce(x.started_at, '-infinity') < to_at
		when x.bill_on is not null then x.bill_on <= i.period_to
		else x.created_at < to_at end;
	get diagnostics n = row_count;
	return n;
end
$$;

-- What calls and other postings come to, by destination, price and taxes.
create function billing.make_lines(i billing.invoice) returns void
	language plpgsql
	set client_min_messages = warning
	set search_path = pg_catalog, pg_temp as
$$
declare
	wrong bigint;
	d billing.discount;
begin
	create temp table if not exists billing_call (call_id uuid, attempt
		integer, posted bigint, amount bigint, net bigint,
		destination text, rate bigint, billed bigint, taxes jsonb)
		on commit drop;
	truncate pg_temp.billing_call;
	insert into pg_temp.billing_call
	select k.call_id, k.attempt, k.posted, c.amount_micro,
		coalesce(c.net_micro, c.amount_micro, k.posted),
		coalesce(nullif(c.destination, ''), '+' || c.prefix,
			'Calls of earlier months'), c.rate_per_min_nano,
		c.billed_ms, case when c.net_micro is null then '[]'
			else coalesce(c.price->'taxes', '[]') end
	from (select p.call_id, p.attempt, x.started_at,
			-sum(p.amount_micro)::bigint as posted
		from billing.invoice_posting x
		join core.ledger_posting p on p.id = x.posting_id
		where x.invoice_id = i.id and p.call_id is not null
		group by p.call_id, p.attempt, x.started_at) k
	left join cdr.charge_current c on c.started_at = k.started_at
		and c.call_id = k.call_id and c.attempt = k.attempt
		and c.side = 'sell' and c.account_id = i.account_id;
	select count(*) into wrong from pg_temp.billing_call
		where amount <> posted;
	if wrong > 0 then
		perform billing.refuse('invoice_of_ledger', format('the ledger '
			'has %s calls otherwise than their charges', wrong));
	end if;

	insert into billing.invoice_line (invoice_id, n, kind, description,
		item_id, calls, billed_ms, rate_per_min_nano, quantity, from_on,
		to_on, net_micro, amount_micro, taxes)
	select i.id, row_number() over (order by l.part, l.day, l.description,
			l.rate), l.kind, l.description, l.item_id, l.calls,
		l.billed, l.rate, l.quantity, l.from_on, l.to_on, l.net,
		billing.rounded(l.net, i.currency), l.taxes
	from (
		select 1 as part, b.kind, b.bill_on as day, b.description,
			b.item_id, null::bigint as calls, null::bigint as
			billed, null::bigint as rate, b.quantity, b.from_on,
			b.to_on, b.net_micro::numeric as net, (
			select coalesce(jsonb_agg(jsonb_build_array(t->0, t->1)
				order by o), '[]')
			from jsonb_array_elements(b.taxes)
				with ordinality y (t, o)) as taxes
		from billing.invoice_posting x
		join billing.posting b on b.posting_id = x.posting_id
		where x.invoice_id = i.id and b.kind in ('charge', 'package')
		union all
		select 2, 'usage', null, c.destination, null, count(*),
			sum(c.billed), c.rate, null, null, null, sum(c.net),
			c.taxes
		from pg_temp.billing_call c
		group by c.destination, c.rate, c.taxes) l;

	for d in select * from billing.discount a
			where a.account_id = i.account_id
			and i.period_from between a.starts_on
				and coalesce(a.ends_on, 'infinity')
			order by a.created_at, a.id loop
		insert into billing.invoice_line (invoice_id, n, kind,
			description, item_id, net_micro, amount_micro, taxes)
		select i.id, (select count(*) from billing.invoice_line o
				where o.invoice_id = i.id)
			+ row_number() over (order by l.taxes), 'discount',
			d.name, d.id, -l.part, -l.part, l.taxes
		from (select o.taxes, billing.rounded(sum(o.amount_micro)
				* d.percent_micro / 100000000.0, i.currency)
				as part, sum(sum(o.amount_micro)) over () as whole
			from billing.invoice_line o where o.invoice_id = i.id
				and case d.applies_to
				when 'usage' then o.kind = 'usage'
				when 'charges' then o.kind in ('charge', 'package')
				else o.kind <> 'discount' end
			group by o.taxes) l
		where l.part <> 0 and l.whole >= d.minimum_micro;
	end loop;
end
$$;

-- One row for each tax, and one for what has none.
create function billing.invoice_taxes(p_invoice text)
	returns table (name text, ppm bigint, base_micro bigint,
		tax_micro bigint)
	language sql stable
	set search_path = pg_catalog, pg_temp as
$$
	select t.name, t.ppm, sum(l.amount_micro)::bigint,
		billing.rounded(sum(l.amount_micro) * t.ppm / 1000000.0,
			i.currency)
	from billing.invoice i
	join billing.invoice_line l on l.invoice_id = i.id
	cross join lateral (
		select x->>0, (x->>1)::bigint
		from jsonb_array_elements(l.taxes) x
		union all select null, 0
		where jsonb_array_length(l.taxes) = 0) t (name, ppm)
	where i.id = p_invoice
	group by t.name, t.ppm, i.currency order by t.name nulls last, t.ppm
$$;

create function billing.add_up(p_invoice text) returns void
	language sql
	set search_path = pg_catalog, pg_temp as
$$
	update billing.invoice i set net_micro = s.net, tax_micro = s.tax,
		total_micro = s.net + s.tax
	from (select coalesce((select sum(l.amount_micro)
			from billing.invoice_line l
			where l.invoice_id = p_invoice), 0)::bigint as net,
		coalesce((select sum(t.tax_micro)
			from billing.invoice_taxes(p_invoice) t), 0)::bigint
			as tax) s
	where i.id = p_invoice
$$;

-- The month of an account as a draft; one that is there is made anew. Null:
-- there is nothing to ask for, or the month is issued.
create function billing.draft(p_account text, p_month date,
	p_now timestamptz default now()) returns text
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	i billing.invoice;
	p billing.profile;
	zone text;
	whose core.account;
	first date := date_trunc('month', p_month)::date;
	next date := (date_trunc('month', p_month) + interval '1 month')::date;
	to_at timestamptz;
begin
	perform billing.lock(p_account);
	select * into whose from core.account a where a.id = p_account;
	select t.time_zone into zone from core.tenant t
		where t.id = whose.tenant_id;
	select * into p from billing.profile b where b.account_id = p_account;
	if p.id is null then
		perform billing.refuse('invoice_profile',
			'the account has no billing profile');
	end if;
	to_at := next::timestamp at time zone zone;
	if to_at > p_now then
		perform billing.refuse('invoice_month_over',
			'the month is not over');
	end if;

	select * into i from billing.invoice d where d.account_id = p_account
		and d.kind = 'invoice' and d.period_from = first
		and d.status <> 'void';
	if i.status in ('issued', 'paid') then
		return null;
	elsif exists (select from billing.invoice d
		where d.account_id = p_account and d.status <> 'void'
			and d.kind = 'invoice' and d.period_from > first) then
		perform billing.refuse('invoice_in_order',
			'a later month has an invoice');
	elsif exists (select from billing.invoice d
		where d.account_id = p_account and d.status = 'draft'
			and d.period_from < first) then
		perform billing.refuse('invoice_in_order',
			'the draft of an earlier month comes first');
	end if;
	perform billing.charges_post(p_account, next);
	if i.id is null then
		insert into billing.invoice (id, kind, seller_id, account_id,
				tenant_id, period_from, period_to, currency)
			values (core.new_id('inv'), 'invoice', p.seller_id,
				p_account, whose.tenant_id, first, next - 1,
				whose.currency)
			returning * into i;
	else
		delete from billing.invoice_line l where l.invoice_id = i.id;
		delete from billing.invoice_posting x where x.invoice_id = i.id;
		update billing.invoice d set seller_id = p.seller_id
			where d.id = i.id returning * into i;
	end if;
	perform billing.take_postings(i, to_at);
	perform billing.make_lines(i);
	perform billing.add_up(i.id);
	if not exists (select from billing.invoice_line l
			where l.invoice_id = i.id) then
		delete from billing.invoice d where d.id = i.id;
		return null;
	end if;
	return i.id;
end
$$;

-- The whole of it, for whoever renders it.
create function billing.document(p_invoice text) returns jsonb
	language sql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
	select coalesce(i.document, jsonb_build_object(
	'kind', i.kind, 'number', i.name, 'status', i.status,
	'issued_on', i.issued_on, 'due_on', i.due_on, 'currency', i.currency,
	'period', jsonb_build_object('from', i.period_from, 'to', i.period_to),
	'note', i.note,
	'refers', (select jsonb_build_object('number', r.name,
		'issued_on', r.issued_on) from billing.invoice r
		where r.id = i.refers_id),
	'seller', to_jsonb(s) - array['row_version', 'created_at', 'updated_at',
		'next_number', 'number_prefix'],
	'buyer', to_jsonb(p) - array['row_version', 'created_at', 'updated_at',
		'status', 'seller_id'],
	'lines', coalesce((select jsonb_agg(jsonb_build_object('n', l.n,
			'kind', l.kind, 'description', l.description,
			'calls', l.calls, 'billed_ms', l.billed_ms,
			'rate_per_min', case when l.rate_per_min_nano is not null
				then (l.rate_per_min_nano / 1000000000.0)
				::numeric(20, 6)::text end,
			'quantity', l.quantity, 'from', l.from_on,
			'to', l.to_on, 'exact', billing.text(l.net_micro),
			'amount', billing.text(l.amount_micro),
			'taxes', (select coalesce(jsonb_agg(jsonb_build_object(
				'name', t->>0, 'percent', trim_scale(
				(t->>1)::numeric / 10000)::text) order by o),
				'[]') from jsonb_array_elements(l.taxes)
				with ordinality y (t, o)),
			'refers_n', l.refers_n) order by l.n)
		from billing.invoice_line l where l.invoice_id = i.id), '[]'),
	'taxes', coalesce((select jsonb_agg(jsonb_build_object('name', t.name,
			'percent', trim_scale(t.ppm::numeric / 10000)::text,
			'category', case when t.ppm > 0 then 'S'
				else p.untaxed_category end,
			'reason', case when t.ppm = 0
				then p.untaxed_reason end,
			'base', billing.text(t.base_micro),
			'amount', billing.text(t.tax_micro)))
		from billing.invoice_taxes(i.id) t), '[]'),
	'totals', jsonb_build_object('net', billing.text(i.net_micro),
		'tax', billing.text(i.tax_micro),
		'total', billing.text(i.total_micro)),
	'balance', (select jsonb_build_object(
		'opening', billing.text(b.opening),
		'payments', billing.text(b.payments),
		'corrections', billing.text(b.corrections),
		'charges', billing.text(b.charges),
		'closing', billing.text(b.opening + b.payments + b.corrections
			- b.charges))
		from (select coalesce(i.opening_micro,
				(billing.last_document(i.account_id))
				.closing_micro, 0) as opening,
			case i.kind when 'invoice' then i.total_micro
				else -i.total_micro end as charges,
			coalesce(sum(l.amount_micro) filter (where l.kind
				= 'payment'), 0)::bigint as payments,
			coalesce(sum(l.amount_micro) filter (where l.kind in
				('adjustment', 'refund', 'transfer')), 0)::bigint
				as corrections
		from billing.invoice_posting x
		join core.ledger_posting l on l.id = x.posting_id
		where x.invoice_id = i.id and not x.is_released) b)))
	from billing.invoice i
	join billing.seller s on s.id = i.seller_id
	left join billing.profile p on p.account_id = i.account_id
	where i.id = p_invoice
$$;

-- Which invoices of an account are open, by how much: the debt is of the newest
-- ones, as every payment is for the oldest. What is not invoiced yet is nobody's
-- debt.
create function billing.open_invoices(p_account text)
	returns table (invoice_id text, open_micro bigint)
	language sql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
	with debt as (select greatest(0, -coalesce((billing.last_document(
			p_account)).closing_micro, 0) - coalesce((
			select sum(p.amount_micro) from core.ledger_posting p
			where p.account_id = p_account and p.call_id is null
				and p.kind in ('payment', 'adjustment',
					'refund', 'transfer')
				and p.id > coalesce((billing.last_document(
					p_account)).covered_id, 0)
				and not exists (select
					from billing.invoice_posting x
					where x.posting_id = p.id
					and not x.is_released
					and exists (select from billing.invoice o
						where o.id = x.invoice_id
						and o.status <> 'draft'))), 0))
			as micro)
	select i.id, greatest(0, least(i.total_micro, debt.micro - coalesce(
		sum(greatest(0, i.total_micro)) over (order by i.place desc rows
			between unbounded preceding and 1 preceding), 0)))
		::bigint
	from billing.invoice i, debt
	where i.account_id = p_account and i.kind = 'invoice'
		and i.status in ('issued', 'paid')
$$;

create function billing.settle(p_account text) returns void
	language sql security definer
	set search_path = pg_catalog, pg_temp as
$$
	update billing.invoice i set
		status = case when o.open_micro = 0 then 'paid' else 'issued' end,
		paid_at = case when o.open_micro = 0 then now() end
	from billing.open_invoices(p_account) o where i.id = o.invoice_id
		and (i.status = 'paid') <> (o.open_micro = 0)
$$;

create function billing.money_came() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	if exists (select from billing.invoice i
			where i.account_id = new.account_id
			and i.status in ('issued', 'paid')) then
		perform billing.settle(new.account_id);
	end if;
	return null;
end
$$;
create trigger ledger_posting_money after insert on core.ledger_posting
	for each row when (new.kind in ('payment', 'adjustment', 'refund',
		'transfer'))
	execute function billing.money_came();

-- Number, place in the account's ledger, and the words of it. Only with the
-- account locked, and the seller's row after it.
create function billing.seal(p_invoice text, p_at timestamptz) returns void
	language plpgsql
	set search_path = pg_catalog, pg_temp as
$$
declare
	i billing.invoice;
	s billing.seller;
	last billing.invoice;
	day date;
	days integer;
	moved bigint;
	covered bigint;
begin
	select * into i from billing.invoice d where d.id = p_invoice;
	last := billing.last_document(i.account_id);
	day := billing.today(i.account_id, p_at);
	select b.payment_days into days from billing.profile b
		where b.account_id = i.account_id;
	update billing.seller k set next_number = k.next_number + 1
		where k.id = i.seller_id returning * into s;
	select coalesce(sum(p.amount_micro), 0) into moved
		from billing.invoice_posting x
		join core.ledger_posting p on p.id = x.posting_id
		where x.invoice_id = i.id and not x.is_released;
	select coalesce(min(p.id) - 1, (select max(a.id)
			from core.ledger_posting a
			where a.account_id = i.account_id), 0) into covered
		from core.ledger_posting p
		where p.account_id = i.account_id
			and p.id > coalesce(last.covered_id, 0)
			and not exists (select from billing.invoice_posting x
				where x.posting_id = p.id
				and not x.is_released);
	update billing.invoice d set number = s.next_number - 1,
		name = s.number_prefix || lpad((s.next_number - 1)::text, 6,
			'0'),
		opening_micro = coalesce(last.closing_micro, 0),
		closing_micro = coalesce(last.closing_micro, 0) + moved,
		place = nextval('billing.invoice_place_seq'),
		covered_id = covered, issued_on = day, issued_at = p_at,
		due_on = case when i.kind = 'invoice' then day
			+ coalesce(days, s.payment_days) end
		where d.id = i.id;
	-- the words last, with all of the above
	update billing.invoice d set status = 'issued',
		document = billing.document(d.id)
			|| '{"status": "issued"}'
		where d.id = i.id;
end
$$;

-- Issue a draft: discounts and what rounding took are posted, so that the
-- ledger moved by the total. Issued before: nothing happens.
create function billing.issue(p_invoice text, p_at timestamptz default now())
	returns text language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	i billing.invoice;
	l record;
	posting bigint;
	rest bigint;
begin
	perform billing.lock(d.account_id) from billing.invoice d
		where d.id = p_invoice;
	perform 1 from core.account a where a.id = (select d.account_id
		from billing.invoice d where d.id = p_invoice) for update;
	select * into i from billing.invoice d where d.id = p_invoice
		for update;
	if i.status in ('issued', 'paid') then
		return i.name;
	elsif i.status is distinct from 'draft' then
		perform billing.refuse('invoice_draft', 'it is no draft');
	end if;
	perform billing.add_up(i.id);
	select * into i from billing.invoice d where d.id = p_invoice;

	for l in select * from (
		select 'discount' as kind, d.n, d.item_id, d.description,
			d.amount_micro as net, (select coalesce(jsonb_agg(
				jsonb_build_array(t->0, t->1, billing.rounded(
				d.amount_micro * (t->>1)::numeric / 1000000,
				i.currency)) order by o), '[]')
				from jsonb_array_elements(d.taxes)
				with ordinality y (t, o)) as taxes
		from billing.invoice_line d
		where d.invoice_id = i.id and d.kind = 'discount'
		union all select 'rounding', 0, null, 'Rounding', null, '[]') v
		order by v.kind, v.n
	loop
		rest := l.net + (select coalesce(sum((t->>2)::bigint), 0)
			from jsonb_array_elements(l.taxes) t);
		if l.kind = 'rounding' then
			select i.total_micro + coalesce(sum(p.amount_micro), 0)
				into rest from billing.invoice_posting x
				join core.ledger_posting p on p.id = x.posting_id
				where x.invoice_id = i.id and p.kind not in
					('payment', 'adjustment', 'refund',
						'transfer');
			l.net := rest;
		end if;
		continue when rest = 0;
		select p.id into posting from core.post(i.account_id, l.kind,
			-rest, l.description) p;
		insert into billing.posting (posting_id, account_id, kind,
				item_id, description, amount_micro, net_micro,
				taxes, bill_on)
			values (posting, i.account_id, l.kind, l.item_id,
				l.description, l.net, l.net, l.taxes,
				i.period_to);
		insert into billing.invoice_posting (posting_id, invoice_id)
			values (posting, i.id);
	end loop;
	perform billing.seal(i.id, p_at);
	perform billing.settle(i.account_id);
	return (select d.name from billing.invoice d where d.id = i.id);
end
$$;

-- Take back the account's last document, before it is paid. The number stays
-- its; what rounding and discounts posted goes back.
create function billing.void(p_invoice text) returns void
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	i billing.invoice;
	p record;
	posting bigint;
begin
	perform billing.lock(d.account_id) from billing.invoice d
		where d.id = p_invoice;
	perform 1 from core.account a where a.id = (select d.account_id
		from billing.invoice d where d.id = p_invoice) for update;
	select * into i from billing.invoice d where d.id = p_invoice
		for update;
	if i.status = 'void' then
		return;
	elsif i.status is distinct from 'issued' or i.kind <> 'invoice' then
		perform billing.refuse('invoice_issued', 'only an invoice that '
			'is issued and not paid can be void: credit it');
	elsif i.id <> (billing.last_document(i.account_id)).id then
		perform billing.refuse('invoice_last',
			'a later document stands on it: credit it');
	end if;
	update billing.invoice d set status = 'void', voided_at = now()
		where d.id = i.id;
	for p in select l.id, l.kind, l.amount_micro, b.description
			from billing.invoice_posting x
			join core.ledger_posting l on l.id = x.posting_id
			join billing.posting b on b.posting_id = l.id
			where x.invoice_id = i.id
				and b.kind in ('discount', 'rounding') loop
		select l.id into posting from core.post(i.account_id, p.kind,
			-p.amount_micro, 'void: ' || p.description) l;
		insert into billing.invoice_posting (posting_id, invoice_id)
			values (posting, i.id);
	end loop;
	-- the others are free; these and what went back cancel out here
	update billing.invoice_posting x set is_released = true
		from core.ledger_posting l where x.invoice_id = i.id
		and l.id = x.posting_id
		and l.kind not in ('discount', 'rounding');
	perform billing.settle(i.account_id);
end
$$;

-- Give back lines of an invoice: all that is left of it, or [{"n", "amount"}].
-- One step of number, posting and document.
create function billing.credit(p_invoice text, p_lines jsonb default null,
	p_note text default null, p_at timestamptz default now())
	returns text language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	i billing.invoice;
	k billing.invoice;
	posting bigint;
begin
	perform billing.lock(d.account_id) from billing.invoice d
		where d.id = p_invoice;
	perform 1 from core.account a where a.id = (select d.account_id
		from billing.invoice d where d.id = p_invoice) for update;
	select * into i from billing.invoice d where d.id = p_invoice
		for update;
	if i.kind is distinct from 'invoice'
		or i.status not in ('issued', 'paid') then
		perform billing.refuse('invoice_issued',
			'only an invoice that is issued can be credited');
	end if;
	-- as a draft that nobody sees: the trigger lets its lines be made
	if exists (select from billing.invoice d where d.account_id
			= i.account_id and d.status = 'draft') then
		perform billing.refuse('invoice_in_order',
			'the account has a draft: issue or delete it first');
	end if;
	insert into billing.invoice (id, kind, seller_id, account_id, tenant_id,
			refers_id, period_from, period_to, currency, note)
		values (core.new_id('inv'), 'credit_note', i.seller_id,
			i.account_id, i.tenant_id, i.id, i.period_from,
			i.period_to, i.currency, p_note)
		returning * into k;
	insert into billing.invoice_line (invoice_id, n, kind, description,
		item_id, from_on, to_on, net_micro, amount_micro, taxes,
		refers_n)
	select k.id, row_number() over (order by l.n), l.kind, l.description,
		l.item_id, l.from_on, l.to_on, g.micro, g.micro, l.taxes, l.n
	from billing.invoice_line l
	cross join lateral (select l.amount_micro - coalesce(sum(
			o.amount_micro), 0)::bigint as micro
		from billing.invoice_line o join billing.invoice c
			on c.id = o.invoice_id and c.refers_id = i.id
			and c.status <> 'void' and c.id <> k.id
		where o.refers_n = l.n) rest
	cross join lateral (select case when p_lines is null then rest.micro
		else (select (x->>'amount_micro')::bigint
			from jsonb_array_elements(p_lines) x
			where (x->>'n')::integer = l.n) end as micro) g
	where l.invoice_id = i.id and g.micro <> 0
		and (g.micro between 0 and rest.micro
			or g.micro between rest.micro and 0);
	if p_lines is not null and (select count(*) from billing.invoice_line l
			where l.invoice_id = k.id)
			<> jsonb_array_length(p_lines)
		or exists (select from billing.invoice_line l
			where l.invoice_id = k.id and l.amount_micro
				<> billing.rounded(l.amount_micro, i.currency))
	then
		perform billing.refuse('credit_lines', 'lines of the invoice, '
			'once each, by at most what is left of them');
	end if;
	perform billing.add_up(k.id);
	select * into k from billing.invoice d where d.id = k.id;
	if k.total_micro <= 0 then
		perform billing.refuse('credit_positive',
			'there is nothing to give back');
	end if;
	select p.id into posting from core.post(i.account_id, 'credit_note',
		k.total_micro, coalesce(p_note, 'Credit note')) p;
	insert into billing.invoice_posting (posting_id, invoice_id)
		values (posting, k.id);
	perform billing.seal(k.id, p_at);
	perform billing.settle(i.account_id);
	return k.id;
end
$$;

create function billing.draft_delete(p_invoice text) returns void
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	delete from billing.invoice i where i.id = p_invoice;
end
$$;

-- One account of a run: any number of times, with the same result.
create function billing.run(p_account text, p_month date, p_issue boolean,
	p_now timestamptz default now(), out invoice_id text, out what text)
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	invoice_id := billing.draft(p_account, p_month, p_now);
	what := case when invoice_id is null then 'nothing'
		when p_issue then 'issued' else 'drafted' end;
	if what = 'issued' then
		perform billing.issue(invoice_id, p_now);
	elsif invoice_id is null then
		select i.id, 'issued before' into invoice_id, what
			from billing.invoice i where i.account_id = p_account
			and i.kind = 'invoice' and i.status in ('issued', 'paid')
			and i.period_from = date_trunc('month', p_month)::date;
		what := coalesce(what, 'nothing');
	end if;
end
$$;

-- The call records of an invoice, with the price that is on it.
create function billing.annex(p_invoice text)
	returns table (call_id uuid, started_at timestamptz, calling text,
		called text, destination text, duration_ms bigint,
		billed_ms bigint, rate_per_min text, net text, tax text,
		gross text)
	language sql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
	select k.call_id, k.started_at, r.calling, r.called, c.destination,
		r.duration_ms, c.billed_ms,
		(c.rate_per_min_nano / 1000000000.0)::numeric(20, 6)::text,
		rating.amount(coalesce(c.net_micro, k.posted)),
		rating.amount(k.posted - coalesce(c.net_micro, k.posted)),
		rating.amount(k.posted)
	from (select p.call_id, p.attempt, x.started_at,
			-sum(p.amount_micro)::bigint as posted
		from billing.invoice_posting x
		join core.ledger_posting p on p.id = x.posting_id
		where x.invoice_id = p_invoice and p.call_id is not null
		group by p.call_id, p.attempt, x.started_at) k
	left join cdr.record r on r.started_at = k.started_at
		and r.call_id = k.call_id and r.attempt = k.attempt
	left join cdr.charge_current c on c.started_at = k.started_at
		and c.call_id = k.call_id and c.attempt = k.attempt
		and c.side = 'sell'
	order by k.started_at, k.call_id
$$;

-- What stands in an account's ledger from a moment to another; calls by day of
-- the tenant's time zone.
create function billing.statement(p_account text, p_from timestamptz,
	p_to timestamptz)
	returns table (n bigint, day date, kind text, reference text,
		description text, calls bigint, debit_micro bigint,
		credit_micro bigint, balance_micro bigint)
	language sql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
	with zone as (select t.time_zone, a.balance_micro - coalesce((
			select sum(p.amount_micro) from core.ledger_posting p
			where p.account_id = a.id and p.created_at >= p_from),
			0)::bigint as opening
		from core.account a join core.tenant t on t.id = a.tenant_id
		where a.id = p_account),
	rows as (
		select (p.created_at at time zone z.time_zone)::date as day,
			p.kind, max(coalesce(i.name, s.reference))
				as reference,
			max(case when p.call_id is null then coalesce(
				b.description, p.note) end) as description,
			nullif(count(p.call_id), 0) as calls,
			sum(p.amount_micro)::bigint as micro, max(p.id) as last
		from zone z join core.ledger_posting p
			on p.account_id = p_account and p.created_at >= p_from
			and p.created_at < p_to
		left join core.posting_source s on s.posting_id = p.id
			and p.call_id is null
		left join billing.posting b on b.posting_id = p.id
			and p.call_id is null
		left join billing.invoice_posting x on x.posting_id = p.id
			and p.call_id is null and not x.is_released
		left join billing.invoice i on i.id = x.invoice_id
		group by 1, 2, case when p.call_id is null then p.id end)
	select row_number() over (order by r.day, r.last), r.day, r.kind,
		r.reference, r.description, r.calls, greatest(0, -r.micro),
		greatest(0, r.micro), (z.opening + sum(r.micro) over (
			order by r.day, r.last))::bigint
	from rows r, zone z
	union all
	select 0, (p_from at time zone z.time_zone)::date, 'opening', null,
		null, null, 0, 0, z.opening from zone z
	order by 1
$$;

-- Who owes how much since when.
create function billing.aging(p_today date default null)
	returns table (tenant_id text, account_id text, name text,
		currency text, balance_micro bigint, credit_limit_micro bigint,
		leased_micro bigint, open_micro bigint, not_due_micro bigint,
		days_30_micro bigint, days_60_micro bigint,
		days_90_micro bigint, older_micro bigint,
		last_payment_at timestamptz)
	language sql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
	select a.tenant_id, a.id, b.name, a.currency, a.balance_micro,
		a.credit_limit_micro, a.leased_micro,
		coalesce(sum(o.open_micro), 0)::bigint,
		coalesce(sum(o.open_micro) filter (where o.days <= 0), 0)::bigint,
		coalesce(sum(o.open_micro) filter (where o.days
			between 1 and 30), 0)::bigint,
		coalesce(sum(o.open_micro) filter (where o.days
			between 31 and 60), 0)::bigint,
		coalesce(sum(o.open_micro) filter (where o.days
			between 61 and 90), 0)::bigint,
		coalesce(sum(o.open_micro) filter (where o.days > 90), 0)::bigint,
		(select max(p.created_at) from core.ledger_posting p
			where p.account_id = a.id and p.call_id is null
			and p.kind = 'payment')
	from billing.profile b join core.account a on a.id = b.account_id
	left join lateral (select x.open_micro, coalesce(p_today,
			billing.today(a.id, now())) - i.due_on as days
		from billing.open_invoices(a.id) x
		join billing.invoice i on i.id = x.invoice_id) o on true
	group by a.id, b.name
	order by 8 desc, a.id
$$;

-- What must always be: an account whose documents and ledger differ.
create function billing.check_ledger()
	returns table (account_id text, invoice_id text, fault text)
	language sql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
	with sums as (
		select i.*, coalesce(sum(p.amount_micro), 0)::bigint as moved,
			coalesce(sum(p.amount_micro) filter (where p.kind in
				('payment', 'adjustment', 'refund', 'transfer')),
				0)::bigint as others
		from billing.invoice i
		left join billing.invoice_posting x on x.invoice_id = i.id
			and not x.is_released
		left join core.ledger_posting p on p.id = x.posting_id
		where i.status <> 'draft' group by i.id)
	select s.account_id, s.id, 'total is not what was posted'
	from sums s where s.status <> 'void' and s.moved - s.others <>
		case s.kind when 'invoice' then -s.total_micro
			else s.total_micro end
	union all
	select s.account_id, s.id, 'void, but it moved money'
	from sums s where s.status = 'void' and s.moved <> 0
	union all
	select s.account_id, s.id, 'opening and closing balance'
	from (select s.*, lag(s.closing_micro, 1, 0::bigint) over (
			partition by s.account_id order by s.place) as before
		from sums s where s.status <> 'void') s
	where s.opening_micro <> s.before
		or s.closing_micro <> s.opening_micro + s.moved
	union all
	select a.id, null, 'documents and the rest are not the ledger'
	from core.account a join billing.profile b on b.account_id = a.id
	where a.balance_micro <> coalesce((billing.last_document(a.id))
			.closing_micro, 0) + coalesce((
		select sum(p.amount_micro) from core.ledger_posting p
		where p.account_id = a.id and not exists (
			select from billing.invoice_posting x
			join billing.invoice i on i.id = x.invoice_id
				and i.status <> 'draft'
			where x.posting_id = p.id and not x.is_released)), 0)
	union all
	select null, k.id, 'a number is missing or there twice'
	from billing.seller k where k.next_number - 1 <> (
		select count(*) from billing.invoice i
		where i.seller_id = k.id and i.number between 1
			and k.next_number - 1)
$$;

-- As in the migration before, under the lock of documents instead of the row's.
create or replace function billing.charges_post(p_account text, p_today date)
	returns bigint language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	due record;
	n bigint := 0;
begin
	perform billing.lock(p_account);
	for due in
		select m.*, c.name, c.quantity, m.amount_micro
			- coalesce(s.micro, 0) as rest
		from billing.charge_months(p_account, p_today) m
		join billing.charge c on c.id = m.charge_id
		left join lateral (select sum(b.amount_micro)::bigint as micro
			from billing.posting b where b.item_id = m.charge_id
				and date_trunc('month', b.from_on)
					= date_trunc('month', m.month)) s
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

revoke all on all functions in schema billing from public;
grant select on billing.invoice, billing.invoice_line,
	billing.invoice_posting, cdr.charge_revision, cdr.charge_current
	to strowger_api;
grant execute on function billing.charges_post(text, date),
	billing.charge_months(text, date), billing.today(text, timestamptz),
	billing.draft(text, date, timestamptz),
	billing.issue(text, timestamptz), billing.void(text),
	billing.credit(text, jsonb, text, timestamptz),
	billing.draft_delete(text),
	billing.run(text, date, boolean, timestamptz),
	billing.document(text), billing.annex(text),
	billing.open_invoices(text),
	billing.statement(text, timestamptz, timestamptz),
	billing.aging(date), billing.check_ledger() to strowger_api;
