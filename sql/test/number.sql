-- The numbering plan; numbers, ranges and their parts.
begin;
select no_plan();
\ir fixture/world.sql
grant all on all tables in schema pg_temp to public;

select ok(count(*) > 500, 'a plan comes with the installation')
	from core.numbering;
select is_empty($$ select * from core.numbering n where n.prefix = '' $$);
select ok(exists (select from core.numbering n where n.country = c),
	'country ' || c)
from unnest(array['DE', 'AT', 'CH', 'GB', 'FR', 'US', 'CA', 'JM', 'KZ', 'RU',
	'NR', 'TK', 'ZW', 'VA', 'XK']) c;
select results_eq($$ select network, type, min_len, max_len
	from core.numbering where prefix = '4915' $$,
	$$ values ('Germany', 'mobile', 12, 13) $$, 'mobile');
select throws_ok($$ insert into core.numbering (prefix, network, min_len,
	max_len) values ('999', 'X', 9, 8) $$, '23514');
select throws_ok($$ insert into core.numbering (prefix, network)
	values ('0', 'X') $$, '23514');
select is(jsonb_array_length(api_v1.object('numbering', 'e164') -> 'rows'),
	(select count(*)::integer from core.numbering), 'as one object');
select ok(api_v1.object('numbering', 'x') is null, 'and no other');

-- numbers and ranges
create function pg_temp.id(kind text, n text) returns text
	language sql as $$ select kind || '_' || lpad(n, 26, '0') $$;
create function pg_temp.range(n text, first text, last text) returns void
	language sql as
$$
	insert into core.did (id, e164, e164_last, tenant_id, trunk_id)
	select pg_temp.id('did', n), first, last, t.tenant_id, t.id
	from core.trunk t order by t.id limit 1
$$;
select lives_ok($$ select pg_temp.range('r1', '+49891000', '+49891999') $$);
select lives_ok($$ select pg_temp.range('s1', '+49891500', null) $$,
	'a number of its own stands inside');
select throws_ok($$ select pg_temp.range('s2', '+49891500', null) $$,
	'23505');
select throws_ok($$ select pg_temp.range('r2', '+49891999', '+49892000') $$,
	'23P01', null, 'ranges do not overlap');
select lives_ok($$ select pg_temp.range('r3', '+49892000', '+49892009') $$);
select lives_ok($$ select pg_temp.range('r4', '+498910000', '+498910009') $$,
	'longer numbers are others');
select throws_ok($$ select pg_temp.range('r5', '+49893000', '+498930001') $$,
	'23514', null, 'of one length');
select throws_ok($$ select pg_temp.range('r6', '+49893001', '+49893000') $$,
	'23514', null, 'upwards');
select throws_ok($$ update core.did set in_service_from = now(),
	in_service_to = now() where e164 = '+49891500' $$, '23514');

-- parts
create function pg_temp.split(first text, last text, n text) returns text
	language sql as
$$
	select core.did_split(pg_temp.id('did', 'r1'), first, last,
		t.tenant_id, t.id, array[pg_temp.id('did', n || 'p'),
		pg_temp.id('did', n || 'q')])
	from core.trunk t order by t.id limit 1
$$;
select throws_ok($$ select pg_temp.split('+49890999', '+49891001', 'a') $$,
	'23514', null, 'not inside');
select throws_ok($$ select pg_temp.split('+49891002', '+49891001', 'a') $$,
	'23514', null, 'backwards');
select is(pg_temp.split('+49891100', '+49891199', 'b'),
	pg_temp.id('did', 'bp'), 'from the middle');
select results_eq($$ select id, e164::text, e164_last::text from core.did
	where e164_last like '+49891%' and length(e164) = 9 order by e164 $$,
	$$ values (pg_temp.id('did', 'r1'), '+49891000', '+49891099'),
	(pg_temp.id('did', 'bp'), '+49891100', '+49891199'),
	(pg_temp.id('did', 'bq'), '+49891200', '+49891999') $$);
select is(pg_temp.split('+49891000', '+49891000', 'c'),
	pg_temp.id('did', 'cp'), 'the first one');
select is(pg_temp.split('+49891002', '+49891099', 'd'),
	pg_temp.id('did', 'dp'), 'all but one');
select results_eq($$ select id, e164::text, e164_last::text from core.did
	where e164 < '+49891100' and e164 > '+4989'
	and length(e164) = 9 order by e164 $$,
	$$ values (pg_temp.id('did', 'cp'), '+49891000', null),
	(pg_temp.id('did', 'r1'), '+49891001', null),
	(pg_temp.id('did', 'dp'), '+49891002', '+49891099') $$);
select is(pg_temp.split('+49891001', '+49891001', 'e'),
	pg_temp.id('did', 'r1'), 'the whole is the row itself');

update core.did set in_service_from = '2026-11-22T10:31:00Z'
	where id = pg_temp.id('did', 'r1');
select is(api_v1.object('did', pg_temp.id('did', 'r1')) -> 'from_ms',
	'1795343460000'::jsonb, 'milliseconds for the switch');

-- lists of a routing plan
insert into core.number_list (id, name, kind, subject)
values (pg_temp.id('nls', '1'), 'no premium', 'deny', 'called');
select lives_ok($$ insert into core.routing_plan (id, name, number_lists)
	values (pg_temp.id('pln', 'l'), 'p', array[pg_temp.id('nls', '1')]) $$);
select throws_ok($$ update core.routing_plan
	set number_lists = array[pg_temp.id('nls', '2')]
	where id = pg_temp.id('pln', 'l') $$, '23503', 'no such number list');
select throws_ok($$ update core.routing_plan
	set number_lists = array[pg_temp.id('nls', '1'), pg_temp.id('nls', '1')]
	where id = pg_temp.id('pln', 'l') $$, '23514', null, 'a list once');
select throws_ok($$ delete from core.number_list
	where id = pg_temp.id('nls', '1') $$, '23503', null, 'it is in use');
select is(api_v1.object('routing_plan', pg_temp.id('pln', 'l'))
	-> 'number_lists', jsonb_build_array(pg_temp.id('nls', '1')),
	'for the switch');
update core.routing_plan set number_lists = '{}'
	where id = pg_temp.id('pln', 'l');
select lives_ok($$ delete from core.number_list
	where id = pg_temp.id('nls', '1') $$, 'no longer');

-- rules for names
select ok(core.is_name_rules(r), r::text) from unnest(array['[]', '[{}]',
	'[{"when": "number", "action": "remove"}]',
	'[{"prefix": "+49", "action": "text", "text": "Acme", "max": 15,
		"before": "a", "after": "b", "charset": "ascii"}]']::jsonb[]) r;
select ok(not core.is_name_rules(r), r::text) from unnest(array['{}', '[1]',
	'[{"x": 1}]', '[{"when": "never"}]', '[{"action": 1}]', '[{"max": 0}]',
	'[{"max": 64}]', '[{"max": "9"}]', '[{"max": null}]',
	'[{"prefix": "49"}]', '[{"action": "text"}]', '[{"text": "x"}]',
	'[{"action": "remove", "after": "x"}]', '[{"before": "a\nb"}]',
	'[{"after": "012345678901234567890123456789012345678901234567"}]',
	'[{"charset": "latin1"}]']::jsonb[]) r;
select ok(core.is_rule_use(jsonb_build_array(jsonb_build_object(
	'direction', 'in', 'subject', 'name', 'rule_set_id',
	pg_temp.id('nrs', '1')))), 'a peer uses them');

select * from finish();
rollback;
