-- The way of call records into the database, shorter: a node COPYs straight
-- into cdr.record, cdr.charge and cdr.decision, in one transaction with what
-- their charges do to the ledger and with its new position. That a record is
-- there already shows as a violation of the key; the node then leaves it out.
-- (cdr.staging and load_cdrs() with three arguments are for nodes of before.)

alter table cdr.journal_position
	-- of the last record that was read, and how many never were
	add column number bigint not null default 0 check (number >= 0),
	add column missing bigint not null default 0 check (missing >= 0);

-- What one call's record was refused for, with the record as the journal has
-- it: loading goes on, and it is tried again when what was wrong is mended.
create table cdr.dead_letter (
	id bigint generated always as identity primary key,
	node text not null,
	segment bigint not null,
	offset_bytes bigint not null,
	number bigint,
	frame bytea not null check (length(frame) <= 65536),
	sqlstate text,
	error text not null,
	refused_at timestamptz not null default now(),
	-- tried again: how often, with what result
	tries integer not null default 0,
	tried_at timestamptz,
	loaded_at timestamptz,
	unique (node, segment, offset_bytes)
);
create index dead_letter_open on cdr.dead_letter (id) where loaded_at is null;

-- What charges do to money: leases are settled, usage is posted. An account
-- that was deleted meanwhile has no ledger to post to.
create function cdr.pay(p_node text, p_charges cdr.charge[]) returns bigint
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	postings bigint;
begin
	perform cdr.settle(p_node, p_charges);
	select count(*) into postings from core.post_all(array(
		select row(c.account_id, 'usage', -c.amount_micro, null,
			c.call_id, c.attempt)::core.posting_item
		from unnest(p_charges) c join core.account a
			on a.id = c.account_id
		where c.side = 'sell' and c.amount_micro > 0
		order by c.started_at, c.call_id));
	return postings;
end
$$;

-- Before the COPYs: the months that the rows may fall into.
create function api_v1.load_begin() returns void
	language sql security definer
	set search_path = pg_catalog, pg_temp as
$$
	select cdr.ensure_partitions(now(), now() + interval '1 month')
$$;

-- After the COPYs of the calls (p_started_at, p_call_id) that have charges.
-- p_node null: records of a journal that nobody's position is of. missing:
-- how many numbers there are between the last record read before and those of
-- this load that no record has.
create function api_v1.load_calls(p_node text, p_segment bigint,
	p_offset_bytes bigint, p_number bigint, p_missing bigint,
	p_started_at timestamptz[], p_call_id uuid[], out charges bigint,
	out postings bigint)
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	fresh cdr.charge[];
begin
	select coalesce(array_agg(row(c.*)::cdr.charge), '{}') into fresh
		from unnest(p_started_at, p_call_id) k (started_at, call_id)
		join cdr.charge c using (started_at, call_id)
		where c.side = 'sell';
	charges := cardinality(fresh);
	postings := case when charges > 0 then cdr.pay(p_node, fresh) else 0 end;
	if p_node is null or p_segment is null then
		return;
	end if;
	insert into cdr.journal_position as p (node, segment, offset_bytes,
			number, missing)
		values (p_node, p_segment, p_offset_bytes, p_number, p_missing)
		on conflict (node) do update set
			segment = excluded.segment,
			offset_bytes = excluded.offset_bytes,
			number = excluded.number,
			missing = p.missing + excluded.missing,
			updated_at = now();
	if p_missing > 0 then
		perform core.event_note('cdr.gap', null, null,
			jsonb_build_object('node', p_node, 'missing', p_missing,
				'number', p_number, 'segment', p_segment));
	end if;
end
$$;

create function api_v1.load_dead_letter(p_node text, p_segment bigint,
	p_offset_bytes bigint, p_number bigint, p_frame bytea, p_sqlstate text,
	p_error text) returns void
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	insert into cdr.dead_letter (node, segment, offset_bytes, number,
			frame, sqlstate, error)
		values (p_node, p_segment, p_offset_bytes,
			nullif(p_number, 0), p_frame, p_sqlstate, p_error)
		on conflict (node, segment, offset_bytes) do nothing;
	if found then
		perform core.event_note('cdr.refused', null, null,
			jsonb_build_object('node', p_node, 'segment', p_segment,
				'sqlstate', p_sqlstate, 'error', p_error));
	end if;
end
$$;

drop function api_v1.journal_position(text);
create function api_v1.journal_position(node text, out segment bigint,
	out offset_bytes bigint, out number bigint)
	language sql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
	select p.segment, p.offset_bytes, p.number from cdr.journal_position p
		where p.node = $1
$$;

revoke all on function cdr.pay(text, cdr.charge[]), api_v1.load_begin(),
	api_v1.load_calls(text, bigint, bigint, bigint, bigint, timestamptz[],
		uuid[]),
	api_v1.load_dead_letter(text, bigint, bigint, bigint, bytea, text,
		text),
	api_v1.journal_position(text) from public;
grant insert on cdr.record, cdr.charge, cdr.decision to strowger_switch;
grant execute on function api_v1.load_begin(),
	api_v1.load_calls(text, bigint, bigint, bigint, bigint, timestamptz[],
		uuid[]),
	api_v1.load_dead_letter(text, bigint, bigint, bigint, bytea, text,
		text),
	api_v1.journal_position(text) to strowger_switch;
grant select on cdr.dead_letter to strowger_api;

-- Who asks for a tenant, a trunk, a carrier or a number asks for calls; the
-- attempts of one are found by its id. Half as many entries, and as much less
-- to write while loading.
drop index cdr.record_tenant, cdr.record_trunk, cdr.record_carrier,
	cdr.record_called, cdr.charge_account, cdr.charge_carrier,
	cdr.decision_call;
create index record_tenant on cdr.record (tenant_id, started_at, call_id)
	where attempt = 0;
create index record_trunk on cdr.record (trunk_id, started_at)
	where attempt = 0;
create index record_carrier on cdr.record (carrier_id, started_at)
	where attempt = 0 and carrier_id is not null;
create index record_called on cdr.record (called, started_at)
	where attempt = 0 and called is not null;
create index record_calling on cdr.record (calling, started_at)
	where attempt = 0 and calling is not null;
create index charge_account on cdr.charge (account_id, started_at)
	where account_id is not null;
create index charge_carrier on cdr.charge (carrier_id, started_at)
	where carrier_id is not null;
