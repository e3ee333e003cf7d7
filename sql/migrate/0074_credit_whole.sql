-- What goes back is what was taken: credit notes together are never more than
-- their invoice, neither by taxes that are rounded on each nor by lines without
-- their discount, and what is paid back of a charge has the taxes that it had.

-- One row for each tax, and one for what has none. A tax of a credit note is what
-- it is of all that was given back so far, less what was given back of it before.
create or replace function billing.invoice_taxes(p_invoice text)
	returns table (name text, ppm bigint, base_micro bigint,
		tax_micro bigint)
	language sql stable
	set search_path = pg_catalog, pg_temp as
$$
	select t.name, t.ppm, (sum(l.amount_micro) filter (where o.is_own))
			::bigint,
		billing.rounded(sum(l.amount_micro) * t.ppm / 1000000.0,
			i.currency)
		- billing.rounded(coalesce(sum(l.amount_micro) filter (where
			not o.is_own), 0) * t.ppm / 1000000.0, i.currency)
	from billing.invoice i
	cross join lateral (
		select i.id, true as is_own
		union all
		select c.id, false from billing.invoice c
		where i.kind = 'credit_note' and c.refers_id = i.refers_id
			and c.status in ('issued', 'paid')
			and c.place < coalesce(i.place, 9223372036854775807)) o
	join billing.invoice_line l on l.invoice_id = o.id
	cross join lateral (
		select x->>0, (x->>1)::bigint
		from jsonb_array_elements(l.taxes) x
		union all select null, 0
		where jsonb_array_length(l.taxes) = 0) t (name, ppm)
	where i.id = p_invoice
	group by t.name, t.ppm, i.currency
	having count(*) filter (where o.is_own) > 0
	order by t.name nulls last, t.ppm
$$;

create or replace function billing.credit(p_invoice text, p_lines jsonb default null,
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
	-- lines without the discount that was let off them are more than was
	-- asked for
	if k.total_micro > i.total_micro - (select coalesce(sum(
			o.total_micro), 0) from billing.invoice o
			where o.refers_id = i.id and o.id <> k.id
			and o.status <> 'void') then
		perform billing.refuse('credit_total',
			'that is more than is left of the invoice');
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

-- An amount of the price list as net, taxes [[name, ppm, micro], ...] and what is
-- due. lines [[name, ppm, ...], ...].
create function billing.tax_split(p_is_included boolean, p_lines jsonb,
	p_amount bigint, out net_micro bigint, out taxes jsonb,
	out gross_micro bigint)
	language plpgsql immutable
	set search_path = pg_catalog, pg_temp as
$$
declare
	all_ppm numeric;
begin
	select coalesce(sum((l->>1)::numeric), 0) into all_ppm
		from jsonb_array_elements(p_lines) l;
	select coalesce(jsonb_agg(jsonb_build_array(l->>0, l->1,
		rating.round_div(p_amount * (l->>1)::numeric, 1000000
			+ case when p_is_included then all_ppm else 0 end,
			'half_up')::bigint) order by o), '[]') into taxes
		from jsonb_array_elements(p_lines) with ordinality y (l, o);
	select coalesce(sum((l->>2)::bigint), 0) into gross_micro
		from jsonb_array_elements(taxes) l;
	net_micro := p_amount - case when p_is_included then gross_micro
		else 0 end;
	gross_micro := net_micro + gross_micro;
end
$$;

create or replace function billing.taxed(p_account text, p_amount bigint,
	out net_micro bigint, out taxes jsonb, out gross_micro bigint)
	language sql stable
	set search_path = pg_catalog, pg_temp as
$$
	select s.* from billing.tax_lines(p_account) x
		cross join lateral billing.tax_split(x.is_included, x.lines,
			p_amount) s
$$;

drop function billing.charge_post(text, text, text, bigint, date, date, date,
	text, integer);
-- Ask an account for an amount; null: it is nothing. Whoever has other things
-- to sell (packages) calls this. p_like: a posting whose taxes these are, too.
create function billing.charge_post(p_account text, p_kind text,
	p_description text, p_amount bigint, p_from date, p_to date,
	p_bill_on date, p_item text default null, p_quantity integer default 1,
	p_like bigint default null)
	returns bigint language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	x record;
	posting bigint;
begin
	if p_like is null then
		select * into x from billing.taxed(p_account, p_amount);
	else
		select s.* into x from billing.posting b
			cross join lateral billing.tax_split(
				b.amount_micro <> b.net_micro, b.taxes,
				p_amount) s
			where b.posting_id = p_like;
	end if;
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
			- coalesce(s.micro, 0) as rest, s.last
		from billing.charge_months(p_account, p_today) m
		join billing.charge c on c.id = m.charge_id
		left join lateral (select sum(b.amount_micro)::bigint as micro,
				max(b.posting_id) as last
			from billing.posting b where b.item_id = m.charge_id
				and date_trunc('month', b.from_on)
					= date_trunc('month', m.month)) s
			on true
		where m.amount_micro <> coalesce(s.micro, 0)
		order by m.bill_on, m.charge_id
	loop
		if billing.charge_post(p_account, 'charge', due.name, due.rest,
			least(due.from_on, due.to_on), greatest(due.from_on,
			due.to_on), due.bill_on, due.charge_id, due.quantity,
			case when due.rest < 0 then due.last end)
			is not null then
			n := n + 1;
		end if;
	end loop;
	return n;
end
$$;

revoke all on function billing.tax_split(boolean, jsonb, bigint),
	billing.charge_post(text, text, text, bigint, date, date, date, text,
		integer, bigint) from public;
