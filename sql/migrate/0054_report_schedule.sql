-- Reports on a schedule: an export template that names a report instead of
-- columns. Spans, numbers and delivery are those of every other template.
alter table cdr.export_template
	add column report text check (report ~ '^[a-z0-9_]{1,63}$'),
	alter column columns drop not null,
	drop constraint export_template_format_check,
	add constraint export_template_format_check check (
		format in ('csv', 'ndjson', 'json', 'html')),
	add constraint export_template_what
		check (num_nonnulls(report, columns) = 1),
	add constraint export_template_form check (case when report is null
		then format in ('csv', 'ndjson')
		else format in ('csv', 'json', 'html') and headings is null
		end);
grant update (report) on cdr.export_template to strowger_api;
