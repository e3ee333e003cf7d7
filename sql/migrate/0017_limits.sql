-- Limits at every level. A limit of n with a burst of p percent lets n calls
-- by, marks those up to n * (100 + p) / 100, and beyond that does what
-- limit_action says: reject; mark: accept and mark all the same; next_route:
-- another gateway is tried.
create domain core.burst_percent as smallint not null
	check (value between 0 and 100);
create domain core.limit_action as text not null
	check (value in ('reject', 'mark'));
create domain core.hop_action as text not null
	check (value in ('next_route', 'reject', 'mark'));

-- the pool of a tenant and of all below it
alter table core.tenant
	add column channels core.limit_n,
	add column cps core.limit_n,
	add column burst_percent core.burst_percent default 0,
	add column limit_action core.limit_action default 'reject';

alter table core.account
	add column channels_in core.limit_n,
	add column channels_out core.limit_n,
	add column channels_total core.limit_n,
	add column cps core.limit_n,
	add column burst_percent core.burst_percent default 0,
	add column limit_action core.limit_action default 'reject';

-- What a channel of the trunk is. total: one call, in or out. in_out: there
-- are channels of each direction. paired: one call in and one out at once.
alter table core.trunk
	add column channel_mode text not null default 'total'
		check (channel_mode in ('total', 'in_out', 'paired')),
	add column bandwidth_kbps core.limit_n,
	add column burst_percent core.burst_percent default 0,
	add column limit_action core.limit_action default 'reject',
	add column limit_sip_code integer check (limit_sip_code in
		(403, 480, 486, 500, 503, 600, 603)),
	add constraint trunk_channel_mode check (channel_mode <> 'in_out'
		or channels_total is null);

-- What a new trunk has when nobody says otherwise: little enough that a
-- stolen password costs little.
alter table core.trunk
	alter column channels_total set default 2,
	alter column cps set default 2;

alter table core.site
	add column burst_percent core.burst_percent default 0,
	add column limit_action core.limit_action default 'reject';

-- calls to the number; its channels come with its other columns
alter table core.did
	add column cps core.limit_n,
	add column burst_percent core.burst_percent default 0,
	add column limit_action core.limit_action default 'reject';

alter table core.carrier
	add column channels core.limit_n,
	add column cps core.limit_n,
	add column burst_percent core.burst_percent default 0,
	add column limit_action core.hop_action default 'next_route';
alter table core.gateway
	add column burst_percent core.burst_percent default 0,
	add column limit_action core.hop_action default 'next_route';

grant insert (channels_in, channels_out, channels_total, cps, burst_percent,
		limit_action),
	update (channels_in, channels_out, channels_total, cps, burst_percent,
		limit_action) on core.account to strowger_api;

-- the switch has to hear of an account's limits as well
create constraint trigger account_limit after update
	on core.account deferrable initially deferred
	for each row when ((old.channels_in, old.channels_out,
		old.channels_total, old.cps, old.burst_percent,
		old.limit_action) is distinct from (new.channels_in,
		new.channels_out, new.channels_total, new.cps,
		new.burst_percent, new.limit_action))
	execute function core.change_row('account', 'id');
