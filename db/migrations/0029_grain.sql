-- How long a key period is becomes the version's: a session has a copy. Sessions under way are of versions
-- with three segments to a key.
ALTER TABLE "listening_sessions" ADD COLUMN "period_ms" integer DEFAULT 12000 NOT NULL;--> statement-breakpoint
-- Those of before reckon with twelve seconds, or answer without the length. (A new database has no start yet.)
DROP FUNCTION IF EXISTS period_count(integer, bigint, integer);--> statement-breakpoint
DROP FUNCTION IF EXISTS period_charge_ms(integer, bigint);--> statement-breakpoint
DROP FUNCTION IF EXISTS start_listening_session(uuid, uuid, uuid, uuid, double precision, timestamptz, boolean);
