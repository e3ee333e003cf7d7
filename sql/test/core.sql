-- Structure of schema core and what its tables refuse.
begin;
select no_plan();
\ir fixture/world.sql

-- what every provisioned table has
create temp table provisioned as select unnest(array['tenant', 'account',
	'trunk', 'site', 'trunk_credential', 'source_address', 'carrier',
	'gateway',
	'did', 'route', 'rate_deck', 'api_key']) as t;
select col_is_pk('core', t, 'id', t || ' is known by id') from provisioned;
select col_type_is('core', t, 'row_version', 'bigint', t || '.row_version')
	from provisioned;
select col_not_null('core', t, 'row_version', t || '.row_version not null')
	from provisioned;
select col_type_is('core', t, c, 'timestamp with time zone', t || '.' || c)
	from provisioned, unnest(array['created_at', 'updated_at']) c;
select col_is_pk('core', 'realm', 'name', 'a realm is known by name');
select index_is_unique('core', 'route_target', 'route_target_once',
	'a gateway is once in a route');
select col_is_pk('core', 'rate', array['deck_id', 'prefix', 'effective_from'],
	'a rate is known by deck, prefix and beginning');

-- money is an exact integer with its unit in the name
select is_empty($$ select table_name, column_name
	from information_schema.columns
	where table_schema in ('core', 'cdr')
		and data_type in ('numeric', 'real', 'double precision') $$,
	'no column is a fraction');
select is_empty($$ select table_name, column_name
	from information_schema.columns
	where table_schema in ('core', 'cdr')
		and column_name ~ '(balance|credit|leased|amount|fee|price|cost)'
		and data_type <> 'bigint' and column_name ~ '_(micro|nano)$' $$,
	'money is bigint');

-- ids
select throws_ok(format('insert into core.tenant (id, name, currency) '
	'values (%L, %L, %L)', bad, 'x', 'EUR'), '23514', null,
	'tenant id ' || bad)
from unnest(array['ten_1', 'acc_' || repeat('0', 26), 'ten_' || repeat('0', 27),
	'ten_' || repeat('A', 26), '']) bad;
select ok(not core.is_id(prefix || '_' || repeat('0', 25), prefix)
	and core.is_id(prefix || '_' || repeat('z', 26), prefix), prefix)
from unnest(array['ten', 'acc', 'trk', 'cre', 'adr', 'car', 'gwy', 'did',
	'rte', 'dck', 'key', 'sit']) prefix;

-- tenant
select throws_ok($$ insert into core.tenant (id, name, currency)
	values (pg_temp.id('ten', 9), '', 'EUR') $$, '23514');
select throws_ok($$ insert into core.tenant (id, name, currency)
	values (pg_temp.id('ten', 9), 'x', 'eur') $$, '23514');
select throws_ok($$ insert into core.tenant (id, name, currency, status)
	values (pg_temp.id('ten', 9), 'x', 'EUR', 'gone') $$, '23514');
update core.tenant set external_id = 'crm-1' where id = pg_temp.id('ten', 1);
select throws_ok($$ update core.tenant set external_id = 'crm-1'
	where id = pg_temp.id('ten', 2) $$, '23505');
select throws_ok($$ delete from core.tenant
	where id = pg_temp.id('ten', 1) $$, '23503', null,
	'a tenant in use stays');

-- subscriber
insert into core.subscriber (id, tenant_id, legal_name, street, city, country)
	values (pg_temp.id('sbr', 1), pg_temp.id('ten', 1), 'A', 'Weg 1', 'Bonn',
		'DE');
select throws_ok($$ update core.subscriber set is_verified = true $$,
	'23514', null, 'verified by somebody');
update core.subscriber set is_verified = true, verified_by = 'M';
select ok(verified_at is not null, 'then it has its moment')
	from core.subscriber;
update core.subscriber set contact_name = 'B';
select ok(is_verified, 'a contact is not what was verified')
	from core.subscriber;
update core.subscriber set street = 'Weg 2';
select results_eq($$ select is_verified, verified_at is null, verified_by
	from core.subscriber $$, $$ values (false, true, null::core.personal) $$,
	'an address is');
select throws_ok($$ update core.trunk set subscriber_id =
	pg_temp.id('sbr', 1) where tenant_id <> pg_temp.id('ten', 1) $$,
	'23503', null, 'another tenant''s trunk has it not')
	from core.trunk where tenant_id <> pg_temp.id('ten', 1) limit 1;

-- calling window
insert into core.schedule (id, name) values (pg_temp.id('sch', 7), 'day');
select throws_ok($$ insert into core.calling_window (id, name, tenant_id,
	trunk_id, schedule_id) values (pg_temp.id('cwn', 1), 'two',
	pg_temp.id('ten', 1), pg_temp.id('trk', 1), pg_temp.id('sch', 7)) $$,
	'23514', null, 'a calling window is of one scope');
insert into core.calling_window (id, name, trunk_id, schedule_id)
	values (pg_temp.id('cwn', 1), 'one', pg_temp.id('trk', 1),
		pg_temp.id('sch', 7));
set constraints all immediate;
select is((select count(*)::int from core.change where kind = 'calling_window'
	and id = pg_temp.id('cwn', 1)), 1, 'the switch hears of it');
set constraints all deferred;
select throws_ok($$ delete from core.schedule
	where id = pg_temp.id('sch', 7) $$, '23503', null,
	'a schedule that a window needs stays');

-- site
insert into core.site (id, trunk_id, name) values
	(pg_temp.id('sit', 1), pg_temp.id('trk', 1), 'Hamburg'),
	(pg_temp.id('sit', 2), pg_temp.id('trk', 2), 'Hamburg');
select throws_ok($$ insert into core.site (id, trunk_id, name) values
	(pg_temp.id('sit', 3), pg_temp.id('trk', 1), 'Hamburg') $$, '23505',
	null, 'a trunk has one site of a name');
select throws_ok($$ update core.source_address
	set site_id = pg_temp.id('sit', 2)
	where id = pg_temp.id('adr', 101) $$, '23503', null,
	'an address is at a site of its own trunk');
select throws_ok($$ update core.source_address
	set site_id = pg_temp.id('sit', 1) where gateway_id is not null $$,
	'23514', null, 'a gateway is at none');
select throws_ok($$ update core.trunk_credential
	set site_id = pg_temp.id('sit', 2) $$, '23503', null,
	'nor is a user at a site of another trunk');
select throws_ok($$ update core.did set site_id = pg_temp.id('sit', 2) $$,
	'23503', null, 'nor a number');
update core.source_address set site_id = pg_temp.id('sit', 1)
	where id = pg_temp.id('adr', 101);
select throws_ok($$ delete from core.site where id = pg_temp.id('sit', 1) $$,
	'23503', null, 'a site in use stays');

-- row_version is the ETag
select is(row_version, 2::bigint, 'an edit is a new version')
	from core.tenant where id = pg_temp.id('ten', 1);
update core.tenant set row_version = 77, created_at = 'epoch'
	where id = pg_temp.id('ten', 1);
select is(row_version, 3::bigint, 'and nobody chooses it')
	from core.tenant where id = pg_temp.id('ten', 1);
select isnt(created_at, 'epoch'::timestamptz, 'nor when it was created')
	from core.tenant where id = pg_temp.id('ten', 1);

-- account
select throws_ok($$ insert into core.account (id, tenant_id, name, type,
	currency, balance_micro) values (pg_temp.id('acc', 9),
	pg_temp.id('ten', 1), 'x', 'prepaid', 'EUR', 1) $$,
	'23514', null, 'an account is born empty');
select throws_ok($$ insert into core.account (id, tenant_id, name, type,
	currency) values (pg_temp.id('acc', 9), pg_temp.id('ten', 1), 'x',
	'barter', 'EUR') $$, '23514');
select throws_ok($$ update core.account set credit_limit_micro = -1 $$,
	'23514');
select throws_ok($$ update core.account set leased_micro = 1
	where id = pg_temp.id('acc', 1) $$, '23514', null,
	'no lease beyond balance and credit');
select lives_ok($$ update core.account set leased_micro = 50000000
	where id = pg_temp.id('acc', 2) $$, 'credit counts');
select is(row_version, 1::bigint, 'a lease is no edit')
	from core.account where id = pg_temp.id('acc', 2);
select throws_ok($$ update core.account set leased_micro = 50000001
	where id = pg_temp.id('acc', 2) $$, '23514', null, 'to its limit');
select throws_ok($$ update core.account set currency = 'USD'
	where id = pg_temp.id('acc', 1) $$, '23514', null, 'currency is fixed');

-- realm
select throws_ok(format('insert into core.realm (name, algorithms) '
	'values (%L, %L::text[])', 'x', bad), '23514', null, bad)
from unnest(array['{}', '{SHA-1}', '{MD5,MD5}', '{MD5,SHA-256,MD5}',
	'{MD5,SHA-256,SHA-512-256,MD5}']) bad;
select throws_ok($$ insert into core.realm (name) values ('a"b') $$, '23514');
select lives_ok($$ insert into core.realm (name, algorithms)
	values ('x', '{SHA-512-256,SHA-256,MD5}') $$);

-- trunk
select throws_ok($$ insert into core.trunk (id, tenant_id, account_id, name)
	values (pg_temp.id('trk', 9), pg_temp.id('ten', 1),
	pg_temp.id('acc', 2), 'x') $$, '23503', null,
	'account of another tenant');
select throws_ok(format('update core.trunk set %s where id = %L', change,
	pg_temp.id('trk', 1)), '23514', null, change)
from unnest(array['direction = ''up''', 'channels_in = -1', 'cps = -1',
	'cli_policy = ''any''', 'cli_policy = ''default''',
	'default_cli = ''030123456''', 'default_cli = ''+0301234''',
	'uri_host = ''192.0.2.0/24''', 'uri_port = 5060', 'max_call_s = 0',
	'number_in = ''{}''', 'number_in = ''[1]''',
	'number_in = ''[{"strip":-1}]''', 'number_in = ''[{"strip":"1"}]''',
	'number_in = ''[{"min":9,"max":8}]''',
	'number_in = ''[{"prefix":"a"}]''', 'number_in = ''[{"perfix":"0"}]''',
	'number_out = ''[{"add":"012345678901234567890123"}]''']) change;
select throws_ok($$ update core.trunk set number_in = (select
	jsonb_agg('{}'::jsonb) from generate_series(1, 17)) $$, '23514', null,
	'at most 16 rules');
select lives_ok($$ update core.trunk set number_in = '[{"prefix":"00",
	"min":8,"max":20,"strip":2,"add":"+"},{}]', uri_host = '192.0.2.9',
	uri_port = 5060, cli_policy = 'default', default_cli = '+4930123456'
	where id = pg_temp.id('trk', 1) $$);
select throws_ok($$ update core.trunk set realm = 'nowhere'
	where id = pg_temp.id('trk', 2) $$, '23503');

-- credentials
select throws_ok($$ update core.trunk set realm = 'two.example'
	where id = pg_temp.id('trk', 1) $$, '23503', null,
	'HA1s bind a trunk to its realm');
select throws_ok($$ insert into core.trunk_credential (id, trunk_id, realm,
	username, ha1_md5) values (pg_temp.id('cre', 9), pg_temp.id('trk', 1),
	'sip.example', 'pbx', repeat('b', 32)) $$, '23505', null,
	'one name in a realm');
select throws_ok($$ insert into core.trunk_credential (id, trunk_id, realm,
	username) values (pg_temp.id('cre', 9), pg_temp.id('trk', 1),
	'sip.example', 'x') $$, '23514', null, 'at least one HA1');
select throws_ok($$ update core.trunk_credential set ha1_sha256 = 'A' $$,
	'23514');
select throws_ok($$ update core.trunk_credential set username = 'a:b' $$,
	'23514', null, 'a colon would split the digest input');

-- source addresses
select results_eq($$ select id, cidr::text, port::integer
	from core.source_address where gateway_id is not null order by id $$,
	$$ values (pg_temp.id('adr', 1), '198.51.100.1/32', 5060),
		(pg_temp.id('adr', 2), '2001:db8::2/128', 5060) $$,
	'a gateway is known by its own address');
update core.gateway set port = 5062 where id = pg_temp.id('gwy', 1);
select is(port::integer, 5062, 'which follows it')
	from core.source_address where id = pg_temp.id('adr', 1);
select throws_ok($$ insert into core.source_address (id, trunk_id, cidr, port)
	values (pg_temp.id('adr', 9), pg_temp.id('trk', 2), '198.51.100.1/32',
	5062) $$, '23505', null, 'one owner of an address');
select throws_ok($$ insert into core.source_address (id, trunk_id, cidr)
	values (pg_temp.id('adr', 9), pg_temp.id('trk', 2), '192.0.2.0/24') $$,
	'23505', null, 'also without port');
select lives_ok($$ insert into core.source_address (id, trunk_id, cidr, port)
	values (pg_temp.id('adr', 9), pg_temp.id('trk', 2), '192.0.2.0/24',
	5099) $$, 'a port of its own is another address');
select throws_ok($$ insert into core.source_address (id, cidr)
	values (pg_temp.id('adr', 8), '203.0.113.0/24') $$, '23514');
select throws_ok($$ insert into core.source_address (id, trunk_id, gateway_id,
	cidr) values (pg_temp.id('adr', 8), pg_temp.id('trk', 1),
	pg_temp.id('gwy', 1), '203.0.113.0/24') $$, '23514');

-- gateway, carrier
select throws_ok(format('update core.gateway set %s where id = %L', change,
	pg_temp.id('gwy', 1)), '23514', null, change)
from unnest(array['address = ''198.51.100.0/24''', 'port = 0',
	'transport = ''sctp''', 'identity = ''rpid''', 'channels = -1',
	'username = ''u''', 'username = ''u'', realm = ''r''',
	'ha1_md5 = repeat(''a'', 32)', 'ping_s = -1', 'ping_down_after = 0',
	'no_response_ms = 100']) change;
select lives_ok($$ update core.gateway set username = 'u', realm = 'r',
	ha1_md5 = repeat('a', 32) where id = pg_temp.id('gwy', 1) $$);
select throws_ok($$ update core.carrier set rate_deck_id = pg_temp.id('dck', 1)
	where id = pg_temp.id('car', 2) $$, '23514', null,
	'a deck in the currency of the carrier');

-- DID
select throws_ok($$ insert into core.did (id, e164, tenant_id, trunk_id)
	values (pg_temp.id('did', 9), '+4930111222', pg_temp.id('ten', 2),
	pg_temp.id('trk', 2)) $$, '23505', null, 'a number has one owner');
select throws_ok($$ insert into core.did (id, e164, tenant_id, trunk_id)
	values (pg_temp.id('did', 9), '+4930111223', pg_temp.id('ten', 2),
	pg_temp.id('trk', 1)) $$, '23503', null, 'trunk of another tenant');
select throws_ok($$ insert into core.did (id, e164, tenant_id, trunk_id)
	values (pg_temp.id('did', 9), '030111', pg_temp.id('ten', 1),
	pg_temp.id('trk', 1)) $$, '23514');
select throws_ok($$ insert into core.did (id, e164, tenant_id, trunk_id)
	values (pg_temp.id('did', 9), null, pg_temp.id('ten', 1),
	pg_temp.id('trk', 1)) $$, '23502');

-- routes
select throws_ok($$ insert into core.route (id, prefix, name)
	values (pg_temp.id('rte', 9), '49', 'x') $$, '23505', null,
	'one route per prefix for all');
select lives_ok($$ insert into core.route (id, prefix, name, tenant_id)
	values (pg_temp.id('rte', 9), '49', 'x', pg_temp.id('ten', 1)) $$,
	'and one per tenant');
select throws_ok($$ insert into core.route (id, prefix, name, tenant_id)
	values (pg_temp.id('rte', 8), '49', 'x', pg_temp.id('ten', 1)) $$,
	'23505');
select throws_ok(format('insert into core.route (id, kind, prefix, name, '
	'tenant_id) values (%L, %L, %L, ''x'', %L)', pg_temp.id('rte', 8),
	kind, prefix, tenant), '23514', null, kind || ' ' || prefix)
from (values ('prefix', '+49', null), ('prefix', '049', null),
	('prefix', '1234567890123456', null), ('emergency', '', null),
	('emergency', '1', null), ('emergency', '112', pg_temp.id('ten', 1)),
	('other', '1', null)) v (kind, prefix, tenant);
select lives_ok($$ insert into core.route (id, kind, prefix, name) values
	(pg_temp.id('rte', 8), 'emergency', '112', 'x'),
	(pg_temp.id('rte', 7), 'prefix', '', 'x') $$);
select throws_ok($$ insert into core.route_target (route_id, gateway_id)
	values (pg_temp.id('rte', 1), pg_temp.id('gwy', 1)) $$, '23505');
select throws_ok($$ update core.route_target set weight = -1 $$, '23514');
select throws_ok($$ delete from core.gateway
	where id = pg_temp.id('gwy', 1) $$, '23503', null,
	'a gateway in a route stays');
select lives_ok($$ delete from core.route where id = pg_temp.id('rte', 1) $$);
select is_empty($$ select from core.route_target $$,
	'targets go with their route');

-- deleting a trunk takes what is only its own
delete from core.did;
delete from core.trunk where id = pg_temp.id('trk', 1);
select is_empty($$ select from core.trunk_credential $$);
select is_empty($$ select from core.source_address
	where trunk_id = pg_temp.id('trk', 1) $$);

-- api keys, audit
select throws_ok($$ insert into core.api_key (id, name, scopes, secret_sha256)
	values (pg_temp.id('key', 1), 'k', '{}', sha256('x')) $$, '23514');
select throws_ok($$ insert into core.api_key (id, name, scopes, secret_sha256)
	values (pg_temp.id('key', 1), 'k', '{a}', 'x') $$, '23514');
insert into core.api_key (id, name, scopes, secret_sha256)
	values (pg_temp.id('key', 1), 'k', '{a}', sha256('x'));
update core.api_key set last_used_at = now();
select is(row_version, 1::bigint, 'use of a key is no edit') from core.api_key;
insert into core.audit (method, path, kind) values ('POST', '/v1/x', 'x');
select throws_ok('update core.audit set path = ''/''', '23001');
select throws_ok('delete from core.audit', '23001');
select throws_ok('truncate core.audit', '23001');

select * from finish();
rollback;
