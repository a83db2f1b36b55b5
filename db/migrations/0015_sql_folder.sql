-- From here on functions and triggers live in db/sql, and the migrator defines them anew whenever that folder
-- has changed. This table remembers which of its revisions the database has.
CREATE TABLE "applied_sql" (
	"singleton" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"revision" integer NOT NULL,
	"sha256" text NOT NULL,
	"applied_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "applied_sql_singleton_check" CHECK ("applied_sql"."singleton")
);
--> statement-breakpoint
-- What nobody calls any more.
DROP FUNCTION rotate_refresh_token(bytea, bytea, timestamptz, timestamptz);--> statement-breakpoint
DROP FUNCTION used_on(date, date, bigint, bigint);--> statement-breakpoint
DROP FUNCTION charged_used_ms(meters, integer, timestamptz);--> statement-breakpoint
DROP FUNCTION charged_used_ms(meters, integer, date);--> statement-breakpoint
DROP FUNCTION charged_day_before_ms(meters, integer, timestamptz);--> statement-breakpoint
DROP FUNCTION charged_day_before_ms(meters, integer, date);
