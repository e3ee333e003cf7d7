-- Who may do what. The switch calls functions of api_v1 and nothing else.
begin;
select no_plan();
\ir fixture/world.sql
grant all on all tables in schema pg_temp to public;

select has_role('strowger_switch');
select has_role('strowger_api');
select is_empty($$ select n.nspname, c.relname, p.privilege
	from pg_class c join pg_namespace n on n.oid = c.relnamespace,
		unnest(array['select', 'insert', 'update', 'delete',
		'truncate', 'references', 'trigger']) p (privilege)
	where n.nspname in ('core', 'cdr', 'billing') and c.relkind in ('r', 'p', 'v')
		and has_table_privilege('strowger_switch', c.oid, p.privilege)
		and not (c.relname in ('staging', 'record', 'charge',
			'decision') and p.privilege = 'insert') $$,
	'the switch touches no table, but adds records');
select set_eq($$ select p.proname::text from pg_proc p
	join pg_namespace n on n.oid = p.pronamespace
	where n.nspname in ('core', 'cdr', 'api_v1', 'billing')
	and has_function_privilege('strowger_switch', p.oid, 'execute') $$,
	$$ values ('feed'), ('changes'), ('deck_rates'), ('deck_rates_terms'), ('node_hello'),
	('node_applied'), ('node_claim'), ('lease_take'), ('lease_return'),
	('lease_keep'), ('lease_close_epochs'), ('load_cdrs'),
	('load_begin'), ('load_calls'), ('load_dead_letter'),
	('journal_position'), ('spent'), ('spent_so_far'), ('events_put') $$,
	'and these functions');
select is_empty($$ select n.nspname || '.' || p.proname from pg_proc p
	join pg_namespace n on n.oid = p.pronamespace
	where n.nspname in ('core', 'cdr', 'api_v1', 'billing')
	and exists (select from aclexplode(coalesce(p.proacl,
		acldefault('f', p.proowner))) a where a.grantee = 0) $$,
	'nothing is open to everybody');
select is_empty($$ select n.nspname || '.' || p.proname from pg_proc p
	join pg_namespace n on n.oid = p.pronamespace
	where n.nspname in ('core', 'cdr', 'api_v1', 'billing') and p.prosecdef
	and not coalesce(p.proconfig::text like '%search_path=pg_catalog, pg_temp%',
		false) $$, 'whoever runs as the owner has a fixed search_path');
select is_empty($$ select c.relname, p.privilege
	from pg_class c join pg_namespace n on n.oid = c.relnamespace,
		unnest(array['update', 'delete', 'truncate']) p (privilege)
	where n.nspname in ('core', 'cdr')
		and c.relname in ('ledger_posting', 'audit', 'change', 'lease',
			'record', 'charge', 'decision',
			'journal_position', 'state',
			'feed', 'migration')
		and has_table_privilege('strowger_api', c.oid, p.privilege) $$,
	'the API rewrites no history');
select ok(not has_column_privilege('strowger_api', 'core.account', c,
	'update') and not has_column_privilege('strowger_api', 'core.account',
	c, 'insert'), 'nor ' || c)
from unnest(array['balance_micro', 'leased_micro', 'overspent_micro']) c;
select ok(not has_table_privilege('strowger_api', 'core.ledger_posting',
	'insert'), 'nor posts but by core.post');
select ok(not has_function_privilege('strowger_api',
	'core.post_all(core.posting_item[])', 'execute'), 'one at a time');

-- the switch at work
set local role strowger_switch;
select count(*) > 0 from api_v1.changes(0, 10);
select api_v1.node_hello('n1', 42, '0.1.0') is not null;
select api_v1.node_applied('n1', 17) is not null;
insert into cdr.staging (started_at, call_id, attempt)
	values (now(), gen_random_uuid(), 0);
select records = 1 from api_v1.load_cdrs('n1', 1, 1);
select api_v1.load_begin() is not null;
insert into cdr.record (started_at, call_id, attempt)
	values (now(), gen_random_uuid(), 0);
select charges = 0 from api_v1.load_calls('n1', 1, 2, 2, 0, '{}', '{}');
reset role;
select results_eq($$ select name, boot, version, applied_version
	from core.node $$, $$ values ('n1', 42::bigint, '0.1.0',
	17::bigint) $$, 'a node is known');
set local role strowger_switch;
select api_v1.node_hello('n1', 43, '0.1.1') is not null;
reset role;
select results_eq($$ select boot, version, applied_version from core.node $$,
	$$ values (43::bigint, '0.1.1', 17::bigint) $$, 'a new start');

-- and not at work
create function pg_temp.denied(who text, statement text) returns text
	language plpgsql as
$$
declare
	code text := 'none';
begin
	execute format('set local role %I', who);
	begin
		execute statement;
	exception when others then
		code := sqlstate;
	end;
	reset role;
	return is(code, '42501', who || ': ' || statement);
end
$$;
select pg_temp.denied('strowger_switch', s) from unnest(array[
	'select * from core.trunk_credential', 'select * from cdr.record',
	'select * from cdr.staging', 'select * from cdr.charge',
	'delete from cdr.record', 'update cdr.charge set amount_micro = 0',
	'select * from cdr.dead_letter', 'select core.post(''a'', ''payment'', 1)',
	'update core.account set status = ''active''',
	'select api_v1.object(''tenant'', ''x'')']) s;
select pg_temp.denied('strowger_api', s) from unnest(array[
	'update core.account set balance_micro = 1',
	'insert into core.ledger_posting (account_id) values (''x'')',
	'delete from core.ledger_posting', 'delete from core.audit',
	'update core.lease set granted_micro = 1',
	'select api_v1.lease_take(''a'', ''n'', 1, 1, 1)',
	'select api_v1.load_cdrs(''n'', 1, 1)',
	'insert into cdr.staging (attempt) values (0)']) s;

-- the API at work
set local role strowger_api;
insert into core.tenant (id, name, currency)
	values ('ten_' || repeat('9', 26), 'T', 'EUR');
insert into core.account (id, tenant_id, name, type, currency)
	values ('acc_' || repeat('9', 26), 'ten_' || repeat('9', 26), 'A',
	'prepaid', 'EUR');
update core.account set name = 'B' where id = 'acc_' || repeat('9', 26);
select balance_after_micro = 5 from core.post('acc_' || repeat('9', 26),
	'payment', 5);
insert into core.rate_deck (id, name, currency)
	values ('dck_' || repeat('9', 26), 'D', 'EUR');
insert into core.rate (deck_id, prefix, rate_per_min_nano)
	values ('dck_' || repeat('9', 26), '49', 1);
insert into core.audit (method, path, kind) values ('POST', '/', 'x');
set constraints all immediate;
select count(*) >= 0 from core.node, core.change, core.state, cdr.record,
	cdr.charge, cdr.decision, core.lease, core.ledger_posting;
delete from core.rate_deck where id = 'dck_' || repeat('9', 26);
reset role;
select pass('the API can do its work');

select * from finish();
rollback;
