-- Call records: one row per call (attempt 0) and one per attempt at a carrier,
-- partitioned by month. The columns are CDR_FIELDS of switch/cdr/cdr.h, name
-- by name and in that order.
create schema if not exists cdr;

create table cdr.record (
	-- who and when
	started_at timestamptz not null,
	call_id uuid not null,
	attempt integer not null,
	parent_call_id uuid,
	node text,
	version text,
	direction text,
	tenant_id text,
	account_id text,
	trunk_id text,
	did_id text,
	carrier_id text,
	gateway_id text,
	route_id text,
	terminating_trunk_id text,
	is_emergency boolean,
	is_onnet boolean,
	-- numbers: as received, normalised, as sent to the other side
	calling_received text,
	calling text,
	calling_sent text,
	called_received text,
	called text,
	called_sent text,
	-- times; durations are monotonic
	ringing_at timestamptz,
	answered_at timestamptz,
	ended_at timestamptz,
	pdd_ms bigint,
	setup_ms bigint,
	duration_ms bigint,
	end_estimated boolean,
	-- how it ended
	outcome text,
	initiator text,
	sip_code integer,
	q850 integer,
	limit_hit text,
	reason_received text,
	-- addresses and names of both sides
	a_address text,
	a_transport text,
	a_call_id text,
	a_user_agent text,
	b_address text,
	b_transport text,
	b_call_id text,
	b_user_agent text,
	a_media_address text,
	b_media_address text,
	codec text,
	-- media: a_ is what we received from the calling side, b_ the called
	a_packets bigint,
	a_bytes bigint,
	a_lost bigint,
	a_jitter_us bigint,
	a_foreign bigint,
	b_packets bigint,
	b_bytes bigint,
	b_lost bigint,
	b_jitter_us bigint,
	b_foreign bigint,
	-- money, for reading; the charges below are what is posted
	price_micro bigint,
	cost_micro bigint,
	currency text,
	cost_currency text,
	billed_ms bigint,
	rate_prefix text,
	rate_destination text,
	rate_per_min_nano bigint,
	connect_fee_micro bigint,
	first_ms integer,
	next_ms integer,
	trail text,
	primary key (started_at, call_id, attempt)
) partition by range (started_at);
create index record_call on cdr.record (call_id);
create index record_tenant on cdr.record (tenant_id, started_at);
create index record_trunk on cdr.record (trunk_id, started_at);
create index record_carrier on cdr.record (carrier_id, started_at);
create index record_called on cdr.record (called, started_at);

-- What a record costs, with everything needed to compute it again.
create table cdr.charge (
	started_at timestamptz not null,
	call_id uuid not null,
	attempt integer not null,
	side text not null check (side in ('sell', 'buy')),
	account_id text,
	carrier_id text,
	amount_micro bigint not null,
	currency text not null,
	deck_id text,
	deck_version bigint,
	prefix text,
	destination text,
	rate_per_min_nano bigint,
	connect_fee_micro bigint,
	first_ms integer,
	next_ms integer,
	rounding_mode text,
	rounding_decimals integer,
	billed_ms bigint,
	lease_epoch bigint,
	primary key (started_at, call_id, attempt, side)
) partition by range (started_at);
create index charge_account on cdr.charge (account_id, started_at);
create index charge_carrier on cdr.charge (carrier_id, started_at);

create trigger record_fixed before update or delete on cdr.record
	for each row execute function core.refuse('record');
create trigger charge_fixed before update or delete on cdr.charge
	for each row execute function core.refuse('charge');

-- Nothing is ever refused for its date.
create table cdr.record_default partition of cdr.record default;
create table cdr.charge_default partition of cdr.charge default;

-- One partition; rows of that month which are in the default partition already
-- go where they belong.
create function cdr.partition_add(p_parent text, p_month timestamptz)
	returns void language plpgsql security definer
	set search_path = pg_catalog, pg_temp
	set timezone = 'UTC' as
$$
declare
	name text := p_parent || to_char(p_month, '"_"YYYY"_"MM');
	early boolean;
begin
	if to_regclass(format('cdr.%I', name)) is not null then
		return;
	end if;
	execute format('select exists (select from cdr.%I '
		'where started_at >= $1 and started_at < $2)',
		p_parent || '_default')
		into early using p_month, p_month + interval '1 month';
	if early then
		execute format('alter table cdr.%I detach partition cdr.%I',
			p_parent, p_parent || '_default');
		execute format('alter table cdr.%I rename to early_rows',
			p_parent || '_default');
	end if;
	execute format('create table cdr.%I partition of cdr.%I '
		'for values from (%L) to (%L)', name, p_parent,
		p_month, p_month + interval '1 month');
	if early then
		execute format('create table cdr.%I partition of cdr.%I '
			'default', p_parent || '_default', p_parent);
		execute format('insert into cdr.%I table cdr.early_rows',
			p_parent);
		drop table cdr.early_rows;
	end if;
end
$$;

-- Partitions of every UTC month that touches from..to.
create function cdr.ensure_partitions(p_from timestamptz, p_to timestamptz)
	returns void language plpgsql security definer
	set search_path = pg_catalog, pg_temp
	set timezone = 'UTC' as
$$
declare
	month timestamptz;
begin
	for month in select generate_series(date_trunc('month', p_from),
			p_to, interval '1 month') loop
		if to_regclass('cdr.charge' || to_char(month,
			'"_"YYYY"_"MM')) is null then
			-- "cdrp": two nodes may come at the same time
			perform pg_advisory_xact_lock(1667527280);
			perform cdr.partition_add('record', month);
			perform cdr.partition_add('charge', month);
		end if;
	end loop;
end
$$;

select cdr.ensure_partitions(now(), now() + interval '2 months');

-- Where a node COPYs its journal; emptied in the same transaction. charges is
-- an array of objects with the columns of cdr.charge from side on.
create unlogged table cdr.staging (
	like cdr.record,
	charges jsonb
);

create table cdr.journal_position (
	node text primary key,
	segment bigint not null,
	offset_bytes bigint not null,
	updated_at timestamptz not null default now()
);
