-- Segments are cut on a grid of four seconds of the stream, the encoder's delay included. So a track of
-- 12.000 s had a fourth segment of 18 ms, and with it a second period that was charged 0 ms, and refused
-- once the budget was spent. What is left behind the last point of the grid is now reckoned in the
-- track's own time, and has to last more than 50 ms to be a segment of its own; a shorter rest belongs
-- to the segment before, and is charged with its period. LEAST_LAST_SEGMENT_MS in the contract says why.
--
-- Versions that were cut by the old rule lose that piece, at most 73 ms of which up to 23 are of the
-- encoder's delay: their playlists leave it out, and nobody is asked to pay for it. Sessions under way keep
-- the periods of the playlists that they have.

CREATE OR REPLACE FUNCTION period_count(
  p_sample_rate integer, p_sample_count bigint, p_priming_samples integer
) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
  SELECT greatest(1, ceil((round(p_sample_count * 1000.0 / p_sample_rate) - 50) / 12000))::integer
$$;
--> statement-breakpoint
-- What a period is charged, in milliseconds: twelve seconds, and for the last one what is left of the
-- track; 0 where there is no such period.
CREATE OR REPLACE FUNCTION period_charge_ms(p_period integer, p_duration_ms bigint)
RETURNS integer LANGUAGE sql IMMUTABLE AS $$
  SELECT (CASE
    WHEN p_duration_ms - p_period::bigint * 12000 > 12050 THEN 12000
    WHEN p_duration_ms - p_period::bigint * 12000 > 50 OR p_period = 0
      THEN p_duration_ms - p_period::bigint * 12000
    ELSE 0
  END)::integer
$$;
