-- Records as a switch would have loaded them: two calls, the first with a
-- failed attempt.
insert into cdr.record (started_at, call_id, attempt, node, version,
	direction, tenant_id, gateway_id, calling, called, answered_at, ended_at,
	duration_ms, end_estimated, outcome, initiator, sip_code, q850,
	price_micro, cost_micro, currency, cost_currency, billed_ms,
	rate_per_min_nano, connect_fee_micro, first_ms, next_ms, a_packets)
select '2026-11-10T10:00:00.125Z', '06e8b1d2-7c3a-7d4e-8f50-123456789abc',
	n, 'n1', '0.1.0', 'outbound', 'ten_' || repeat('x', 26),
	'gwy_' || repeat('x', 26), '+4930123450', '+442079460000',
	'2026-11-10T10:00:04Z', '2026-11-10T10:01:05Z', 61000, false,
	case n when 1 then 'carrier_congested' else 'ok' end, 'A', 200, 16,
	13200, 9100, 'EUR', 'EUR', 66000, 12000000, 0, 60000, 6000, 3050
from generate_series(0, 2) n;
insert into cdr.charge (started_at, call_id, attempt, side, account_id,
	carrier_id, amount_micro, currency, deck_id, deck_version, prefix,
	destination,
	rate_per_min_nano, connect_fee_micro, first_ms, next_ms,
	rounding_mode, rounding_decimals, billed_ms)
values ('2026-11-10T10:00:00.125Z', '06e8b1d2-7c3a-7d4e-8f50-123456789abc',
	0, 'sell', 'acc_x', null, 13200, 'EUR', 'dck_x', 1, '44',
	'United Kingdom',
	12000000, 0, 60000, 6000, 'half_up', 4, 66000),
	('2026-11-10T10:00:00.125Z', '06e8b1d2-7c3a-7d4e-8f50-123456789abc',
	2, 'buy', null, 'car_x', 9100, 'EUR', 'dck_x', 1, '44',
	'United Kingdom',
	9000000, 0, 1000, 1000, 'half_up', 6, 61000);
insert into cdr.record (started_at, call_id, attempt, outcome, tenant_id)
values ('2026-11-10T10:00:00.125Z', '06e8b1d2-7c3a-7d4e-8f50-1234567890ff',
	0, 'no_route', 'ten_' || repeat('y', 26));
insert into core.tenant (id, name, currency)
values ('ten_' || repeat('x', 26), 'X', 'EUR'),
	('ten_' || repeat('y', 26), 'Y', 'EUR');
insert into core.account (id, tenant_id, name, type, currency)
values ('acc_' || repeat('x', 26), 'ten_' || repeat('x', 26), 'X', 'prepaid',
	'EUR');
insert into core.trunk (id, tenant_id, account_id, name)
values ('trk_' || repeat('x', 26), 'ten_' || repeat('x', 26),
	'acc_' || repeat('x', 26), 'X');
insert into core.carrier (id, name, currency)
values ('car_' || repeat('x', 26), 'X', 'EUR');
insert into core.gateway (id, carrier_id, name, address)
values ('gwy_' || repeat('x', 26), 'car_' || repeat('x', 26), 'X',
	'2001:db8::99');
insert into core.node (name, boot, version, applied_version)
values ('n1', 1, '0.1.0', 7), ('n2', 1, '0.1.0', 6);
-- the pages of one row each are quicker through a short numbering plan
delete from core.numbering where length(prefix) > 2;
-- A delivery that nobody makes by itself: its endpoint is disabled.
insert into core.webhook_endpoint (id, name, url, kinds, status, secret_box)
values ('whk_' || repeat('y', 26), 'seed', 'http://127.0.0.1:9/',
	'{carrier.up}', 'disabled', '\x00');
insert into core.event (id, kind, at, node, object_id)
values ('06e8b1d2-7c3a-7d4e-8f50-123456789df0', 'carrier.up',
	'2026-11-10T10:00:00Z', 'n1', 'gwy_x'),
	('06e8b1d2-7c3a-7d4e-8f50-123456789df1', 'carrier.down',
	'2026-11-10T10:00:00Z', 'n1', 'gwy_x');
insert into core.webhook_delivery (id, endpoint_id, event_id)
values ('06e8b1d2-7c3a-7d4e-8f50-123456789de0', 'whk_' || repeat('y', 26),
	'06e8b1d2-7c3a-7d4e-8f50-123456789df0');
insert into cdr.decision (started_at, call_id, decision)
values ('2026-11-10T10:00:00.125Z', '06e8b1d2-7c3a-7d4e-8f50-123456789abc',
	'[{"step": "number", "e164": "+442079460000"},
	  {"step": "cost", "outcome": "ok", "rate_per_min_nano": 9000000},
	  {"step": "price", "reason": "cost", "rate_per_min_nano": 9000000},
	  {"step": "forward", "to_number": "+4930999"},
	  {"step": "funds", "outcome": "ok", "price_micro": 700}]');
-- Records that were refused; the first is what the examples discard.
insert into cdr.dead_letter (node, segment, offset_bytes, number, frame,
	sqlstate, error, refused_at)
values ('n1', 7, 81920, 4711, '\x0102', '22003', 'numeric field overflow',
	'2026-11-10T10:00:05Z'),
	('n1', 7, 82432, 4712, '\x0304', null, 'cannot be decoded',
	'2026-11-10T10:00:06Z');
