-- Packages: so many seconds of calls, or so much money, for a period of days or
-- months, of one account, or of all accounts of a tenant. A call
-- uses those of the period that it began in, and of earlier ones whose rest
-- outlives them.
--
-- A grant is a row of package_balance, never more than
--
--   used + leased <= granted + over
--
-- held by the database itself; over is usage that no lease covered (an
-- operator had released it), never refused, because the call has happened. A
-- balance is at any time the sum of its package_posting.
create table core.package (
	id text primary key check (core.is_id(id, 'pkg')),
	name core.name,
	status core.status default 'active',
	kind text not null check (kind in ('minutes', 'money')),
	-- of the fee, and of what a package of money has
	currency core.currency,
	seconds integer check (seconds between 1 and 1000000000),
	money_micro bigint check (money_micro between 1 and 1000000000000),
	-- minutes are taken in steps of this
	increment_ms integer not null default 1
		check (increment_ms between 1 and 86400000),
	-- who pays: a caller (out), who forwards (forward), or either
	direction text not null default 'out'
		check (direction in ('out', 'forward', 'both')),
	-- none: everywhere
	zone_ids text[] not null default '{}',
	excluded_zone_ids text[] not null default '{}',
	number_list_id text constraint package_number_list_id_fkey
		references core.number_list,
	period text not null check (period in ('day', 'month')),
	fee_micro bigint not null default 0
		check (fee_micro between 0 and 1000000000000),
	-- what is left of a period outlives it by so many, at most so much
	carry_periods integer not null default 0
		check (carry_periods between 0 and 3),
	carry_seconds integer check (carry_seconds between 0 and 1000000000),
	carry_money_micro bigint
		check (carry_money_micro between 0 and 1000000000000),
	-- the lowest first, then what ends first
	priority integer not null default 100
		check (priority between 0 and 65535),
	-- the grant of a period that a subscription has only some days of
	proration text not null default 'none'
		check (proration in ('none', 'days')),
	-- an event when no more than this is left
	low_percent integer not null default 20
		check (low_percent between 0 and 99),
	valid_from timestamptz,
	valid_to timestamptz,
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint package_amount check (case kind
		when 'minutes' then seconds is not null and num_nonnulls(
			money_micro, carry_money_micro) = 0
		else money_micro is not null and increment_ms = 1
			and num_nonnulls(seconds, carry_seconds) = 0 end),
	constraint package_zones_form check (
		core.is_id_list(zone_ids, 'zon', 16)
		and core.is_id_list(excluded_zone_ids, 'zon', 16)),
	constraint package_span check (valid_to > valid_from)
);
create index package_number_list on core.package (number_list_id);
create trigger package_touch before update on core.package
	for each row execute function core.touch();

-- What a package counts, and how, stays: balances are of it.
create function core.package_fixed() returns trigger language plpgsql as
$$
begin
	raise exception 'kind, period, currency and increment of package % stay',
		old.id using errcode = 'check_violation',
		constraint = 'package_fixed';
end
$$;
create trigger package_fixed before update on core.package
	for each row when ((old.kind, old.period, old.currency,
		old.increment_ms) is distinct from (new.kind, new.period,
		new.currency, new.increment_ms))
	execute function core.package_fixed();

create function core.package_zones() returns trigger language plpgsql as
$$
begin
	if exists (select from unnest(new.zone_ids || new.excluded_zone_ids) i
		where not exists (select from core.zone z
			where z.id = i for share)) then
		raise exception 'no such zone'
			using errcode = 'foreign_key_violation',
			constraint = 'package_zones_exist';
	end if;
	return null;
end
$$;
create trigger package_zones after insert or update of zone_ids,
	excluded_zone_ids on core.package
	for each row execute function core.package_zones();
create function core.zone_used() returns trigger language plpgsql as
$$
begin
	if exists (select from core.package p where old.id = any (p.zone_ids)
			or old.id = any (p.excluded_zone_ids)) then
		raise exception 'zone % is of a package', old.id
			using errcode = 'foreign_key_violation',
			constraint = 'zone_used';
	end if;
	return old;
end
$$;
create trigger zone_used before delete on core.zone
	for each row execute function core.zone_used();

-- An account has it, and pays its fee; all accounts of the tenant in its
-- currency use it when it is shared.
create table core.subscription (
	id text primary key check (core.is_id(id, 'sub')),
	package_id text not null references core.package,
	tenant_id text not null references core.tenant,
	account_id text not null,
	is_shared boolean not null default false,
	status core.status default 'active',
	quantity integer not null default 1
		check (quantity between 1 and 10000),
	-- months begin on this day, as those of the tenant's bills do
	anchor_day integer not null default 1
		check (anchor_day between 1 and 28),
	starts_at timestamptz not null default now()
		check (isfinite(starts_at)),
	ends_at timestamptz,
	-- when the next period begins that has no balance yet; null: never
	opens_at timestamptz default now(),
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	constraint subscription_account_id_fkey
		foreign key (account_id, tenant_id)
		references core.account (id, tenant_id),
	constraint subscription_span check (ends_at >= starts_at)
);
create index subscription_package on core.subscription (package_id);
create index subscription_tenant on core.subscription (tenant_id);
create index subscription_account on core.subscription (account_id);
create index subscription_opens on core.subscription (opens_at);
create trigger subscription_touch before update on core.subscription
	for each row when (old.opens_at is not distinct from new.opens_at)
	execute function core.touch();

create function core.subscription_currency() returns trigger
	language plpgsql as
$$
begin
	-- the foreign key would share it, and package_open() want it alone
	perform 1 from core.account a where a.id = new.account_id for update;
	if (select p.currency from core.package p where p.id = new.package_id)
		<> (select a.currency from core.account a
			where a.id = new.account_id) then
		raise exception 'package % is in another currency',
			new.package_id using errcode = 'check_violation',
			constraint = 'subscription_currency';
	end if;
	return new;
end
$$;
create trigger subscription_currency before insert on core.subscription
	for each row execute function core.subscription_currency();

-- Periods are numbered: days since 1970-01-01, or months since year 0, of the
-- tenant's zone. switch/catalog/subscription.c counts the same.
create function core.period_of(period text, anchor_day integer, zone text,
	at timestamptz) returns integer language sql stable as
$$
	select case period when 'day' then l.t::date - date '1970-01-01'
		else (extract(year from l.m) * 12 + extract(month from l.m)
			- 1)::integer end
	from (select x.t, x.t - make_interval(days => anchor_day - 1) as m
		from (select at at time zone zone as t) x) l
$$;
create function core.period_begin(period text, anchor_day integer, zone text,
	n integer) returns timestamptz language sql stable as
$$
	select (case period when 'day' then date '1970-01-01' + n
		else make_date(n / 12, n % 12 + 1, anchor_day) end)::timestamp
		at time zone zone
$$;

create table core.package_balance (
	subscription_id text not null references core.subscription,
	period integer not null check (period between 0 and 65535),
	starts_at timestamptz not null,
	ends_at timestamptz not null,
	-- calls that begin before this may use it
	usable_to timestamptz not null,
	-- all in ms, or micro-units of the currency
	granted bigint not null default 0,
	used bigint not null default 0,
	-- by calls that began in later periods
	used_carried bigint not null default 0,
	leased bigint not null default 0 check (leased >= 0),
	leased_carried bigint not null default 0 check (leased_carried >= 0),
	carry_max bigint check (carry_max >= 0),
	over bigint not null default 0 check (over >= 0),
	low_at bigint not null default 0,
	alarm text not null default 'none'
		check (alarm in ('none', 'low', 'exhausted')),
	primary key (subscription_id, period),
	constraint package_balance_covered check (used + used_carried + leased
		+ leased_carried <= granted + over),
	constraint package_balance_carry check (used_carried + leased_carried
		<= carry_max + over),
	check (starts_at < ends_at and ends_at <= usable_to)
);

create function core.package_left(b core.package_balance) returns bigint
	language sql immutable as
$$ select b.granted - b.used - b.used_carried $$;

-- Units a node may use before it reports, as core.lease. is_carried: for
-- calls of later periods.
create table core.package_lease (
	subscription_id text not null,
	period integer not null,
	is_carried boolean not null,
	node text not null,
	epoch bigint not null,
	granted bigint not null check (granted >= 0),
	settled bigint not null default 0,
	primary key (subscription_id, period, is_carried, node, epoch),
	foreign key (subscription_id, period) references core.package_balance,
	constraint package_lease_session foreign key (node, epoch)
		references core.node_session,
	check (settled between 0 and granted)
);
create index package_lease_node on core.package_lease (node, epoch);

-- usage is negative. (started_at, call_id, attempt) is the charge.
create table core.package_posting (
	id bigint generated always as identity primary key,
	subscription_id text not null,
	period integer not null,
	kind text not null
		check (kind in ('grant', 'usage', 'refund', 'adjustment')),
	units bigint not null check (units <> 0),
	is_carried boolean not null default false,
	started_at timestamptz,
	call_id uuid,
	attempt integer,
	note text check (length(note) <= 255),
	created_at timestamptz not null default now(),
	foreign key (subscription_id, period) references core.package_balance,
	constraint package_posting_sign check (case kind
		when 'grant' then units > 0 and call_id is null
		when 'usage' then units < 0 and call_id is not null
		when 'refund' then units > 0
		else true end),
	check (num_nulls(started_at, call_id, attempt) in (0, 3))
);
create index package_posting_balance
	on core.package_posting (subscription_id, period, id);
create index package_posting_call on core.package_posting (call_id)
	where call_id is not null;
create trigger package_posting_fixed before update or delete
	on core.package_posting
	for each row execute function core.refuse('package posting');
create trigger package_posting_kept before truncate on core.package_posting
	for each statement execute function core.refuse('package posting');

-- over goes away as leases come back; only package_settle() raises it. A
-- balance that fills up again ends its alarm.
create function core.package_balance_note() returns trigger
	language plpgsql as
$$
declare
	left_ bigint := core.package_left(new);
begin
	new.over := least(new.over, greatest(0, new.used + new.used_carried
		+ new.leased + new.leased_carried - new.granted,
		new.used_carried + new.leased_carried - new.carry_max));
	if (new.granted, new.used, new.used_carried) is distinct from
		(old.granted, old.used, old.used_carried) then
		new.alarm := case when left_ <= 0 or old.alarm = 'exhausted'
				and left_ <= core.package_left(old)
				then 'exhausted'
			when left_ <= new.low_at then 'low' else 'none' end;
	end if;
	return new;
end
$$;
create trigger package_balance_note before update on core.package_balance
	for each row execute function core.package_balance_note();

-- Seconds or units of the currency, as REST writes them.
create function core.package_amount(kind text, units bigint) returns text
	language sql immutable as
$$
	select case kind when 'minutes'
		then (units::numeric / 1000)::numeric(24, 3)
		else (units::numeric / 1000000)::numeric(24, 6) end::text
$$;
create function core.package_unit(p core.package) returns text
	language sql immutable as
$$ select case p.kind when 'minutes' then 's' else p.currency::text end $$;

create function core.package_tell(kind text, b core.package_balance)
	returns void language sql security definer
	set search_path = pg_catalog, pg_temp as
$$
	select core.event_note($1, s.tenant_id, s.id, jsonb_build_object(
		'package', p.name, 'account_id', s.account_id,
		'starts_at', to_char(b.starts_at at time zone 'UTC',
			'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
		'ends_at', to_char(b.ends_at at time zone 'UTC',
			'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
		'left', core.package_amount(p.kind, core.package_left(b)),
		'granted', core.package_amount(p.kind, b.granted),
		'unit', core.package_unit(p)))
	from core.subscription s join core.package p on p.id = s.package_id
	where s.id = b.subscription_id
$$;
create function core.package_alarm() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	perform core.package_tell('package.' || case new.alarm
		when 'none' then 'ok' else new.alarm end, new);
	return null;
end
$$;
create trigger package_alarm after update on core.package_balance
	for each row when (old.alarm is distinct from new.alarm)
	execute function core.package_alarm();

-- What leases may still have of a balance, for calls of later periods too.
create function core.package_free(b core.package_balance,
	is_carried boolean) returns bigint language sql immutable as
$$
	select least(f.free, case when is_carried then b.carry_max
		- b.used_carried - b.leased_carried end)
	from (select core.package_left(b) - b.leased - b.leased_carried)
		f (free)
$$;

-- Nodes that found nothing, not even an increment, ask again when there is
-- more: a grant, or what another node gave back.
create function core.package_more() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	perform pg_notify('strowger_lease', '+' || new.subscription_id
		|| case when c then '+' else ':' end
		|| lpad(to_hex(new.period), 4, '0'))
	from unnest(array[false, true]) c, core.subscription s
		join core.package p on p.id = s.package_id
	where s.id = new.subscription_id
		and core.package_free(old, c) < p.increment_ms
		and core.package_free(new, c) >= p.increment_ms;
	return null;
end
$$;
create trigger package_more after update on core.package_balance
	for each row when (
		(new.granted - new.used - new.used_carried - new.leased
			- new.leased_carried > old.granted - old.used
			- old.used_carried - old.leased - old.leased_carried)
		or (new.used_carried + new.leased_carried
			< old.used_carried + old.leased_carried))
	execute function core.package_more();

-- All of a subscription's balances are moved under the lock of their rows, in
-- the order of their key.
create function core.package_book(p_subscription_id text, p_period integer,
	p_kind text, p_units bigint, p_note text default null)
	returns core.package_posting
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	posting core.package_posting;
begin
	update core.package_balance b set granted = b.granted + p_units
		where b.subscription_id = p_subscription_id
			and b.period = p_period;
	if not found then
		raise exception 'no such period of %', p_subscription_id
			using errcode = 'foreign_key_violation',
			constraint = 'package_period';
	end if;
	insert into core.package_posting (subscription_id, period, kind,
			units, note)
		values (p_subscription_id, p_period, p_kind, p_units, p_note)
		returning * into posting;
	return posting;
end
$$;

-- What a period grants of a subscription that has only some of its days.
create function core.package_part(amount bigint, s core.subscription,
	p core.package, zone text, starts timestamptz, ends timestamptz)
	returns bigint language sql stable as
$$
	select case when p.proration = 'none' then amount
		else div(amount::numeric * (least(e, t) - greatest(b, f)),
			e - b)::bigint end
	from (select (starts at time zone zone)::date as b,
		(ends at time zone zone)::date as e,
		(greatest(s.starts_at, p.valid_from) at time zone zone)::date
			as f,
		-- a day that is begun is had
		coalesce((((least(s.ends_at, p.valid_to)
			- interval '1 microsecond') at time zone zone)::date
			+ 1), 'infinity') as t) x
$$;

-- The balance of a period, made when it is needed first, with its fee. Whoever
-- waits for an account holds no balance yet.
create function core.package_open(p_subscription_id text, p_period integer)
	returns void language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	s core.subscription;
	p core.package;
	zone text;
	starts timestamptz;
	ends timestamptz;
	amount bigint;
	b core.package_balance;
begin
	select * into s from core.subscription where id = p_subscription_id;
	select * into p from core.package where id = s.package_id;
	select core.zone_or_utc(t.time_zone) into zone from core.tenant t
		where t.id = s.tenant_id;
	starts := core.period_begin(p.period, s.anchor_day, zone, p_period);
	ends := core.period_begin(p.period, s.anchor_day, zone, p_period + 1);
	if s.status <> 'active' or p.status <> 'active'
		or greatest(s.starts_at, p.valid_from) >= ends
		or least(s.ends_at, p.valid_to) <= starts
		-- neither may be over before the other begins
		or greatest(s.starts_at, p.valid_from)
			>= least(s.ends_at, p.valid_to) then
		return;
	end if;
	perform 1 from core.account a where a.id = s.account_id for update;
	amount := core.package_part(s.quantity * coalesce(p.seconds
		* 1000::bigint, p.money_micro), s, p, zone, starts, ends);
	insert into core.package_balance (subscription_id, period, starts_at,
			ends_at, usable_to, carry_max, low_at)
		values (s.id, p_period, starts, ends, core.period_begin(
			p.period, s.anchor_day, zone,
			p_period + 1 + p.carry_periods),
			s.quantity * coalesce(p.carry_seconds * 1000::bigint,
				p.carry_money_micro),
			amount / 100 * p.low_percent)
		on conflict do nothing;
	if not found then
		return;
	end if;
	perform billing.charge_post(s.account_id, 'package', p.name,
		core.package_part(s.quantity * p.fee_micro, s, p, zone,
			starts, ends),
		greatest((starts at time zone zone)::date,
			(s.starts_at at time zone zone)::date),
		least((ends at time zone zone)::date - 1,
			((s.ends_at - interval '1 microsecond')
				at time zone zone)::date),
		greatest((starts at time zone zone)::date,
			(s.starts_at at time zone zone)::date), s.id,
		s.quantity);
	if amount = 0 then
		return;
	end if;
	perform core.package_book(s.id, p_period, 'grant', amount);
	-- the period before was used up: there is more now
	select * into b from core.package_balance o
		where o.subscription_id = s.id and o.period < p_period
		order by o.period desc limit 1;
	if b.alarm <> 'none' then
		select * into b from core.package_balance o
			where o.subscription_id = s.id
				and o.period = p_period;
		perform core.package_tell('package.ok', b);
	end if;
end
$$;

-- The present period of a subscription, and when the next is due.
create function core.package_open_now(p_subscription_id text)
	returns void language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	s record;
	present integer;
begin
	select u.anchor_day, u.ends_at, p.period,
			greatest(u.starts_at, p.valid_from) as begins,
			core.zone_or_utc(t.time_zone) as zone into s
		from core.subscription u
			join core.package p on p.id = u.package_id
			join core.tenant t on t.id = u.tenant_id
		where u.id = p_subscription_id;
	present := core.period_of(s.period, s.anchor_day, s.zone, now());
	if s.begins <= now() then
		perform core.package_open(p_subscription_id, present);
	end if;
	update core.subscription u set opens_at = case
		when s.ends_at <= now() then null
		when s.begins > now() then s.begins
		else core.period_begin(s.period, s.anchor_day, s.zone,
			present + 1) end
		where u.id = p_subscription_id;
end
$$;

-- Periods that have begun; some at a time. Returns how many subscriptions. One
-- that fails is left for an hour: the others do not wait for it.
create function core.package_open_due(p_max integer default 20)
	returns bigint language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	due text;
	n bigint := 0;
begin
	-- Accounts in order, as whoever pays calls locks them. Who has an
	-- account may refer to a subscription while it is opened here, so that
	-- neither waits for the other: no key update.
	for due in select x.id from (select o.id, o.account_id
			from core.subscription o where o.opens_at <= now()
			order by o.opens_at limit p_max) x
		order by x.account_id, x.id
	loop
		perform 1 from core.subscription o
			where o.id = due and o.opens_at <= now()
			for no key update skip locked;
		continue when not found;
		n := n + 1;
		begin
			perform core.package_open_now(due);
		exception when others then
			raise warning 'subscription % does not open: %', due,
				sqlerrm;
			update core.subscription o
				set opens_at = now() + interval '1 h'
				where o.id = due;
		end;
	end loop;
	return n;
end
$$;

-- An edit may make a period due.
create function core.subscription_due() returns trigger language plpgsql as
$$
begin
	new.opens_at := least(new.opens_at, now());
	return new;
end
$$;
create trigger subscription_due before insert or update of status, ends_at
	on core.subscription for each row
	execute function core.subscription_due();

-- One that is made now has its balance at once.
create function core.subscription_born() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	perform core.package_open_now(x.id) from (select b.id from born b
		order by b.account_id, b.id) x;
	return null;
end
$$;
create trigger subscription_born after insert on core.subscription
	referencing new table as born
	for each statement execute function core.subscription_born();

-- One that nothing was used of may go, with its grants.
create function core.subscription_gone() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	if exists (select from core.package_balance b
		where b.subscription_id = old.id) then
		raise exception 'subscription % has had periods', old.id
			using errcode = 'foreign_key_violation',
			constraint = 'subscription_had';
	end if;
	return old;
end
$$;
create trigger subscription_gone before delete on core.subscription
	for each row execute function core.subscription_gone();

-- --- leases ---------------------------------------------------------------

-- What a node calls a balance: the subscription, ":" for calls that began in
-- the period or "+" for those of later ones, the period in four hex digits.
create function core.package_key(l core.package_lease) returns text
	language sql immutable as
$$
	select l.subscription_id || case when l.is_carried then '+' else ':'
		end || lpad(to_hex(l.period), 4, '0')
$$;
create function core.package_key(key text, out subscription_id text,
	out is_carried boolean, out period integer)
	language sql immutable as
$$
	select left(key, 30), substr(key, 31, 1) = '+',
		('x' || right(key, 4))::bit(16)::integer
	where key ~ '^sub_[0-9a-z]{26}[:+][0-9a-f]{4}$'
$$;

create function core.node_claimed(p_node text, p_epoch bigint) returns void
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	perform 1 from core.node_session s where s.node = p_node
		and s.epoch = p_epoch and s.expires_at > clock_timestamp();
	if not found then
		raise exception 'node % has not claimed its session', p_node
			using errcode = 'object_not_in_prerequisite_state',
			constraint = 'node_claimed';
	end if;
end
$$;

-- Up to want, and never more than half of what is free, or min, or the last
-- increment; all that there is when that is less than min: a call uses it to
-- the last increment.
-- Only of periods in which a call may have begun that is up now.
create function core.package_take(p_key text, p_node text, p_epoch bigint,
	p_want bigint, p_min bigint) returns bigint
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	k record;
	s record;
	b core.package_balance;
	free bigint;
	given bigint;
begin
	select * into k from core.package_key(p_key);
	select p.increment_ms as step, u.status = 'active'
			and p.status = 'active' and t.status = 'active'
			and k.period between core.period_of(p.period,
				u.anchor_day, z.zone, now() - interval '25 h')
				- case when k.is_carried then p.carry_periods
				else 0 end
			and core.period_of(p.period, u.anchor_day, z.zone,
				now() + interval '5 min')
				- k.is_carried::integer
			as is_open into s
		from core.subscription u
			join core.package p on p.id = u.package_id
			join core.tenant t on t.id = u.tenant_id
			cross join lateral core.zone_or_utc(t.time_zone)
				z (zone)
		where u.id = k.subscription_id;
	if s.is_open is not true or p_want <= 0 then
		return 0;
	end if;
	if not k.is_carried and not exists (select from core.package_balance o
			where o.subscription_id = k.subscription_id
				and o.period = k.period) then
		perform core.package_open(k.subscription_id, k.period);
	end if;
	select * into b from core.package_balance o
		where o.subscription_id = k.subscription_id
			and o.period = k.period for update;
	if not found then
		return 0;
	end if;
	-- an operator may have released what the node held meanwhile
	perform core.node_claimed(p_node, p_epoch);
	free := core.package_free(b, k.is_carried);
	given := least(p_want, greatest(free / 2, p_min, s.step), free);
	given := given / s.step * s.step;
	if given <= 0 then
		perform core.package_dry(b, p_key, p_node, s.step);
		return 0;
	end if;
	update core.package_balance o set
		leased = o.leased + case when k.is_carried then 0
			else given end,
		leased_carried = o.leased_carried + case when k.is_carried
			then given else 0 end
		where o.subscription_id = b.subscription_id
			and o.period = b.period;
	insert into core.package_lease as l (subscription_id, period,
			is_carried, node, epoch, granted)
		values (b.subscription_id, b.period, k.is_carried, p_node,
			p_epoch, given)
		on conflict on constraint package_lease_pkey do update set
			granted = l.granted + excluded.granted;
	return given;
end
$$;

-- Nothing to give. Others may have more than they need; when nobody has, it is
-- used up, though a rest is less than an increment.
create function core.package_dry(b core.package_balance, p_key text,
	p_node text, step integer) returns void
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	if exists (select from core.package_lease l
		where l.subscription_id = b.subscription_id
			and l.period = b.period and l.node <> p_node
			and l.granted > l.settled) then
		perform pg_notify('strowger_lease', '-' || p_key);
	elsif b.leased + b.leased_carried = 0
		and core.package_left(b) < step then
		update core.package_balance o set alarm = 'exhausted'
			where o.subscription_id = b.subscription_id
				and o.period = b.period
				and o.alarm <> 'exhausted';
	end if;
end
$$;

create function core.package_unlease(p_subscription_id text,
	p_period integer, p_is_carried boolean, p_units bigint) returns void
	language sql security definer
	set search_path = pg_catalog, pg_temp as
$$
	update core.package_balance b set
		leased = b.leased - case when p_is_carried then 0
			else p_units end,
		leased_carried = b.leased_carried - case when p_is_carried
			then p_units else 0 end
	where b.subscription_id = p_subscription_id and b.period = p_period
$$;

-- The node has p_granted of what it was given in this start, used or not.
create function core.package_keep(p_key text, p_node text, p_epoch bigint,
	p_granted bigint) returns bigint language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	k record;
	returned bigint;
begin
	select * into k from core.package_key(p_key);
	perform 1 from core.package_balance b
		where b.subscription_id = k.subscription_id
			and b.period = k.period for update;
	select greatest(0, least(l.granted - p_granted, l.granted - l.settled))
		into returned from core.package_lease l
		where l.subscription_id = k.subscription_id
			and l.period = k.period
			and l.is_carried = k.is_carried
			and l.node = p_node and l.epoch = p_epoch;
	if coalesce(returned, 0) = 0 then
		return 0;
	end if;
	update core.package_lease l set granted = l.granted - returned
		where l.subscription_id = k.subscription_id
			and l.period = k.period
			and l.is_carried = k.is_carried
			and l.node = p_node and l.epoch = p_epoch;
	perform core.package_unlease(k.subscription_id, k.period,
		k.is_carried, returned);
	return returned;
end
$$;

-- What earlier starts left, whose journal has been loaded.
create function core.package_close(p_node text, p_epochs bigint[])
	returns void language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	perform 1 from core.package_balance b
		where (b.subscription_id, b.period) in (
			select l.subscription_id, l.period
			from core.package_lease l where l.node = p_node
				and l.epoch = any (p_epochs))
		order by b.subscription_id, b.period for update;
	with gone as (delete from core.package_lease l
			where l.node = p_node and l.epoch = any (p_epochs)
			returning *)
	update core.package_balance b set
		leased = b.leased - r.own,
		leased_carried = b.leased_carried - r.carried
	from (select g.subscription_id, g.period,
			coalesce(sum(g.granted - g.settled)
				filter (where not g.is_carried), 0) as own,
			coalesce(sum(g.granted - g.settled)
				filter (where g.is_carried), 0) as carried
		from gone g group by g.subscription_id, g.period) r
	where b.subscription_id = r.subscription_id and b.period = r.period;
end
$$;

create view core.package_lease_state as
	select l.subscription_id, l.period, l.is_carried, l.node, l.epoch,
		l.granted - l.settled as left_units,
		core.package_unit(p) as unit,
		core.package_amount(p.kind, l.granted) as granted_amount,
		core.package_amount(p.kind, l.settled) as settled_amount,
		core.package_amount(p.kind, l.granted - l.settled)
			as left_amount,
		case when s.expires_at > now() then 'leased' else 'pending'
			end as state,
		s.expires_at as until,
		core.package_key(l) as key,
		l.node || '.' || l.epoch || '.' || l.period || case
			when l.is_carried then '+' else '' end as id
	from core.package_lease l join core.node_session s
		on s.node = l.node and s.epoch = l.epoch
		join core.subscription u on u.id = l.subscription_id
		join core.package p on p.id = u.package_id;

-- An operator's word that a node will not report any more, as
-- core.lease_release_node(). Returns the sum of units.
create function core.package_release(p_subscription_id text, p_node text,
	p_note text default null) returns bigint
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	l record;
	freed bigint := 0;
begin
	for l in select * from core.package_lease_state v
		where v.subscription_id = p_subscription_id
			and v.node = p_node and v.state = 'pending'
			and v.left_units > 0
		order by v.period, v.is_carried
	loop
		-- the session is looked at again under its lock
		perform 1 from core.package_balance b
			where b.subscription_id = l.subscription_id
				and b.period = l.period for update;
		perform 1 from core.node_session s where s.node = l.node
			and s.epoch = l.epoch and s.expires_at <= now()
			for update;
		continue when not found;
		select x.granted - x.settled into l.left_units
			from core.package_lease x
			where x.subscription_id = l.subscription_id
				and x.period = l.period
				and x.is_carried = l.is_carried
				and x.node = l.node and x.epoch = l.epoch;
		continue when coalesce(l.left_units, 0) = 0;
		update core.package_lease x set granted = x.settled
			where x.subscription_id = l.subscription_id
				and x.period = l.period
				and x.is_carried = l.is_carried
				and x.node = l.node and x.epoch = l.epoch;
		perform core.package_unlease(l.subscription_id, l.period,
			l.is_carried, l.left_units);
		insert into core.lease_release (node, epoch, seq, account_id,
				amount_micro, note)
			values (l.node, l.epoch, 1 + (select coalesce(
				max(r.seq), 0) from core.lease_release r
				where r.node = l.node and r.epoch = l.epoch),
				l.key, l.left_units, p_note);
		freed := freed + l.left_units;
	end loop;
	return freed;
end
$$;

-- --- usage ----------------------------------------------------------------

-- packages: [{"subscription_id", "period", "is_carried", "kind",
-- "increment_ms", "units", "covered"}, ...] of the charge: what each was
-- charged (units) for what it paid (covered: ms or micro-units). covered_ms
-- and covered_micro are the sums. null: none.
alter table cdr.charge
	add column covered_micro bigint,
	add column packages jsonb;

-- What charges take from packages: leases are settled, usage is posted, in
-- the transaction that brings the charges. A period that is gone, or never
-- was, has nothing to post to.
create function core.package_settle(p_node text, p_charges cdr.charge[])
	returns void language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	items jsonb;
begin
	select jsonb_agg(jsonb_build_object('epoch', c.lease_epoch,
			'started_at', c.started_at, 'call_id', c.call_id,
			'attempt', c.attempt) || x
			order by c.started_at, c.call_id, c.attempt)
		into items
		from unnest(p_charges) c, jsonb_array_elements(c.packages) x
		where c.side = 'sell' and (x->>'units')::bigint > 0;
	if items is null then
		return;
	end if;
	perform 1 from core.package_balance b
		where (b.subscription_id, b.period) in (
			select i.subscription_id, i.period
			from jsonb_to_recordset(items) i (subscription_id text,
				period integer))
		order by b.subscription_id, b.period for update;

	with spent as materialized (
		select i.subscription_id, i.period, i.is_carried, i.epoch,
			sum(i.units)::bigint as units
		from jsonb_to_recordset(items) i (subscription_id text,
			period integer, is_carried boolean, epoch bigint,
			units bigint)
		group by 1, 2, 3, 4),
	due as materialized (
		select s.*, least(s.units, coalesce(l.granted - l.settled, 0))
			as due
		from spent s left join core.package_lease l
			on (l.subscription_id, l.period, l.is_carried, l.epoch)
				= (s.subscription_id, s.period, s.is_carried,
				s.epoch) and l.node = p_node),
	settled as (update core.package_lease l
		set settled = l.settled + d.due
		from due d where (l.subscription_id, l.period, l.is_carried,
			l.epoch) = (d.subscription_id, d.period, d.is_carried,
			d.epoch) and l.node = p_node and d.due > 0),
	total as (
		select d.subscription_id, d.period,
			coalesce(sum(d.units) filter (where not d.is_carried),
				0)::bigint as own,
			coalesce(sum(d.units) filter (where d.is_carried),
				0)::bigint as carried,
			coalesce(sum(d.due) filter (where not d.is_carried),
				0)::bigint as own_due,
			coalesce(sum(d.due) filter (where d.is_carried),
				0)::bigint as carried_due
		from due d group by 1, 2)
	update core.package_balance b set
		used = b.used + t.own,
		used_carried = b.used_carried + t.carried,
		leased = b.leased - t.own_due,
		leased_carried = b.leased_carried - t.carried_due,
		over = 9223372036854775807 -- what is needed, by the trigger
	from total t where b.subscription_id = t.subscription_id
		and b.period = t.period;

	insert into core.package_posting (subscription_id, period, kind,
		units, is_carried, started_at, call_id, attempt)
	select i.subscription_id, i.period, 'usage', -i.units, i.is_carried,
		i.started_at, i.call_id, i.attempt
	from jsonb_to_recordset(items) i (subscription_id text,
		period integer, is_carried boolean, units bigint,
		started_at timestamptz, call_id uuid, attempt integer)
	where exists (select from core.package_balance b
		where b.subscription_id = i.subscription_id
			and b.period = i.period)
	order by i.started_at, i.call_id, i.attempt;
end
$$;

create or replace function cdr.pay(p_node text, p_charges cdr.charge[])
	returns bigint language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	postings bigint;
begin
	perform cdr.settle(p_node, p_charges);
	select count(*) into postings from core.post_all(array(
		select row(c.account_id, case when c.amount_micro > 0
				then 'usage' else 'credit' end,
			-c.amount_micro, null, c.call_id,
			c.attempt)::core.posting_item
		from unnest(p_charges) c join core.account a
			on a.id = c.account_id
		where c.side = 'sell' and c.amount_micro <> 0
		order by c.started_at, c.call_id));
	perform core.package_settle(p_node, p_charges);
	return postings;
end
$$;

-- Usage that a charge brought is taken back, as a re-rating or a credit note
-- does: the balance has it again while its period lasts. Once.
create function core.package_refund(c cdr.charge, note text default null)
	returns bigint language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	u record;
	n bigint := 0;
begin
	for u in select p.subscription_id, p.period, p.is_carried,
			-sum(p.units)::bigint as units
		from core.package_posting p
		where p.call_id = c.call_id and p.attempt = c.attempt
			and p.started_at = c.started_at
		group by 1, 2, 3 having sum(p.units) < 0 order by 1, 2, 3
	loop
		update core.package_balance b set
			used = b.used - case when u.is_carried then 0
				else u.units end,
			used_carried = b.used_carried - case when u.is_carried
				then u.units else 0 end
			where b.subscription_id = u.subscription_id
				and b.period = u.period;
		insert into core.package_posting (subscription_id, period,
				kind, units, is_carried, started_at, call_id,
				attempt, note)
			values (u.subscription_id, u.period, 'refund',
				u.units, u.is_carried, c.started_at,
				c.call_id, c.attempt, package_refund.note);
		n := n + 1;
	end loop;
	return n;
end
$$;

-- --- the node's functions, for packages too -------------------------------

alter function api_v1.lease_take(text, text, bigint, bigint, bigint, boolean)
	rename to money_take;
alter function api_v1.money_take(text, text, bigint, bigint, bigint, boolean)
	set schema core;
revoke execute on function core.money_take(text, text, bigint, bigint, bigint,
	boolean) from strowger_switch;
-- account_id may be the key of a package's balance; then the units are its.
create function api_v1.lease_take(account_id text, node text, epoch bigint,
	want_micro bigint, min_micro bigint, is_running boolean default false)
	returns bigint
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	if left($1, 4) <> 'sub_' then
		return core.money_take($1, $2, $3, $4, $5, $6);
	end if;
	perform core.node_claimed($2, $3);
	return core.package_take($1, $2, $3, $4, $5);
end
$$;

create or replace function api_v1.lease_keep(account_id text, node text,
	epoch bigint, granted_micro bigint) returns bigint
	language sql security definer
	set search_path = pg_catalog, pg_temp as
$$
	select case when left($1, 4) = 'sub_'
		then core.package_keep($1, $2, $3, $4)
		else coalesce((select api_v1.lease_return($1, $2, $3,
				l.granted_micro - $4)
			from core.lease l
			where l.account_id = $1 and l.node = $2
				and l.epoch = $3 and l.granted_micro > $4),
			0) end
$$;

-- As in 0033, and packages of which more is used and leased than there is.
create or replace function api_v1.node_claim(node text, epoch bigint,
	home text, ttl_s integer, released_seen bigint)
	returns table (what text, name text, micro bigint)
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	other core.node_session;
begin
	perform pg_advisory_xact_lock(
		hashtextextended('strowger.node.' || $1, 0));
	select * into other from core.node_session s
		where s.node = $1 and s.home <> $3 and s.home <> ''
			and (s.expires_at > now() or s.epoch = $2)
		order by s.expires_at desc limit 1;
	if found then
		return query select 'refused', format('a node of this name '
			'with another state folder (%s) holds it until %s',
			other.home, other.expires_at), null::bigint;
		return;
	end if;
	if exists (select from core.node_session s where s.node = $1
			and s.epoch > $2 and s.home = $3) then
		return query select 'refused', 'a later start of this node '
			'has it', null::bigint;
		return;
	end if;

	insert into core.node_session as s (node, epoch, home, expires_at)
		values ($1, $2, $3, now() + make_interval(secs => $4))
		on conflict on constraint node_session_pkey do update set
			home = excluded.home, expires_at = excluded.expires_at,
			is_told = false;
	-- earlier starts of this folder are over, whatever they claimed
	update core.node_session s set expires_at = now()
		where s.node = $1 and s.epoch < $2 and s.expires_at > now();
	perform core.node_lost_tell();

	return query
	select 'claimed', null, coalesce(max(r.seq), 0)
		from core.lease_release r
		where r.node = $1 and r.epoch = $2
	union all
	select 'released', r.account_id, r.amount_micro
		from core.lease_release r where r.node = $1 and r.epoch = $2
			and r.seq > $5
	union all
	select 'recalled', l.account_id, null
		from core.account a join core.lease l on l.account_id = a.id
		where a.overspent_micro > 0 and l.node = $1 and l.epoch = $2
			and l.granted_micro > l.settled_micro
	union all
	select 'recalled', core.package_key(l), null
		from core.package_lease l join core.package_balance b
			on b.subscription_id = l.subscription_id
				and b.period = l.period
		where b.over > 0 and l.node = $1 and l.epoch = $2
			and l.granted > l.settled;
end
$$;

-- As in 0033, and packages.
create or replace function api_v1.lease_close_epochs(node text, epoch bigint)
	returns bigint
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	epochs bigint[];
	freed_micro bigint;
begin
	select array_agg(s.epoch) into epochs from core.node_session s
		where s.node = $1 and s.epoch < $2 and s.home in ('',
			(select o.home from core.node_session o
				where o.node = $1 and o.epoch <= $2
				order by o.epoch desc limit 1));
	perform 1 from core.account a where a.id in (select l.account_id
			from core.lease l
			where l.node = $1 and l.epoch = any(epochs))
		order by a.id for update;
	with gone as (delete from core.lease l
			where l.node = $1 and l.epoch = any(epochs)
			returning *),
	rest as materialized (select g.account_id,
			sum(g.granted_micro - g.settled_micro)::bigint as micro
		from gone g group by g.account_id),
	freed as materialized (select r.micro,
			core.account_unlease(r.account_id, r.micro)
		from rest r)
	select coalesce(sum(f.micro), 0) into freed_micro from freed f;
	perform core.package_close($1, epochs);
	delete from core.lease_release r
		where r.node = $1 and r.epoch = any(epochs);
	delete from core.node_session s
		where s.node = $1 and s.epoch = any(epochs);
	return freed_micro;
end
$$;

-- As in 0033; and units of packages that are pending.
create or replace function core.node_lost_tell() returns void
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	perform core.event_note('lease.expired', a.tenant_id, a.id,
		jsonb_build_object('node', l.node, 'epoch', l.epoch, 'amount',
			((l.granted_micro - l.settled_micro) / 1000000.0)
				::numeric(20, 6)::text,
			'currency', a.currency))
	from core.node_session s
		join core.lease l on l.node = s.node and l.epoch = s.epoch
			and l.granted_micro > l.settled_micro
		join core.account a on a.id = l.account_id
	where s.expires_at < now() - interval '10 s' and not s.is_told;
	perform core.event_note('lease.expired', u.tenant_id, u.id,
		jsonb_build_object('node', l.node, 'epoch', l.epoch, 'amount',
			core.package_amount(p.kind,
				sum(l.granted - l.settled)::bigint),
			'unit', core.package_unit(p)))
	from core.node_session s
		join core.package_lease l on l.node = s.node
			and l.epoch = s.epoch and l.granted > l.settled
		join core.subscription u on u.id = l.subscription_id
		join core.package p on p.id = u.package_id
	where s.expires_at < now() - interval '10 s' and not s.is_told
	group by u.id, p.id, l.node, l.epoch;
	update core.node_session s set is_told = true
		where s.expires_at < now() - interval '10 s'
			and not s.is_told;
end
$$;

-- --- what the switch reads ------------------------------------------------

create function core.subscription_object(id text) returns jsonb
	language sql stable as
$$
	select jsonb_build_object('id', s.id, 'tenant_id', s.tenant_id,
		'account_id', s.account_id, 'is_shared', s.is_shared,
		'is_active', s.status = 'active'
			and p.status = 'active',
		'kind', p.kind, 'currency', p.currency,
		'increment_ms', p.increment_ms, 'direction', p.direction,
		'zone_ids', p.zone_ids,
		'excluded_zone_ids', p.excluded_zone_ids,
		'number_list_id', p.number_list_id, 'period', p.period,
		'anchor_day', s.anchor_day,
		'carry_periods', p.carry_periods, 'priority', p.priority,
		'from_ms', core.ms(greatest(s.starts_at, p.valid_from)),
		'to_ms', core.ms(least(s.ends_at, p.valid_to)))
	from core.subscription s join core.package p on p.id = s.package_id
	where s.id = $1
$$;
insert into core.change_kind (kind, reader)
	values ('subscription', 'core.subscription_object');
create constraint trigger subscription_change after insert or delete
	on core.subscription deferrable initially deferred
	for each row execute function core.change_row('subscription', 'id');
create constraint trigger subscription_edit after update
	on core.subscription deferrable initially deferred
	for each row when (old.opens_at is not distinct from new.opens_at
		or (old.status, old.ends_at) is distinct from
		(new.status, new.ends_at))
	execute function core.change_row('subscription', 'id');
create function core.package_change() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	perform core.change_note('subscription', s.id)
		from core.subscription s where s.package_id = new.id
		order by s.id;
	return null;
end
$$;
create constraint trigger package_change after update on core.package
	deferrable initially deferred for each row
	execute function core.package_change();

-- Offsets of the zone are told of tenants that have a daily limit somewhere,
-- or a package.
create or replace function core.tenant_object(id text) returns jsonb
	language sql stable as
$$
	select to_jsonb(t) || jsonb_build_object('offsets',
		case when core.has_spend_limit(t.id) or exists (
			select from core.subscription s
			where s.tenant_id = t.id)
		then core.zone_offsets(core.zone_or_utc(t.time_zone))
		else '[]' end)
	from core.tenant t where t.id = $1
$$;
create constraint trigger subscription_tenant_change after insert
	on core.subscription deferrable initially deferred
	for each row execute function core.change_row('tenant', 'tenant_id');

-- --- arithmetic -----------------------------------------------------------

-- As in 0037, less what packages of money pay: covered_micro, before taxes.
drop function rating.parts(jsonb, bigint, bigint);
create function rating.parts(price jsonb, duration_ms bigint,
	covered_ms bigint default 0, covered_micro bigint default 0,
	out gross_micro bigint, out net_micro bigint, out tax_micro bigint[],
	out billed_ms bigint)
	language plpgsql immutable parallel safe as
$$
declare
	mode text := price->>'mode';
	decimals integer := (price->>'decimals')::integer;
	duration numeric := rating.round_duration(duration_ms,
		price->>'duration');
	cost record;
	amount numeric;
	gross numeric;
	net numeric;
	tax numeric;
	ppm numeric;
	all_ppm numeric := 0;
	turn integer := case when (price->>'is_reverse')::boolean then -1
		else 1 end;
begin
	cost := rating.time_cost(price, greatest(0,
		duration - (price->>'free_ms')::numeric), covered_ms);
	amount := cost.nano_ms;
	if duration > 0 then
		amount := amount + 60000000
			* (price->>'connect_micro')::numeric;
		if cost.billed_ms > covered_ms or covered_ms = 0 then
			amount := greatest(amount, 60000000
				* (price->>'minimum_micro')::numeric);
		end if;
	end if;
	amount := amount + 60000000 * (price->>'attempt_micro')::numeric;
	if not (price->>'is_cap_cut')::boolean then
		-- least() passes over a cap that is null
		amount := least(amount, 60000000
			* (price->>'cap_micro')::numeric);
	end if;
	net := rating.round_micro(amount * (price->>'exchange_nano')::numeric,
		60000000 * 1000000000::numeric, mode, decimals);
	net := greatest(0, net - covered_micro);
	gross := net;

	tax_micro := '{}';
	if (price->>'is_tax_included')::boolean then
		select coalesce(sum((t->>1)::numeric), 0) into all_ppm
			from jsonb_array_elements(price->'taxes') t;
	end if;
	for ppm in select (t->>1)::numeric from jsonb_array_elements(
			price->'taxes') with ordinality x (t, o) order by o loop
		if (price->>'is_tax_included')::boolean then
			tax := least(net, rating.round_micro(gross * ppm,
				1000000 + all_ppm, mode, decimals));
			net := net - tax;
		else
			tax := rating.round_micro(net * ppm, 1000000, mode,
				decimals);
			gross := gross + tax;
		end if;
		tax_micro := tax_micro || (turn * tax)::bigint;
	end loop;

	gross_micro := turn * gross;
	net_micro := turn * net;
	billed_ms := greatest(0, cost.billed_ms - covered_ms);
end
$$;

-- What packages pay of a call, the first before the others: minutes the
-- billed time from its beginning, in their increments, then money what is
-- left of the price before taxes. packages: [{"kind", "increment_ms", "left"
-- (ms or micro-units), ...}]; comes back with "units" and "covered".
-- rating/cover.h is the same in C.
create function rating.cover(price jsonb, duration_ms bigint, packages jsonb,
	out covered_ms bigint, out covered_micro bigint, out used jsonb)
	language plpgsql immutable parallel safe as
$$
declare
	p record;
	billed bigint := rating.billed_ms(price, duration_ms);
	rest bigint;
	paid bigint;
	step bigint;
	shares jsonb := '{}';
begin
	covered_ms := 0;
	covered_micro := 0;
	for p in select x.v, x.o from jsonb_array_elements(packages)
			with ordinality x (v, o)
		where x.v->>'kind' = 'minutes' order by x.o loop
		step := (p.v->>'increment_ms')::bigint;
		paid := least(billed - covered_ms,
			(p.v->>'left')::bigint / step * step);
		covered_ms := covered_ms + paid;
		shares := shares || jsonb_build_object(p.o::text,
			jsonb_build_object('covered', paid,
				'units', (paid + step - 1) / step * step));
	end loop;
	select case when (price->>'is_tax_included')::boolean
			then a.gross_micro else a.net_micro end into rest
		from rating.parts(price, duration_ms, covered_ms) a;
	for p in select x.v, x.o from jsonb_array_elements(packages)
			with ordinality x (v, o)
		where x.v->>'kind' = 'money' order by x.o loop
		paid := greatest(0, least(rest - covered_micro,
			(p.v->>'left')::bigint));
		covered_micro := covered_micro + paid;
		shares := shares || jsonb_build_object(p.o::text,
			jsonb_build_object('covered', paid, 'units', paid));
	end loop;
	select coalesce(jsonb_agg((x.v - 'left') || (shares->x.o::text)
			order by x.o), '[]') into used
		from jsonb_array_elements(packages) with ordinality x (v, o)
		where (shares->x.o::text->>'units')::bigint > 0;
end
$$;

-- Whole intervals of the time that is rated.
create function rating.billed_ms(price jsonb, duration_ms bigint)
	returns bigint language sql immutable parallel safe as
$$
	select (rating.time_cost(price, greatest(0, rating.round_duration(
		duration_ms, price->>'duration')
		- (price->>'free_ms')::numeric), 0)).billed_ms::bigint
$$;

create or replace function rating.is_right(c cdr.charge, duration_ms bigint)
	returns boolean language sql immutable parallel safe as
$$
	select (p.gross_micro, p.net_micro, p.tax_micro)
		is not distinct from (c.amount_micro, c.net_micro, c.tax_micro)
	from rating.parts(c.price, duration_ms, coalesce(c.covered_ms, 0),
		coalesce(c.covered_micro, 0)) p
$$;

-- --- quotes ---------------------------------------------------------------

create function core.zone_has(zone_ids text[], called text) returns boolean
	language sql stable as
$$
	select exists (select from core.zone z
		where z.id = any (zone_ids) and (
			exists (select from unnest(z.prefixes) x
				where starts_with(called, x))
			or cardinality(z.countries) + cardinality(z.types) > 0
			and exists (select from (select n.country, n.type
				from core.numbering n where n.prefix = any (
					array(select left(called, i)
					from generate_series(1, 15) i))
				order by length(n.prefix) desc limit 1) m
				where (z.countries = '{}'
					or m.country = any (z.countries))
				and (z.types = '{}'
					or m.type = any (z.types)))))
$$;

-- The balances that a call would use, in the order in which it would.
create function core.packages_of(account_id text, direction text, called text,
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
	order by p.priority, b.usable_to, s.id, b.period
	limit 8
$$;

-- A price that comes to nothing, or is paid to the customer, uses no package.
create function rating.is_free(price jsonb) returns boolean
	language sql immutable parallel safe as
$$
	select (price->>'is_reverse')::boolean
		or ((price->>'connect_micro')::numeric = 0
		and (price->>'attempt_micro')::numeric = 0
		and (price->>'minimum_micro')::numeric = 0
		and not exists (select from jsonb_array_elements(
			price->'steps') s where (s->>2)::numeric > 0))
$$;

-- As in 0040, with what the packages of the account would pay at that moment.
create or replace function rating.quote(trunk_id text, calling text,
	called text, at timestamptz, duration_ms bigint) returns jsonb
	language plpgsql stable as
$$
declare
	t core.trunk;
	r core.rate;
	p jsonb;
	c record;
	v record;
	packages jsonb := '[]';
	deck text;
begin
	select * into strict t from core.trunk k where k.id = trunk_id;
	deck := t.rate_deck_id;
	if t.onnet_deck_id is not null and exists (select from core.did n
			where n.e164 = '+' || called or (n.e164_last is not null
				and length(n.e164) = length(called) + 1
				and '+' || called between n.e164
					and n.e164_last)) then
		deck := t.onnet_deck_id;
	elsif t.rate_policy <> 'fixed' then
		return '{"refused": "by_cost"}';
	end if;
	if deck is null then
		return '{"refused": "no_deck"}';
	end if;
	r := rating.find(deck, calling, called, at);
	if r.prefix is null then
		return '{"refused": "no_rate"}';
	elsif r.is_blocked then
		return '{"refused": "blocked"}';
	end if;
	p := rating.price(r, t.account_id, (select n.country
		from core.numbering n where n.prefix = any (array(
			select left(called, i) from generate_series(1, 15) i))
		order by length(n.prefix) desc limit 1), at,
		t.max_call_s * 1000::bigint);
	if p is null then
		return '{"refused": "no_exchange_rate"}';
	end if;
	if not rating.is_free(p) then
		select coalesce(jsonb_agg(jsonb_build_object(
				'subscription_id', o.subscription_id,
				'period', o.period, 'name', o.name,
				'unit', o.unit, 'kind', o.kind,
				'increment_ms', o.increment_ms,
				'left', o.left_units)), '[]')
			into packages
			from core.packages_of(t.account_id, 'out', called, at) o;
	end if;
	v := rating.cover(p, duration_ms, packages);
	c := rating.parts(p, duration_ms, v.covered_ms, v.covered_micro);
	return jsonb_build_object('rate_deck_id', r.deck_id,
		'prefix', r.prefix, 'destination', r.destination,
		'currency', (select a.currency from core.account a
			where a.id = t.account_id),
		'billed_ms', c.billed_ms,
		'covered_ms', v.covered_ms,
		'covered', rating.amount(v.covered_micro),
		'packages', (select coalesce(jsonb_agg(jsonb_build_object(
				'subscription_id', x.u->>'subscription_id',
				'name', x.u->>'name', 'unit', x.u->>'unit',
				'used', core.package_amount(x.u->>'kind',
					(x.u->>'units')::bigint),
				'left', core.package_amount(x.u->>'kind',
					(o.v->>'left')::bigint
					- (x.u->>'units')::bigint))
				order by x.n), '[]')
			from jsonb_array_elements(v.used)
				with ordinality x (u, n)
			join jsonb_array_elements(packages) o (v)
				on o.v @> jsonb_build_object(
					'subscription_id',
					x.u->'subscription_id',
					'period', x.u->'period')),
		'amount', rating.amount(c.gross_micro),
		'net', rating.amount(c.net_micro),
		'taxes', coalesce((select jsonb_agg(jsonb_build_object(
				'name', x.t->>0,
				'amount', rating.amount(c.tax_micro[x.o]))
				order by x.o)
			from jsonb_array_elements(p->'taxes')
				with ordinality x (t, o)), '[]'),
		'price', p);
end
$$;

-- Balances as REST shows them.
create view core.package_period as
	select b.subscription_id || '.' || b.period as id, b.subscription_id,
		b.period, b.starts_at, b.ends_at, b.usable_to,
		core.package_unit(p) as unit,
		core.package_amount(p.kind, b.granted) as granted,
		core.package_amount(p.kind, b.used) as used,
		core.package_amount(p.kind, b.used_carried) as used_later,
		core.package_amount(p.kind, b.leased + b.leased_carried)
			as leased,
		core.package_amount(p.kind, core.package_left(b))
			as left_amount,
		-- what calls of later periods may have of it
		core.package_amount(p.kind, case when p.carry_periods = 0
			then 0 else least(core.package_left(b),
				b.carry_max - b.used_carried) end) as carries,
		core.package_amount(p.kind, b.over) as over,
		b.alarm
	from core.package_balance b
		join core.subscription s on s.id = b.subscription_id
		join core.package p on p.id = s.package_id;
create view core.package_usage as
	select u.id, u.subscription_id, u.period, u.kind, u.is_carried,
		core.package_unit(p) as unit,
		core.package_amount(p.kind, u.units) as amount,
		u.started_at, u.call_id, u.attempt, u.note, u.created_at
	from core.package_posting u
		join core.subscription s on s.id = u.subscription_id
		join core.package p on p.id = s.package_id;

-- The package as whoever has it may know it.
create function core.subscription_package(id text) returns jsonb
	language sql stable security definer
	set search_path = pg_catalog, pg_temp as
$$
	select jsonb_build_object('name', p.name, 'kind', p.kind,
		'unit', core.package_unit(p), 'period', p.period,
		'granted', core.package_amount(p.kind, s.quantity
			* coalesce(p.seconds * 1000::bigint, p.money_micro)))
	from core.subscription s join core.package p on p.id = s.package_id
	where s.id = $1
$$;

-- An operator gives or takes, of a period or the newest: seconds or units of
-- the currency, as micro-units of them. Nothing below what is used or leased.
create function core.package_adjust(p_subscription_id text,
	p_period integer, p_amount_micro bigint, p_note text) returns bigint
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
declare
	step bigint;
begin
	select case p.kind when 'minutes' then 1000 else 1 end into step
		from core.subscription s
			join core.package p on p.id = s.package_id
		where s.id = p_subscription_id;
	if p_amount_micro % step <> 0 then
		raise exception 'seconds have three decimals'
			using errcode = 'check_violation',
			constraint = 'package_amount_ms';
	end if;
	return (core.package_book(p_subscription_id, coalesce(p_period, (select
		max(b.period) from core.package_balance b
		where b.subscription_id = p_subscription_id), 0),
		'adjustment', p_amount_micro / step, p_note)).id;
end
$$;

revoke all on all functions in schema rating from public;
grant execute on all functions in schema rating to strowger_api;
do $$
declare
	f record;
begin
	for f in select p.oid::regprocedure as name, n.nspname, p.proname
		from pg_proc p join pg_namespace n on n.oid = p.pronamespace
		where n.nspname in ('core', 'api_v1')
			and p.proname ~ '^(package|node_claimed|period_|subscription|money_take|zone_(used|has)|lease_take)'
	loop
		execute format('revoke all on function %s from public', f.name);
	end loop;
end
$$;
grant execute on function api_v1.lease_take(text, text, bigint, bigint,
	bigint, boolean) to strowger_switch;
grant execute on function core.packages_of(text, text, text, timestamptz),
	core.package_amount(text, bigint), core.package_unit(core.package),
	core.package_left(core.package_balance),
	core.package_key(core.package_lease),
	core.subscription_package(text),
	core.zone_has(text[], text), core.package_open_due(integer),
	core.package_adjust(text, integer, bigint, text),
	core.package_release(text, text, text),
	core.package_refund(cdr.charge, text) to strowger_api;
grant select, insert, update, delete on core.package to strowger_api;
grant select, delete, insert (id, package_id, tenant_id, account_id,
	is_shared, status, quantity, anchor_day, starts_at, ends_at),
	update (is_shared, status, quantity, ends_at) on core.subscription
	to strowger_api;
grant select on core.package_balance, core.package_lease,
	core.package_lease_state, core.package_posting, core.package_period,
	core.package_usage to strowger_api;
