-- Payments by the reference of whoever made them, once each; transfers between
-- accounts of a tenant; and what of an account's leases is pending.

alter table core.ledger_posting
	drop constraint ledger_posting_kind_check,
	add constraint ledger_posting_kind_check check (kind in ('usage',
		'payment', 'adjustment', 'refund', 'transfer'));

-- Where a posting that is no call comes from. By reference an account has one
-- posting, however often and with whatever key it is asked for.
-- (No foreign key: postings are never deleted.)
create table core.posting_source (
	posting_id bigint primary key,
	account_id text not null,
	reference text check (length(reference) between 1 and 255),
	other_account_id text,
	constraint posting_reference_once unique (account_id, reference)
);

-- A payment or adjustment; is_new false: it was posted before.
create function core.post_once(account_id text, kind text,
	amount_micro bigint, note text, reference text,
	out posting_id bigint, out is_new boolean)
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	known core.ledger_posting;
begin
	-- two of the same reference at once: the second sees the first
	perform 1 from core.account a where a.id = $1 for update;
	select p.* into known from core.posting_source s
		join core.ledger_posting p on p.id = s.posting_id
		where s.account_id = $1 and s.reference = $5;
	if found and (known.kind, known.amount_micro) <> ($2, $3) then
		raise exception 'that reference is of another posting'
			using errcode = 'unique_violation',
			constraint = 'posting_reference_once';
	end if;
	if found then
		posting_id := known.id;
		is_new := false;
		return;
	end if;

	is_new := true;
	select p.id into posting_id from core.post($1, $2, $3, $4) p;
	if $5 is not null then
		insert into core.posting_source (posting_id, account_id,
				reference)
			values (post_once.posting_id, $1, $5);
	end if;
end
$$;

-- Only what is paid in and not leased can go, to an account of the same tenant
-- in the same currency: both postings or none.
create function core.transfer(from_account_id text, to_account_id text,
	amount_micro bigint, note text, reference text,
	out from_posting_id bigint, out to_posting_id bigint,
	out is_new boolean)
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	giver core.account;
	taker core.account;
	known core.ledger_posting;
	fault text;
begin
	perform 1 from core.account a where a.id in ($1, $2)
		order by a.id for update;
	select * into giver from core.account a where a.id = $1;
	select * into taker from core.account a where a.id = $2;

	select p.* into known from core.posting_source s
		join core.ledger_posting p on p.id = s.posting_id
		where s.account_id = $1 and s.reference = $5;
	if found and exists (select from core.posting_source s
			where s.posting_id = known.id
			and s.other_account_id = $2)
		and (known.kind, known.amount_micro) = ('transfer', -$3) then
		from_posting_id := known.id;
		select s.posting_id into to_posting_id
			from core.posting_source s
			where s.account_id = $2 and s.reference = $5;
		is_new := false;
		return;
	end if;

	fault := case
		when known.id is not null then 'posting_reference_once'
		when taker.id is null or taker.id = giver.id
			or taker.tenant_id <> giver.tenant_id
			then 'transfer_within_tenant'
		when taker.currency <> giver.currency
			then 'transfer_one_currency'
		when $3 <= 0 or $3 > giver.balance_micro - giver.leased_micro
			then 'transfer_covered' end;
	if fault is not null then
		raise exception 'no transfer: %', fault using
			errcode = case fault when 'posting_reference_once'
				then 'unique_violation'
				else 'check_violation' end,
			constraint = fault;
	end if;

	is_new := true;
	select min(p.id), max(p.id) into from_posting_id, to_posting_id
		from core.post_all(array[
			row($1, 'transfer', -$3, $4, null, null),
			row($2, 'transfer', $3, $4, null, null)
			]::core.posting_item[]) p;
	insert into core.posting_source (posting_id, account_id, reference,
			other_account_id)
		values (from_posting_id, $1, $5, $2),
			(to_posting_id, $2, $5, $1);
end
$$;

-- All that is pending of a node's leases of an account.
create function core.lease_release_node(account_id text, node text, note text)
	returns bigint language sql security definer
	set search_path = pg_catalog, pg_temp as
$$
	select coalesce(sum(core.lease_release(l.account_id, l.node, l.epoch,
		$3)), 0)::bigint
	from core.lease_state l where l.account_id = $1 and l.node = $2
		and l.state = 'pending' and l.left_micro > 0
$$;

create or replace view core.lease_state as
	select l.account_id, l.node, l.epoch, l.granted_micro,
		l.settled_micro, l.granted_micro - l.settled_micro
			as left_micro,
		case when s.expires_at > now() then 'leased' else 'pending'
			end as state,
		s.expires_at as until,
		l.node || '.' || l.epoch as id
	from core.lease l join core.node_session s
		on s.node = l.node and s.epoch = l.epoch;

revoke all on function core.post_once(text, text, bigint, text, text),
	core.transfer(text, text, bigint, text, text),
	core.lease_release_node(text, text, text) from public;
grant execute on function core.post_once(text, text, bigint, text, text),
	core.transfer(text, text, bigint, text, text),
	core.lease_release_node(text, text, text) to strowger_api;
grant select on core.posting_source to strowger_api;
