-- Long work as rows: asked for over REST (202), done by whichever strowger-api
-- takes it. The one at work holds an advisory lock of the job's id for as long,
-- so that a job whose process died is seen by whoever can take that lock.
create table core.job (
	id text primary key check (core.is_id(id, 'job')),
	kind text not null check (kind ~ '^[a-z_]{1,31}$'),
	tenant_id text references core.tenant on delete cascade,
	key_id text not null,
	status text not null default 'queued' check (status in
		('queued', 'running', 'done', 'failed', 'cancelled')),
	args jsonb not null default '{}',
	done bigint not null default 0 check (done >= 0),
	total bigint check (total >= 0),
	result jsonb,
	detail text,
	errors bigint not null default 0,
	cancel_wanted boolean not null default false,
	attempts integer not null default 0,
	row_version bigint not null default 1,
	created_at timestamptz not null default now(),
	started_at timestamptz,
	finished_at timestamptz,
	updated_at timestamptz not null default now(),
	constraint job_finished check ((finished_at is null)
		= (status in ('queued', 'running')))
);
create index job_tenant on core.job (tenant_id);
create index job_open on core.job (created_at)
	where status in ('queued', 'running');
create trigger job_touch before update on core.job
	for each row execute function core.touch();

-- What is wrong in which line; the first thousand are kept.
create table core.job_error (
	job_id text not null references core.job on delete cascade,
	n bigint not null,
	line bigint,
	"column" text,
	value text,
	code text not null,
	hint text not null,
	primary key (job_id, n)
);

-- What went in with the request, and what came out, in pieces.
create table core.job_text (
	job_id text not null references core.job on delete cascade,
	direction text not null check (direction in ('in', 'out')),
	n integer not null,
	body text not null,
	primary key (job_id, direction, n)
);

grant select, insert, update, delete on core.job, core.job_error,
	core.job_text to strowger_api;
