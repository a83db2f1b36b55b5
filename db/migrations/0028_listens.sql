-- One row for each listening session that ended, by the month in which it began. History, trending,
-- recommendations and analytics read it and nothing else. Written by a trigger (db/sql/listens/listens.sql);
-- `play_history` is kept beside it until no program of release 0.1.0 reads it.
ALTER TABLE "listening_sessions" ADD COLUMN "client" text;--> statement-breakpoint
ALTER TABLE "listening_sessions" ADD COLUMN "country" text;--> statement-breakpoint
CREATE TABLE "listens" (
	"started_at" timestamp with time zone NOT NULL,
	"session_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"track_id" uuid NOT NULL,
	"ended_at" timestamp with time zone NOT NULL,
	"heard_s" double precision NOT NULL,
	"position_s" double precision NOT NULL,
	"counted" boolean NOT NULL,
	"skipped" boolean NOT NULL,
	"completed" boolean NOT NULL,
	"source" text DEFAULT 'session' NOT NULL,
	"client" text,
	"country" text,
	CONSTRAINT "listens_started_at_session_id_pk" PRIMARY KEY("started_at","session_id"),
	CONSTRAINT "listens_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade,
	CONSTRAINT "listens_track_id_tracks_id_fk" FOREIGN KEY ("track_id") REFERENCES "public"."tracks"("id") ON DELETE cascade,
	CONSTRAINT "listens_source_check" CHECK ("source" in ('session', 'scrobble')),
	CONSTRAINT "listens_country_check" CHECK ("country" ~ '^[A-Z]{2}$')
) PARTITION BY RANGE ("started_at");
--> statement-breakpoint
-- What began in a month that has no table yet: nothing, unless the schedule that makes them has failed.
CREATE TABLE "listens_other" PARTITION OF "listens" DEFAULT;--> statement-breakpoint
-- A table for each month of which something is known, and for this one and the next two.
DO $$
DECLARE
  v_month date := date_trunc('month', least((SELECT min(started_at) FROM play_history), now()) AT TIME ZONE 'UTC');
BEGIN
  WHILE v_month <= date_trunc('month', now() AT TIME ZONE 'UTC') + interval '2 months' LOOP
    EXECUTE format(
      'CREATE TABLE %I PARTITION OF listens FOR VALUES FROM (%L) TO (%L)',
      'listens_' || to_char(v_month, 'YYYY_MM'),
      to_char(v_month, 'YYYY-MM-DD') || ' 00:00:00+00',
      to_char(v_month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00'
    );
    v_month := v_month + interval '1 month';
  END LOOP;
END $$;--> statement-breakpoint
-- Of the plays of before it is known that they counted; a session that is still live is written again at its end.
INSERT INTO "listens" ("started_at", "session_id", "user_id", "track_id", "ended_at", "heard_s", "position_s", "counted", "skipped", "completed")
SELECT h."started_at", h."session_id", h."user_id", h."track_id",
  coalesce(s."ended_at", h."started_at" + make_interval(secs => h."heard_s")),
  h."heard_s", coalesce(s."position_s", h."heard_s"), true, false, h."completed"
FROM "play_history" h LEFT JOIN "listening_sessions" s ON s."id" = h."session_id";--> statement-breakpoint
CREATE INDEX "listens_history_idx" ON "listens" USING btree ("user_id","started_at" DESC,"session_id" DESC) WHERE "counted";--> statement-breakpoint
CREATE INDEX "listens_track_idx" ON "listens" USING btree ("track_id","started_at");
