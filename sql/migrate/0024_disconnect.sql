-- What follows when a carrier refuses: by its SIP code or the Q.850 cause of
-- its Reason header stop or try the next, and what the caller hears. What no
-- rule names is decided by the table of outcomes that is built in.
create table core.disconnect_policy (
	id text primary key check (core.is_id(id, 'dsp')),
	name core.name,
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now()
);
create trigger disconnect_policy_touch before update on core.disconnect_policy
	for each row execute function core.touch();

create table core.disconnect_rule (
	policy_id text not null
		references core.disconnect_policy on delete cascade,
	sip_code integer check (sip_code between 300 and 699),
	q850 integer check (q850 between 1 and 127),
	action text not null check (action in ('stop', 'next')),
	rewrite_code integer check (rewrite_code between 400 and 699),
	rewrite_reason text check (octet_length(rewrite_reason)
		between 1 and 47 and rewrite_reason !~ '[[:cntrl:]]'),
	pass_reason boolean not null default false,
	constraint disconnect_rule_one_code
		check (num_nonnulls(sip_code, q850) = 1),
	constraint disconnect_rule_reason_needs_code
		check (rewrite_reason is null or rewrite_code is not null),
	constraint disconnect_rule_once
		unique nulls not distinct (policy_id, sip_code, q850)
);

alter table core.carrier
	add column disconnect_policy_id text
		references core.disconnect_policy;
create index carrier_disconnect_policy on core.carrier (disconnect_policy_id);

create function core.is_redirect_filter(prefixes text[]) returns boolean
	language sql immutable parallel safe as
$$
	select cardinality(prefixes) <= 8 and coalesce((select
		bool_and(p ~ '^[1-9][0-9]{0,14}$') from unnest(prefixes) p),
		true)
$$;

alter table core.gateway
	add column disconnect_policy_id text
		references core.disconnect_policy,
	add column no_ring_ms integer not null default 0
		check (no_ring_ms between 0 and 120000),
	add column redirect text not null default 'refuse'
		check (redirect in ('refuse', 'follow', 'pass')),
	add column redirect_prefixes text[] not null default '{}'
		check (core.is_redirect_filter(redirect_prefixes));
create index gateway_disconnect_policy on core.gateway (disconnect_policy_id);

alter table core.trunk
	add column total_timeout_s integer not null default 0
		check (total_timeout_s between 0 and 600);

create function core.disconnect_policy_object(id text) returns jsonb
	language sql stable as
$$
	select to_jsonb(t) || jsonb_build_object('rules',
		(select coalesce(jsonb_agg(to_jsonb(r) - 'policy_id'
				order by r.q850, r.sip_code), '[]')
			from core.disconnect_rule r where r.policy_id = t.id))
	from core.disconnect_policy t where t.id = $1
$$;
insert into core.change_kind (kind, reader)
	values ('disconnect_policy', 'core.disconnect_policy_object');

create constraint trigger disconnect_policy_change
	after insert or update or delete
	on core.disconnect_policy deferrable initially deferred
	for each row execute function
		core.change_row('disconnect_policy', 'id');
create constraint trigger disconnect_rule_change
	after insert or update or delete
	on core.disconnect_rule deferrable initially deferred
	for each row execute function
		core.change_row('disconnect_policy', 'policy_id');

grant select, insert, update, delete on core.disconnect_policy,
	core.disconnect_rule to strowger_api;
revoke all on function core.disconnect_policy_object(text),
	core.is_redirect_filter(text[]) from public;
grant execute on function core.is_redirect_filter(text[]) to strowger_api;
