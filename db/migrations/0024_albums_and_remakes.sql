-- How loud an album is as a whole, so that its tracks can be played with one gain and keep their distances.
ALTER TABLE "albums" ADD COLUMN "loudness_lufs" real;--> statement-breakpoint
ALTER TABLE "albums" ADD COLUMN "sample_peak_dbfs" real;--> statement-breakpoint
-- The mean of its tracks' power over their time, of which tracks more than 10 LU below the mean of all are
-- left out, and what is silent: the gates of ITU-R BS.1770-4 §5, on tracks instead of blocks of 0.4 s.
CREATE FUNCTION measure_album(p_album uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  -- Of two that publish at once, the second waits here, and then sees what the first has written.
  PERFORM FROM albums WHERE id = p_album FOR UPDATE;
  UPDATE albums a SET loudness_lufs = m.lufs, sample_peak_dbfs = m.peak
  FROM (
    WITH heard AS (
      SELECT t.loudness_lufs::double precision AS lufs, t.duration_s, t.sample_peak_dbfs
      FROM tracks t
      WHERE t.album_id = p_album AND t.published_at IS NOT NULL AND t.deleted_at IS NULL
        AND t.loudness_lufs > -70 AND t.duration_s > 0
    ), gate AS (
      SELECT 10 * log(sum(duration_s * power(10::double precision, lufs / 10)) / sum(duration_s)) - 10
        AS lufs FROM heard
    )
    SELECT (SELECT max(sample_peak_dbfs) FROM heard) AS peak, (
      SELECT 10 * log(sum(h.duration_s * power(10::double precision, h.lufs / 10)) / sum(h.duration_s))
      FROM heard h, gate WHERE h.lufs > gate.lufs
    )::real AS lufs
  ) m
  WHERE a.id = p_album
    AND (a.loudness_lufs, a.sample_peak_dbfs) IS DISTINCT FROM (m.lufs, m.peak);
END $$;
--> statement-breakpoint
CREATE FUNCTION tracks_measure_album() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_album uuid;
BEGIN
  -- In one order for all, so that two that move tracks between the same albums wait, and do not block.
  FOR v_album IN
    SELECT DISTINCT x FROM unnest(ARRAY[
      CASE WHEN TG_OP <> 'INSERT' THEN OLD.album_id END,
      CASE WHEN TG_OP <> 'DELETE' THEN NEW.album_id END
    ]) x WHERE x IS NOT NULL ORDER BY x
  LOOP
    PERFORM measure_album(v_album);
  END LOOP;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER tracks_measure_album_changed
AFTER UPDATE OF album_id, loudness_lufs, sample_peak_dbfs, duration_s, published_at, deleted_at ON tracks
FOR EACH ROW
WHEN ((OLD.album_id, OLD.loudness_lufs, OLD.sample_peak_dbfs, OLD.duration_s, OLD.published_at, OLD.deleted_at)
  IS DISTINCT FROM
  (NEW.album_id, NEW.loudness_lufs, NEW.sample_peak_dbfs, NEW.duration_s, NEW.published_at, NEW.deleted_at))
EXECUTE FUNCTION tracks_measure_album();
--> statement-breakpoint
CREATE TRIGGER tracks_measure_album_made
AFTER INSERT OR DELETE ON tracks FOR EACH ROW EXECUTE FUNCTION tracks_measure_album();
--> statement-breakpoint
SELECT measure_album(id) FROM albums ORDER BY id;
--> statement-breakpoint
-- What makes a whole catalogue anew, in the background: a few of its tracks are queued at a time.
CREATE TABLE "remakes" (
	"kind" text PRIMARY KEY NOT NULL,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"paused_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	"after_track_id" uuid,
	CONSTRAINT "remakes_kind_check" CHECK ("remakes"."kind" in ('retranscode', 'reembed', 'retag'))
);
