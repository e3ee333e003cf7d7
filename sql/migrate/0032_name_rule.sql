-- Rules for the name beside a calling number, in rule sets; peers use them by
-- the subject "name".

-- One name rule as switch/catalog/name_rule.h reads it.
create function core.is_name_rule(rule jsonb) returns boolean
	language sql immutable parallel safe as
$$
	select case when jsonb_typeof(rule) <> 'object' then false
		else rule - array['when', 'prefix', 'action', 'text', 'before',
			'after', 'max', 'charset'] = '{}'
		and (select coalesce(bool_and(case m.key
			when 'max' then jsonb_typeof(m.value) = 'number'
				and m.value #>> '{}' ~ '^[0-9]{1,2}$'
				and (m.value #>> '{}')::integer between 1 and 63
			when 'when' then m.value <@
				'["any", "empty", "given", "number"]'
			when 'action' then m.value <@
				'["pass", "remove", "text", "number"]'
			when 'charset' then m.value <@ '["utf8", "ascii"]'
			when 'prefix' then jsonb_typeof(m.value) = 'string'
				and m.value #>> '{}' ~ '^\+[0-9]{0,22}$'
			else jsonb_typeof(m.value) = 'string'
				and octet_length(m.value #>> '{}') <= 47
				and m.value #>> '{}' !~ '[\x01-\x1f\x7f]' end),
			true) from jsonb_each(rule) m)
		and (coalesce(rule ->> 'action', 'pass') = 'text')
			= (coalesce(rule ->> 'text', '') <> '')
		and (coalesce(rule ->> 'action', 'pass') <> 'remove'
			or coalesce(rule ->> 'before', '')
				|| coalesce(rule ->> 'after', '') = '') end
$$;

create function core.is_name_rules(rules jsonb) returns boolean
	language sql immutable parallel safe as
$$
	select case when jsonb_typeof(rules) <> 'array' then false
		when jsonb_array_length(rules) > 16 then false
		else (select coalesce(bool_and(core.is_name_rule(r)), true)
			from jsonb_array_elements(rules) r) end
$$;

alter table core.number_rule_set
	add column name_rules jsonb not null default '[]'
		check (core.is_name_rules(name_rules));

create or replace function core.is_rule_use(uses jsonb) returns boolean
	language sql immutable parallel safe as
$$
	select case when jsonb_typeof(uses) <> 'array' then false
		when jsonb_array_length(uses) > 10 then false
		else (select coalesce(bool_and(
			jsonb_typeof(u) = 'object'
			and u - array['direction', 'subject', 'rule_set_id'] = '{}'
			and u ->> 'direction' in ('in', 'out')
			and u ->> 'subject' in ('calling', 'called', 'diversion',
				'identity', 'name')
			and core.is_id(u ->> 'rule_set_id', 'nrs')), true)
			and count(*) = count(distinct (u ->> 'direction',
				u ->> 'subject'))
			from jsonb_array_elements(uses) u) end
$$;

revoke all on function core.is_name_rule(jsonb), core.is_name_rules(jsonb)
	from public;
grant execute on function core.is_name_rule(jsonb),
	core.is_name_rules(jsonb) to strowger_api;
