-- Why a call went where it went: its decision, beside its record and loaded
-- in the same transaction. A month's partition can be dropped long before the
-- records of that month.
create table cdr.decision (
	started_at timestamptz not null,
	call_id uuid not null,
	decision jsonb not null,
	primary key (started_at, call_id)
) partition by range (started_at);
create index decision_call on cdr.decision (call_id);
create trigger decision_fixed before update or delete on cdr.decision
	for each row execute function core.refuse('decision');
create table cdr.decision_default partition of cdr.decision default;

-- Partitions of every UTC month that touches from..to.
create or replace function cdr.ensure_partitions(p_from timestamptz,
	p_to timestamptz)
	returns void language plpgsql security definer
	set search_path = pg_catalog, pg_temp
	set timezone = 'UTC' as
$$
declare
	month timestamptz;
begin
	for month in select generate_series(date_trunc('month', p_from),
			p_to, interval '1 month') loop
		if to_regclass('cdr.decision' || to_char(month,
			'"_"YYYY"_"MM')) is null then
			-- "cdrp": two nodes may come at the same time
			perform pg_advisory_xact_lock(1667527280);
			perform cdr.partition_add('record', month);
			perform cdr.partition_add('charge', month);
			perform cdr.partition_add('decision', month);
		end if;
	end loop;
end
$$;

select cdr.ensure_partitions(now(), now() + interval '2 months');

alter table cdr.staging add column decision jsonb;

-- Records, charges and decisions that are new. The column list comes from the
-- table, so that a field appended to CDR_FIELDS needs a column and nothing
-- here.
create or replace function cdr.take_staging(out records bigint,
	out charges cdr.charge[])
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	columns text;
begin
	select string_agg(quote_ident(a.attname), ', ' order by a.attnum)
		into columns from pg_attribute a
		where a.attrelid = 'cdr.record'::regclass
			and a.attnum > 0 and not a.attisdropped;
	execute format($q$
	with staged as materialized (
		select distinct on (started_at, call_id, attempt) *
		from cdr.staging),
	fresh as (insert into cdr.record (%1$s)
		select %1$s from staged on conflict do nothing
		returning started_at, call_id, attempt),
	charged as (insert into cdr.charge
		select s.started_at, s.call_id, s.attempt, c.side,
			c.account_id, c.carrier_id, c.amount_micro,
			c.currency, c.deck_id, c.deck_version, c.prefix,
			c.destination, c.rate_per_min_nano,
			c.connect_fee_micro, c.first_ms, c.next_ms,
			c.rounding_mode, c.rounding_decimals, c.billed_ms,
			c.lease_epoch
		from fresh join staged s
			using (started_at, call_id, attempt),
		jsonb_to_recordset(s.charges) as c (side text,
			account_id text, carrier_id text, amount_micro bigint,
			currency text, deck_id text, deck_version bigint,
			prefix text, destination text,
			rate_per_min_nano bigint, connect_fee_micro bigint,
			first_ms integer, next_ms integer, rounding_mode text,
			rounding_decimals integer, billed_ms bigint,
			lease_epoch bigint)
		returning charge.*),
	decided as (insert into cdr.decision
		select s.started_at, s.call_id, s.decision
		from fresh join staged s
			using (started_at, call_id, attempt)
		where s.attempt = 0 and s.decision is not null)
	select (select count(*) from fresh),
		(select coalesce(array_agg(row(g.*)::cdr.charge), '{}')
			from charged g)
	$q$, columns) into records, charges;
	delete from cdr.staging;
end
$$;

revoke all on function cdr.ensure_partitions(timestamptz, timestamptz),
	cdr.take_staging() from public;
grant select on cdr.decision to strowger_api;
