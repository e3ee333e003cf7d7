-- Where a number sends a call on is the affair of whose number it is: roll-ups
-- tell by which trunk a call was sent on, and reports show a tenant nothing of
-- where it went, unless that trunk is its own or of a tenant below it. That is how
-- records are shown (query_forward_own of the API).
alter table report.dimension
	-- the last that sent the call on
	add column diverting_trunk_id text not null default '';

-- The functions of 0053 with that column. An id stays what it was where nobody
-- sent the call on: concat_ws leaves out null. Who paid for a forward of another
-- tenant's call pays in its own name, and by its own rate.
do $do$
declare
	edits text[] := array[
		'report.record_sql(text)',
		'as cost_currency,',
		'as cost_currency, coalesce(r.diverting_trunk_id, '''') '
			'as diverting_trunk_id,',
		'report.record_sql(text)', e'18,\n\t\t19\n', e'18,\n\t\t19, 20\n',
		'report.charge_sql(text)',
		'as cost_currency,',
		'as cost_currency, coalesce(r.diverting_trunk_id, '''') '
			'as diverting_trunk_id,',
		'report.charge_sql(text)', e'18,\n\t\t19\n', e'18,\n\t\t19, 20\n',
		'report.charge_sql(text)',
		'coalesce(r.rate_prefix, c.prefix, '''')',
		'coalesce(case when a.tenant_id <> r.tenant_id then c.prefix end, '
			'r.rate_prefix, c.prefix, '''')',
		'report.charge_sql(text)',
		'coalesce(r.rate_destination, c.destination, '''')',
		'coalesce(case when a.tenant_id <> r.tenant_id then c.destination '
			'end, r.rate_destination, c.destination, '''')',
		'report.add_sql(text)',
		'cost_currency), 0)',
		'cost_currency, nullif(diverting_trunk_id, '''')), 0)',
		'report.add_sql(text)',
		e'is_rung, currency, cost_currency\n',
		e'is_rung, currency, cost_currency, diverting_trunk_id\n'];
	before text;
	edited text;
begin
	for i in 1 .. cardinality(edits) by 3 loop
		before := pg_get_functiondef(edits[i]::regprocedure);
		edited := replace(before, edits[i + 1], edits[i + 2]);
		if edited = before then
			raise exception '% has no "%"', edits[i], edits[i + 1];
		end if;
		execute edited;
	end loop;
end
$do$;

drop function report.traffic(boolean, timestamptz, timestamptz, text, text, text,
	text, text);
drop function report.facts(timestamptz, timestamptz);

-- What happened in a span of time: whole hours from the roll-up, the parts of
-- hours at both its ends from the records themselves.
do $do$
declare
	edge text := 'where started_at >= $1 and started_at < $2 and '
		'(started_at < report.hour_up($1) or '
		'started_at >= greatest(report.hour_up($1), '
		'date_trunc(''hour'', $2, ''UTC''))))';
begin
	execute $q$
	create function report.facts(p_from timestamptz, p_to timestamptz)
		returns table (hour timestamptz, is_attempt boolean,
			tenant_id text, trunk_id text, did_id text,
			carrier_id text, gateway_id text, direction text, prefix text,
			destination text, country text, network text,
			number_type text, outcome text, sip_code integer,
			q850 integer, is_rung boolean, currency text,
			cost_currency text, diverting_trunk_id text,
			calls integer, answered integer, short integer,
			duration_ms bigint, pdd_n integer,
			pdd_ms bigint, pdd_1 integer, pdd_2 integer,
			pdd_3 integer, pdd_5 integer, pdd_8 integer,
			pdd_12 integer, mos_n integer, mos_milli bigint,
			first_at timestamptz, last_at timestamptz, sold integer,
			billed_ms bigint, revenue_micro bigint,
			tax_micro bigint, bought integer, bought_ms bigint,
			cost_micro bigint)
		language sql stable parallel safe as $f$
	select h.hour, d.is_attempt, d.tenant_id, d.trunk_id, d.did_id,
		d.carrier_id, d.gateway_id, d.direction, d.prefix, d.destination,
		d.country, d.network, d.number_type, d.outcome, d.sip_code, d.q850,
		d.is_rung, d.currency, d.cost_currency, d.diverting_trunk_id,
		h.calls, h.answered, h.short, h.duration_ms, h.pdd_n, h.pdd_ms,
		h.pdd_1, h.pdd_2, h.pdd_3, h.pdd_5, h.pdd_8, h.pdd_12, h.mos_n,
		h.mos_milli, h.first_at, h.last_at, h.sold, h.billed_ms,
		h.revenue_micro, h.tax_micro, h.bought, h.bought_ms, h.cost_micro
	from report.hour h join report.dimension d on d.id = h.dimension_id
	where h.hour >= report.hour_up($1)
		and h.hour < date_trunc('hour', $2, 'UTC')
	union all ($q$ || report.record_sql('(select * from cdr.record '
		|| edge) || $q$)
	union all ($q$ || report.charge_sql('(select * from cdr.charge_current '
		|| edge) || $q$)
	$f$
	$q$;
end
$do$;

-- Calls (and with p_attempts attempts at carriers) of a span, of a tenant and
-- those below it, of a trunk, carrier, direction, currency; '' is all.
-- p_viewer: the tenant that reads it ('' is the platform): '' is what it gets of
-- where somebody else's trunk, or one that is not known any more, sent a call on.
-- delivered: what NER counts. cost_sold is the cost in the currency of the price
-- by the exchange rate of the hour, null when there is none.
create function report.traffic(p_attempts boolean, p_from timestamptz,
	p_to timestamptz, p_tenant text, p_trunk text, p_carrier text,
	p_direction text, p_currency text, p_viewer text)
	returns table (hour timestamptz, tenant_id text, trunk_id text,
		did_id text, carrier_id text, gateway_id text, direction text, prefix text,
		destination text, country text, network text, number_type text,
		outcome text, sip_code integer, q850 integer, currency text,
		cost_currency text, calls bigint, answered bigint,
		delivered bigint, short bigint, duration_ms bigint,
		pdd_n bigint, pdd_ms bigint, pdd_1 integer, pdd_2 integer,
		pdd_3 integer, pdd_5 integer, pdd_8 integer, pdd_12 integer,
		mos_n bigint, mos_milli bigint, first_at timestamptz,
		last_at timestamptz, sold bigint, billed_ms bigint,
		revenue_micro bigint, tax_micro bigint, bought bigint,
		bought_ms bigint, cost_micro bigint, cost_sold numeric)
	language sql stable parallel safe as
$$
	select f.hour, f.tenant_id, f.trunk_id,
		case when s.is_seen then f.did_id else '' end,
		case when s.is_seen then f.carrier_id else '' end,
		case when s.is_seen then f.gateway_id else '' end,
		f.direction, f.prefix, f.destination,
		case when s.is_seen then f.country else '' end,
		case when s.is_seen then f.network else '' end,
		case when s.is_seen then f.number_type else '' end,
		f.outcome, f.sip_code, f.q850, f.currency, f.cost_currency,
		f.calls::bigint, f.answered::bigint,
		(f.answered + case when report.is_delivered(f.outcome, f.is_rung)
			then f.calls - f.answered else 0 end)::bigint,
		f.short::bigint, f.duration_ms, f.pdd_n::bigint, f.pdd_ms,
		f.pdd_1, f.pdd_2, f.pdd_3, f.pdd_5, f.pdd_8, f.pdd_12,
		f.mos_n::bigint, f.mos_milli, f.first_at, f.last_at,
		f.sold::bigint, f.billed_ms, f.revenue_micro, f.tax_micro,
		f.bought::bigint, f.bought_ms, f.cost_micro,
		case when f.cost_micro = 0 then 0
			when f.cost_currency = f.currency then f.cost_micro
			else f.cost_micro * x.rate_nano / 1000000000.0 end
	from report.facts(p_from, p_to) f
	left join report.exchange x on x.base = f.cost_currency
		and x.quote = f.currency and f.cost_currency <> f.currency
		and f.hour >= x.from_at and f.hour < x.to_at
	left join (select k.id from core.trunk k
		join core.tenant_tree t on t.tenant_id = k.tenant_id
		where t.ancestor_id = p_viewer) own
		on own.id = f.diverting_trunk_id
	cross join lateral (select p_viewer = ''
		or f.diverting_trunk_id = '' or own.id is not null) s (is_seen)
	where f.is_attempt = p_attempts
		and (p_tenant = '' or f.tenant_id in (select s.tenant_id
			from core.tenant_tree s where s.ancestor_id = p_tenant))
		and (p_trunk = '' or f.trunk_id = p_trunk)
		and (p_carrier = '' or f.carrier_id = p_carrier)
		and (p_direction = '' or f.direction = p_direction)
		and (p_currency = '' or f.currency = p_currency)
$$;

revoke all on function report.facts(timestamptz, timestamptz),
	report.traffic(boolean, timestamptz, timestamptz, text, text, text, text,
		text, text) from public;
grant execute on function report.facts(timestamptz, timestamptz),
	report.traffic(boolean, timestamptz, timestamptz, text, text, text, text,
		text, text) to strowger_api;

-- Hours with such calls are counted anew, but for those that retention has taken
-- records of: what is gone could not be counted again.
select report.rebuild(h.hour, h.hour + interval '1 hour')
from (select distinct date_trunc('hour', r.started_at, 'UTC') as hour
	from cdr.record r where r.diverting_trunk_id <> '') h
where not exists (select from cdr.deletion d where d.last_started_at >= h.hour);
