-- A draft is deleted as any other row; what is issued stays (invoice_fixed).
drop function billing.draft_delete(text);
grant delete, update (updated_at) on billing.invoice to strowger_api;
