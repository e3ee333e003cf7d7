-- title: Fraud and spend
-- about: What rules of fraud and limits of spend saw and did.
-- for: tenant
-- column: at time: When
-- column: tenant_id text: Whose trunk or account
-- column: tenant text: Its name
-- column: action text: What was done: warned, limited (calls refused) or locked, and by what
-- column: object_id text: The trunk or account
-- column: rule text: Name of the rule
-- column: metric text: What it counts
-- column: count number: How many there were
-- column: called text: The number of the call that made it happen
select e.at, e.tenant_id, n.name as tenant, e.kind as action, e.object_id,
	r.name as rule, e.data ->> 'metric' as metric,
	(e.data ->> 'count')::bigint as count, e.data ->> 'called' as called
from core.event e
left join core.tenant n on n.id = e.tenant_id
left join core.fraud_rule r on r.id = e.data ->> 'rule_id'
where e.at >= :'from'::timestamptz and e.at < :'to'::timestamptz
	and (e.kind like 'fraud.%' or e.kind like 'spend.%')
	and (:'tenant' = '' or e.tenant_id in (select t.tenant_id
		from core.tenant_tree t where t.ancestor_id = :'tenant'))
order by e.at, e.id
limit :'limit'::integer
