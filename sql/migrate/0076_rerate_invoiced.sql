-- A call that came to nothing (a package paid all of it) has no posting that an
-- invoice could take: it is of the invoice of its time, and stays as it is.
create function rating.is_invoiced(p_account text, p_at timestamptz,
	p_call uuid, p_attempt integer) returns boolean
	language plpgsql stable
	set search_path = pg_catalog, pg_temp as
$$
begin
	if exists (select from core.ledger_posting p
			join billing.invoice_posting x on x.posting_id = p.id
				and not x.is_released
			where p.call_id = p_call and p.attempt = p_attempt) then
		return true;
	elsif exists (select from core.ledger_posting p
			where p.call_id = p_call and p.attempt = p_attempt) then
		return false;
	end if;
	return exists (select from billing.invoice i
		join core.tenant t on t.id = i.tenant_id
		where i.account_id = p_account and i.kind = 'invoice'
			and i.status <> 'void' and p_at < (i.period_to
				+ 1)::timestamp at time zone t.time_zone);
end
$$;
revoke all on function rating.is_invoiced(text, timestamptz, uuid, integer)
	from public;

do $do$
declare
	f text;
	was text;
begin
	f := pg_get_functiondef('rating.rerate_gather(rating.rerate, text)'
		::regprocedure);
	was := substring(f from 'exists \(select from core\.ledger_posting.*'
		'attempt = \(x\.c\)\.attempt\)');
	execute replace(f, was, 'rating.is_invoiced(p_account,
			(x.c).started_at, (x.c).call_id, (x.c).attempt)');
	f := pg_get_functiondef('rating.rerate_apply(text, text)'
		::regprocedure);
	was := substring(f from 'exists \(select from core\.ledger_posting.*'
		'p\.attempt = k\.attempt\)');
	execute replace(f, was, 'rating.is_invoiced(p_account, k.started_at,
				k.call_id, k.attempt)');
end
$do$;
