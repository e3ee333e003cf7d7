-- Events: batches of the switch, and what the database notes by itself.
begin;
select no_plan();
\ir fixture/world.sql

set local role strowger_switch;
select is(api_v1.events_put(jsonb_build_array(
	jsonb_build_object('id', '01890a5d-ac96-774b-bcce-b302099a8057',
		'kind', 'call.started', 'at', '2026-11-22T10:31:00.123Z',
		'node', 'n1', 'tenant_id', 'ten_x', 'object_id', null,
		'call_id', '01890a5d-ac96-774b-bcce-b302099a8058',
		'data', '{"calling": "+4930123450"}'::jsonb),
	jsonb_build_object('id', '01890a5d-ac97-774b-bcce-b302099a8057',
		'kind', 'carrier.down', 'at', '2026-11-22T10:31:01Z'))), 2::bigint,
	'a batch is kept');
select is(api_v1.events_put('[{"kind": "call.started",
	"id": "01890a5d-ac96-774b-bcce-b302099a8057",
	"at": "2026-11-22T10:31:00Z"}, {"kind": "call.ended",
	"id": "01890a5d-ac98-774b-bcce-b302099a8057",
	"at": "2026-11-22T10:31:00Z"}]'), 1::bigint,
	'what comes again is kept once');
select throws_ok($$ select api_v1.events_put('[{"kind": "Bad kind",
	"id": "01890a5d-ac99-774b-bcce-b302099a8057",
	"at": "2026-11-22T10:31:00Z"}]') $$, '23514');
reset role;
select results_eq($$ select kind, at, node, tenant_id, call_id::text,
	data ->> 'calling' from core.event order by id limit 1 $$,
	$$ values ('call.started', '2026-11-22T10:31:00.123Z'::timestamptz,
	'n1', 'ten_x', '01890a5d-ac96-774b-bcce-b302099a8058',
	'+4930123450') $$);
delete from core.event;

select matches(core.uuid7()::text, '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-'
	'[89ab][0-9a-f]{3}-[0-9a-f]{12}$', 'a version 7 UUID');
select ok(abs(('x' || translate(left(core.uuid7()::text, 13), '-', ''))
	::bit(48)::bigint - extract(epoch from clock_timestamp()) * 1000)
	< 5000, 'of now');

-- balance.low once for each crossing
insert into core.tenant (id, name, currency)
	values ('ten_' || repeat('e', 26), 'E', 'EUR');
insert into core.account (id, tenant_id, name, type, currency,
	low_balance_micro) values ('acc_' || repeat('e', 26),
	'ten_' || repeat('e', 26), 'E', 'prepaid', 'EUR', 10000000);
select is_empty('select 1 from core.event', 'a new account tells nothing');
select core.post('acc_' || repeat('e', 26), 'payment', 20000000);
select results_eq($$ select kind, data ->> 'balance' from core.event $$,
	$$ values ('balance.ok', '20.000000') $$, 'above');
select core.post('acc_' || repeat('e', 26), 'adjustment', -5000000);
select core.post('acc_' || repeat('e', 26), 'adjustment', -5500000);
select core.post('acc_' || repeat('e', 26), 'adjustment', -500000);
select results_eq($$ select kind, tenant_id, object_id, data from core.event
	where kind = 'balance.low' $$, $$ values ('balance.low',
	'ten_' || repeat('e', 26), 'acc_' || repeat('e', 26),
	'{"balance": "9.500000", "currency": "EUR",
	"threshold": "10.000000"}'::jsonb) $$, 'below: told once');
update core.account set low_balance_micro = 1000000
	where id = 'acc_' || repeat('e', 26);
select is(count(*), 2::bigint, 'a lower threshold clears it')
	from core.event where kind = 'balance.ok';

-- what is old goes, some at a time
update core.event set at = now() - interval '8 days';
select core.event_note('carrier.up', null, 'gwy_x', '{}');
set local role strowger_api;
select is(core.events_forget('7 days', 2), 2::bigint, 'as many as asked');
select is(core.events_forget('7 days', 100), 1::bigint, 'the rest');
reset role;
select is(count(*), 1::bigint, 'the young one stays') from core.event;

-- of what strangers can cause only so much is kept, the newest
delete from core.event;
insert into core.event (id, kind, at, tenant_id, object_id, data)
	select ('01890a5d-ac96-774b-bcce-b3020000000' || n)::uuid,
		'auth.failed', now(), 'ten_x', 'trk_x', jsonb_build_object(
		'reason', 'wrong_password', 'source', '192.0.2.' || n, 'port',
		5060, 'method', 'REGISTER', 'username', 'u' || n)
	from generate_series(1, 5) n;
select core.event_note('carrier.up', null, 'gwy_x', '{}');
set local role strowger_api;
select is(core.events_forget('7 days', 100, 5), 0::bigint, 'so many may be');
select is(core.events_forget('7 days', 1, 3), 1::bigint, 'as many as asked');
select is(core.events_forget('7 days', 100, 3), 1::bigint, 'the rest of it');
select results_eq($$ select source, port, method, username, trunk_id
	from core.auth_failure order by id $$, $$ select '192.0.2.' || n, 5060,
	'REGISTER', 'u' || n, 'trk_x' from generate_series(3, 5) n $$,
	'the newest stay, as /v1/auth-failures shows them');
reset role;
select is(count(*), 1::bigint, 'other events do')
	from core.event where kind = 'carrier.up';

select * from finish();
rollback;
