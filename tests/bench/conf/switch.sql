-- The same things that kamailio.sql provisions, as the switch reads them:
-- a customer by source address, one with 10,000 users by digest, 10,000
-- prefixes over two gateways, each with its own rate.
\set ON_ERROR_STOP on
begin;
create function pg_temp.id(kind text, n integer) returns text
	language sql as
$$ select kind || '_' || lpad(n::text, 26, '0') $$;

insert into core.tenant (id, name, currency)
	values (pg_temp.id('ten', 1), 'bench', 'EUR');
insert into core.account (id, tenant_id, name, type, currency)
	values (pg_temp.id('acc', 1), pg_temp.id('ten', 1), 'bench',
		'prepaid', 'EUR');
select core.post(pg_temp.id('acc', 1), 'payment', 1000000000000);

insert into core.rate_deck (id, name, currency) values
	(pg_temp.id('dck', 1), 'sell', 'EUR'),
	(pg_temp.id('dck', 2), 'buy', 'EUR');
insert into core.rate (deck_id, prefix, rate_per_min_nano, effective_from)
	select pg_temp.id('dck', 1), '49' || lpad(i::text, 4, '0'),
		10000000 + i, '2026-01-01Z'
	from generate_series(0, 9999) i;
insert into core.rate (deck_id, prefix, rate_per_min_nano, effective_from)
	values (pg_temp.id('dck', 2), '49', 5000000, '2026-01-01Z');

insert into core.realm (name, algorithms)
	values ('127.0.0.1', array['MD5']);
insert into core.trunk (id, tenant_id, account_id, rate_deck_id, name,
	channels_total, cps, cli_policy, default_cli, realm, number_in,
	international, premium)
	select pg_temp.id('trk', n), pg_temp.id('ten', 1),
		pg_temp.id('acc', 1), pg_temp.id('dck', 1), 'trunk ' || n,
		20000, null, 'default', '+493012345', '127.0.0.1',
		'[{"prefix": "49", "add": "+"}]', 'allowed', 'allowed'
	from generate_series(1, 2) n;
-- the first ids are those of the gateways' own addresses
insert into core.source_address (id, trunk_id, cidr)
	values (pg_temp.id('adr', 99), pg_temp.id('trk', 1), '127.0.0.2/32');
insert into core.source_address (id, trunk_id, cidr)
	select pg_temp.id('adr', i + 100), pg_temp.id('trk', 1),
		('10.' || i / 256 || '.' || i % 256 || '.1/32')::cidr
	from generate_series(0, 999) i;
insert into core.trunk_credential (id, trunk_id, realm, username, ha1_md5)
	select pg_temp.id('cre', i), pg_temp.id('trk', 2), '127.0.0.1',
		name, md5(name || ':127.0.0.1:pw')
	from (select i, 'u' || lpad(i::text, 5, '0') as name
		from generate_series(0, 9999) i) u;

insert into core.carrier (id, name, currency, rate_deck_id)
	values (pg_temp.id('car', 1), 'carrier', 'EUR', pg_temp.id('dck', 2));
insert into core.gateway (id, carrier_id, name, address, port) values
	(pg_temp.id('gwy', 1), pg_temp.id('car', 1), 'first', '127.0.0.1',
		:carrier_port),
	(pg_temp.id('gwy', 2), pg_temp.id('car', 1), 'second', '127.0.0.1',
		:second_port);
insert into core.route (id, prefix, name)
	select pg_temp.id('rte', i), '49' || lpad(i::text, 4, '0'),
		'route ' || i
	from generate_series(0, 9999) i;
insert into core.route (id, prefix, name)
	values (pg_temp.id('rte', 10000), '', 'rest');
insert into core.route_target (route_id, gateway_id, priority)
	select r.id, pg_temp.id('gwy', n), n
	from core.route r, generate_series(1, 2) n;
commit;

create role bench_switch login in role strowger_switch;
analyze;
