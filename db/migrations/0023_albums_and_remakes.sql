-- How loud an album is as a whole, so that its tracks can be played with one gain and keep their distances.
ALTER TABLE "albums" ADD COLUMN "loudness_lufs" real;--> statement-breakpoint
ALTER TABLE "albums" ADD COLUMN "sample_peak_dbfs" real;--> statement-breakpoint
ALTER TABLE "albums" DISABLE TRIGGER USER;--> statement-breakpoint
-- The same as measure_album does from then on, whenever one of an album's tracks changes.
UPDATE "albums" a SET "loudness_lufs" = m.lufs, "sample_peak_dbfs" = m.peak
FROM (
  WITH heard AS (
    SELECT t.album_id, t.loudness_lufs::double precision AS lufs, t.duration_s, t.sample_peak_dbfs
    FROM tracks t
    WHERE t.album_id IS NOT NULL AND t.published_at IS NOT NULL AND t.deleted_at IS NULL
      AND t.loudness_lufs > -70 AND t.duration_s > 0
  ), gate AS (
    SELECT album_id, max(sample_peak_dbfs) AS peak,
           10 * log(sum(duration_s * power(10::double precision, lufs / 10)) / sum(duration_s)) - 10 AS lufs
    FROM heard GROUP BY album_id
  )
  SELECT h.album_id, g.peak,
         (10 * log(sum(h.duration_s * power(10::double precision, h.lufs / 10)) / sum(h.duration_s)))::real AS lufs
  FROM heard h JOIN gate g ON g.album_id = h.album_id AND h.lufs > g.lufs
  GROUP BY h.album_id, g.peak
) m
WHERE a.id = m.album_id;--> statement-breakpoint
ALTER TABLE "albums" ENABLE TRIGGER USER;--> statement-breakpoint
-- What makes a whole catalogue anew, in the background: a few of its tracks are queued at a time.
CREATE TABLE "remakes" (
	"kind" text PRIMARY KEY NOT NULL,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"paused_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	"after_track_id" uuid,
	CONSTRAINT "remakes_kind_check" CHECK ("remakes"."kind" in ('retranscode', 'reembed', 'retag'))
);
