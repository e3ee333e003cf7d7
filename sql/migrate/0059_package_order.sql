-- As in 0048, with minutes (the first by name) before money: of more than eight
-- those stay that a call would have.
create or replace function core.packages_of(account_id text, direction text, called text,
	at timestamptz) returns table (subscription_id text, name text,
	period integer, is_carried boolean, kind text, increment_ms integer,
	unit text, left_units bigint)
	language sql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
	select s.id, p.name, b.period, b.period < k.n, p.kind,
		p.increment_ms, core.package_unit(p), greatest(0, case
			when b.period = k.n then core.package_left(b)
			else least(core.package_left(b),
				b.carry_max - b.used_carried) end)
	from core.account a
		join core.tenant t on t.id = a.tenant_id
		join core.subscription s on s.tenant_id = t.id
			and (s.is_shared or s.account_id = a.id)
		join core.package p on p.id = s.package_id
		cross join lateral (select core.period_of(p.period,
			s.anchor_day, core.zone_or_utc(t.time_zone), $4)
			as n) k
		join core.package_balance b on b.subscription_id = s.id
			and b.period between k.n - p.carry_periods and k.n
	where a.id = $1 and s.status = 'active' and p.status = 'active'
		and p.currency = a.currency
		and p.direction in ('both', $2)
		and $4 >= greatest(s.starts_at, p.valid_from)
		and $4 < coalesce(least(s.ends_at, p.valid_to), 'infinity')
		and (p.zone_ids = '{}' or core.zone_has(p.zone_ids, $3))
		and not core.zone_has(p.excluded_zone_ids, $3)
		and (p.number_list_id is null or exists (
			select from core.number_list_entry e
			where e.list_id = p.number_list_id
				and (e.number = $3 or e.is_prefix
					and starts_with($3, e.number))
				and coalesce(e.expires_at, 'infinity') > $4))
	order by p.kind, p.priority, b.usable_to, s.id, b.period
	limit 8
$$;

-- Units that core.package_take() would have to give from; for route tests.
create function core.package_free(p_key text) returns bigint
	language sql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
	select coalesce((select case when s.status = 'active'
			and p.status = 'active' and t.status = 'active'
		then greatest(0, core.package_free(b, k.is_carried))
			/ p.increment_ms * p.increment_ms
		else 0 end
	from core.package_key($1) k
		join core.package_balance b
			on b.subscription_id = k.subscription_id
				and b.period = k.period
		join core.subscription s on s.id = b.subscription_id
		join core.package p on p.id = s.package_id
		join core.tenant t on t.id = s.tenant_id), 0)
$$;
revoke all on function core.package_free(text) from public;
grant execute on function core.package_free(text) to strowger_api;
