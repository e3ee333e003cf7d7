-- Webhooks: who is told, when it is tried again, and when it is given up.
begin;
select no_plan();
insert into core.tenant (id, name, currency)
	select 'ten_' || repeat(x, 26), x, 'EUR' from unnest(array['1', '2']) x;
set local role strowger_api;
insert into core.webhook_endpoint (id, tenant_id, name, url, kinds,
	secret_box)
	values ('whk_' || repeat('0', 26), null, 'noc', 'https://noc.example/',
		'{carrier.down,call.ended,webhook.disabled}', '\x00'),
	('whk_' || repeat('1', 26), 'ten_' || repeat('1', 26), 'one',
		'https://one.example/', '{call.ended,carrier.down}', '\x00'),
	('whk_' || repeat('2', 26), 'ten_' || repeat('2', 26), 'two',
		'https://two.example/', '{call.started}', '\x00');
reset role;
create view pg_temp.told as
	select e.name::text, v.kind, d.state, d.attempts
	from core.webhook_delivery d
	join core.webhook_endpoint e on e.id = d.endpoint_id
	join core.event v on v.id = d.event_id;

set local role strowger_switch;
select api_v1.events_put('[{"kind": "call.ended", "data": {"outcome": "ok"},
	"id": "01890a5d-ac96-774b-bcce-b302099a8057",
	"tenant_id": "ten_11111111111111111111111111",
	"at": "2026-11-22T10:31:00.123Z"}, {"kind": "carrier.down",
	"id": "01890a5d-ac97-774b-bcce-b302099a8057",
	"at": "2026-11-22T10:31:00Z"}]');
reset role;
select bag_eq('select name, kind from pg_temp.told', $$ values
	('noc', 'call.ended'), ('one', 'call.ended'), ('noc', 'carrier.down')
	$$, 'an endpoint hears of its own tenant, the platform of everything');

-- claiming
set local role strowger_api;
create temp table mine as
	select * from core.webhook_claim(10, 1, '1 minute');
select set_eq('select url from mine', $$ values ('https://noc.example/'),
	('https://one.example/') $$, 'one each');
select is(body::jsonb, '{"type": "call.ended", "tenant_id":
	"ten_11111111111111111111111111", "id":
	"01890a5d-ac96-774b-bcce-b302099a8057", "call_id": null,
	"object_id": null, "timestamp": "2026-11-22T10:31:00.123Z",
	"data": {"outcome": "ok"}}'::jsonb, 'the body')
	from mine where url = 'https://one.example/';
select is_empty($$ select 1 from core.webhook_claim(10, 1, '1 minute') $$,
	'what is held is not given twice');
select is(count(*), 1::bigint, 'more at once, one is left')
	from core.webhook_claim(10, 2, '1 minute');

-- an answer
select core.webhook_result(id, 204, null, 12, '5 s', '1 day', '5 days')
	from mine where url = 'https://one.example/';
select core.webhook_result(id, 500, 'status 500', 12, '5 s', '1 day',
	'5 days') from mine where url = 'https://noc.example/';
reset role;
select results_eq($$ select state, attempts from pg_temp.told
	where name = 'one' $$, $$ values ('delivered', 1) $$, 'delivered');
select ok(next_at between now() + '4.4 s'::interval
	and now() + '5.6 s'::interval and state = 'pending'
	and status = 500, 'later') from core.webhook_delivery
	where attempts = 1 and state <> 'delivered';
select ok(failing_since is not null and status = 'active', 'it fails')
	from core.webhook_endpoint where name = 'noc';

-- the third waits 16 times as long; beyond a day it is dead
update core.webhook_delivery set attempts = 2 where state = 'pending';
select core.webhook_result(id, null, 'refused', 3, '5 s', '1 day', '5 days')
	from core.webhook_delivery where state = 'pending';
select is(count(*), 2::bigint, '80 s') from core.webhook_delivery
	where next_at between now() + '71 s'::interval
	and now() + '89 s'::interval;
update core.webhook_delivery set retry_from = now() - interval '23:59'
	where state = 'pending';
select core.webhook_result(id, null, 'refused', 3, '5 s', '1 day', '5 days')
	from core.webhook_delivery where state = 'pending';
select is(count(*), 2::bigint, 'dead') from core.webhook_delivery
	where state = 'dead';

-- replay
set local role strowger_api;
select core.webhook_replay(id) from core.webhook_delivery
	where state = 'dead';
select is(count(*), 2::bigint, 'due again')
	from core.webhook_claim(10, 4, '1 minute');
reset role;

-- given up: after days, or when it is gone
update core.webhook_endpoint set failing_since = now() - interval '6 days'
	where name = 'noc';
select core.webhook_result(id, 500, 'status 500', 1, '5 s', '1 day', '5 days')
	from core.webhook_delivery where state = 'pending';
select results_eq($$ select status, disabled_reason, disabled_at is not null
	from core.webhook_endpoint where name = 'noc' $$, $$ values
	('disabled', 'every delivery failed for too long', true) $$);
select is(count(*), 1::bigint, 'told once') from core.event
	where kind = 'webhook.disabled' and object_id = 'whk_' || repeat('0', 26);
select is_empty($$ select 1 from core.webhook_claim(10, 4, '0') $$,
	'a disabled one is sent nothing');
set local role strowger_api;
update core.webhook_endpoint set status = 'active' where name = 'noc';
select results_eq($$ select disabled_reason, failing_since, row_version
	from core.webhook_endpoint where name = 'noc' $$,
	$$ values (null::text, null::timestamptz, 3::bigint) $$,
	'on again, as new');
reset role;
insert into core.event (id, kind, at, tenant_id) values (core.uuid7(),
	'call.ended', now(), 'ten_11111111111111111111111111');
select core.webhook_result(d.id, 410, 'status 410', 1, '5 s', '1 day',
	'5 days') from core.webhook_delivery d join core.webhook_endpoint e
	on e.id = d.endpoint_id where e.name = 'one' and d.state = 'pending';
select is(disabled_reason, 'it answered 410 Gone')
	from core.webhook_endpoint where name = 'one';

-- a secret is replaced; the old one counts for a while
set local role strowger_api;
update core.webhook_endpoint set status = 'active', secret_box = '\x02',
	previous_box = '\x01', previous_until = now() + interval '1 hour'
	where name = 'one';
reset role;
update core.webhook_delivery set next_at = now(), held_until = null;
set local role strowger_api;
select results_eq($$ select distinct secret_box, previous_box
	from core.webhook_claim(10, 9, '0') where endpoint_id
	= 'whk_' || repeat('1', 26) $$,
	$$ values ('\x02'::bytea, '\x01'::bytea) $$, 'both');
update core.webhook_endpoint set previous_until = now() - interval '1 s'
	where name = 'one';
select results_eq($$ select distinct secret_box, previous_box
	from core.webhook_claim(10, 9, '0') where endpoint_id
	= 'whk_' || repeat('1', 26) $$,
	$$ values ('\x02'::bytea, null::bytea) $$, 'then one');
reset role;

-- deliveries go with their event
delete from core.event;
select is_empty('select 1 from core.webhook_delivery');

select * from finish();
rollback;
