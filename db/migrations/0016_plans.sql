-- What a plan allows becomes a row; it was spread over four functions. Each meter has a copy of its plan's
-- terms, so that a lease reads no row but the meter; who copies them is in db/sql/meter/plans.sql.
CREATE TABLE "plans" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"daily_ms" bigint,
	"devices" smallint NOT NULL,
	"max_bitrate" integer,
	"pace_depth_ms" double precision NOT NULL,
	"pace_rate" double precision NOT NULL,
	"revision" integer DEFAULT 1 NOT NULL,
	CONSTRAINT "plans_id_check" CHECK ("plans"."id" ~ '^[a-z][a-z0-9-]{0,39}$'),
	CONSTRAINT "plans_terms_check" CHECK ("plans"."daily_ms" >= 0 and "plans"."devices" between 1 and 100 and "plans"."max_bitrate" > 0
        and "plans"."pace_depth_ms" > 0 and "plans"."pace_rate" > 0)
);
--> statement-breakpoint
-- The pace guards against ripping: a player needs one second of audio per second, and 1.25 leaves room for
-- seeking. Premium has three times both, for three devices. Five minutes a day: product brief.
INSERT INTO "plans" ("id", "name", "daily_ms", "devices", "max_bitrate", "pace_depth_ms", "pace_rate") VALUES
	('free', 'Free', 300000, 1, 192000, 180000, 1.25),
	('premium', 'Premium', NULL, 3, NULL, 540000, 3.75);
--> statement-breakpoint
ALTER TABLE "users" DROP CONSTRAINT "users_plan_check";--> statement-breakpoint
ALTER TABLE "users" ADD CONSTRAINT "users_plan_plans_id_fk" FOREIGN KEY ("plan") REFERENCES "public"."plans"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
-- Without terms nothing can be leased (a bucket of no depth), and revision 0 is older than any plan's.
ALTER TABLE "meters" ADD COLUMN "limit_ms" bigint,
	ADD COLUMN "devices" smallint DEFAULT 1 NOT NULL,
	ADD COLUMN "max_bitrate" integer,
	ADD COLUMN "pace_depth_ms" double precision DEFAULT 0 NOT NULL,
	ADD COLUMN "pace_rate" double precision DEFAULT 1 NOT NULL,
	ADD COLUMN "plan_revision" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
UPDATE "meters" m SET
	"limit_ms" = coalesce(m."daily_limit_s"::bigint * 1000, p."daily_ms"), "devices" = p."devices",
	"max_bitrate" = p."max_bitrate", "pace_depth_ms" = p."pace_depth_ms", "pace_rate" = p."pace_rate",
	"plan_revision" = p."revision"
FROM "plans" p WHERE p."id" = m."plan";--> statement-breakpoint
-- By it the meters of before are found when a plan changes. No lease changes these columns.
CREATE INDEX "meters_plan_idx" ON "meters" USING btree ("plan","plan_revision");--> statement-breakpoint
-- Replaced by the rows, and by a start that also tells the highest bitrate.
DROP FUNCTION plan_terms(text, integer);--> statement-breakpoint
DROP FUNCTION pace_depth_ms(text);--> statement-breakpoint
DROP FUNCTION pace_rate(text);--> statement-breakpoint
DROP FUNCTION start_listening_session(uuid, uuid, uuid, uuid, double precision, timestamptz, boolean);
