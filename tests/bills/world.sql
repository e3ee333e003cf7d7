-- Who sells and who buys in the month of tests/lib/month: two sellers, fifty-three
-- buyers in four currencies, charges of every kind, discounts. :copies > 1
-- makes as many tenants more of each, without calls.
set client_min_messages = warning;
create function pg_temp.id(prefix text, n bigint) returns text
	language sql immutable parallel safe as
$$ select prefix || '_' || lpad(n::text, 26, '0') $$;

insert into billing.seller (id, name, street, city, postcode, country, vat_id,
	registration, email, phone, iban, bic, footer, number_prefix) values
	(pg_temp.id('sel', 1), 'Strowger Telecom GmbH', 'Fernsprechgasse 1',
		'Berlin', '10115', 'DE', 'DE123456789',
		'HRB 123456 B, Amtsgericht Charlottenburg',
		'billing@strowger.example', '+49 30 1234567',
		'DE02120300000000202051', 'BYLADEM1001',
		'Please quote the invoice number with your payment.', 'R-'),
	(pg_temp.id('sel', 2), 'Strowger Telecom Ltd', '2 Exchange Lane',
		'London', 'EC1A 1AA', 'GB', 'GB123456789', null,
		'billing@strowger.example', '+44 20 7946 0000',
		'GB33BUKB20201555555555', 'BUKBGB22', null, 'UK/');
update core.tenant t set country = case t.currency when 'GBP' then 'GB'
	when 'USD' then 'US' else 'DE' end where t.country is null;

insert into core.tenant (id, name, currency, time_zone, tax_profile_id, country)
	select pg_temp.id('ten', c * 1000 + n), t.name || ' ' || c, t.currency,
		t.time_zone, t.tax_profile_id, t.country
	from generate_series(1, 50) n
	join core.tenant t on t.id = pg_temp.id('ten', n),
		generate_series(1, :copies - 1) c;
insert into core.account (id, tenant_id, name, type, currency)
	select pg_temp.id('acc', substr(t.id, 5)::bigint), t.id, 'Main',
		'postpaid', t.currency
	from core.tenant t where substr(t.id, 5)::bigint > 1000;

-- and three without calls: yen, nothing to pay, and more back than asked for
insert into core.tenant (id, name, currency, tax_profile_id, country)
	select pg_temp.id('ten', n), name, currency, pg_temp.id('tax', 1), 'DE'
	from (values (60, 'Kansai Trading', 'JPY'), (61, 'Lindner Stiftung',
		'EUR'), (62, 'Muehlen AG', 'EUR')) t (n, name, currency);
insert into core.account (id, tenant_id, name, type, currency)
	select pg_temp.id('acc', n), t.id, 'Main', 'postpaid', t.currency
	from generate_series(60, 62) n
	join core.tenant t on t.id = pg_temp.id('ten', n);

insert into billing.profile (id, account_id, seller_id, name, street, city,
	postcode, country, vat_id, buyer_reference, untaxed_category,
	untaxed_reason)
select pg_temp.id('bpr', a.n), a.id,
	pg_temp.id('sel', case a.currency when 'GBP' then 2 else 1 end),
	t.name, (a.n % 190 + 1) || case t.country when 'DE' then ' Hauptstrasse'
		else ' High Street' end, case t.country when 'DE' then 'Hamburg'
		when 'GB' then 'Leeds' else 'Boston' end,
	case t.country when 'DE' then '20095' when 'GB' then 'LS1 4DY'
		else '02108' end, t.country,
	case t.country when 'DE' then 'DE' || 100000000 + a.n end,
	'PO-' || 4000 + a.n,
	coalesce(why.category, 'Z'), why.reason
from (select a.*, substr(a.id, 5)::bigint as n from core.account a) a
join core.tenant t on t.id = a.tenant_id
-- those of whom no tax is taken: every reason that EN 16931 knows
left join (values (9, 'E', 'Exempt: article 132'), (19, 'AE',
	'Reverse charge'), (29, 'K', 'Supply within the Union'), (39, 'O',
	'Not subject to VAT'), (null, 'G', 'Services used outside the EU'))
	why (n, category, reason)
	on why.n = a.n or why.n is null and t.country = 'US';

insert into billing.charge (id, account_id, kind, name, amount_micro, quantity,
	every, paid, starts_on, ends_on)
select pg_temp.id('chg', n * 10 + c.k), pg_temp.id('acc', n), c.kind, c.name,
	c.amount, c.quantity + n % 7, c.every, c.paid, c.starts_on, c.ends_on
from (select substr(id, 5)::bigint as n from core.account) a,
	(values (1, 'trunk', 'SIP trunk', 9900000, 1, 'month', 'advance',
		date '2026-10-01', null::date),
	(2, 'channels', 'Voice channels', 2500000, 10, 'month', 'advance',
		'2026-10-12', null),
	(3, 'number', 'Numbers, block of 100', 15000000, 1, 'month', 'arrears',
		'2026-10-01', '2026-10-20'),
	(4, 'service', 'Setup', 49000000, 1, 'once', 'advance', '2026-10-12',
		null)) c (k, kind, name, amount, quantity, every, paid,
		starts_on, ends_on)
where c.k = 1 or n % 5 = c.k or n % 10 = 1;
insert into billing.discount (id, account_id, name, percent_micro, applies_to,
	minimum_micro, starts_on)
select pg_temp.id('dsc', n), pg_temp.id('acc', n), 'Framework contract',
	7500000, case n % 3 when 0 then 'all' when 1 then 'usage' else 'charges'
	end, 5000000, '2026-10-01'
from generate_series(1, 50, 4) n;
insert into billing.discount (id, account_id, name, percent_micro, applies_to,
	starts_on) values (pg_temp.id('dsc', 61), pg_temp.id('acc', 61),
	'Donation', 100000000, 'all', '2026-10-01');
select billing.charge_post(pg_temp.id('acc', 62), 'charge',
	'Returned equipment', -250000000, '2026-10-07', '2026-10-07',
	'2026-10-07') as posting \gset
