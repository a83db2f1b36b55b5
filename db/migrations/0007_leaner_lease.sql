-- Before a statement runs, Postgres prepares every expression in it, at every call; and what a function
-- of SQL says is copied into the statement wherever it is called. The UPDATE of a lease had the day
-- reckoned eleven times and the charge five. Now the charge and the day are reckoned once, beforehand,
-- and the session is read by a statement of its own; and a lease tells what its caller asks for, no more.
--
-- Concurrency: as in 0006. The session is read before the meter is taken, and whoever ends one takes the
-- meter, too, and empties its seat; so the seat has the last word.

-- The two days of a meter after a charge, and whether it can be paid, on a day that is known already.
CREATE FUNCTION charged_used_ms(m meters, p_ms integer, p_day date) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN p_day = m.day THEN m.used_ms + p_ms
    WHEN p_day < m.day THEN m.used_ms
    ELSE p_ms
  END
$$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION charged_used_ms(m meters, p_ms integer, p_now timestamptz)
RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT charged_used_ms(m, p_ms, utc_day(p_now))
$$;
--> statement-breakpoint
CREATE FUNCTION charged_day_before_ms(m meters, p_ms integer, p_day date) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN p_day = m.day THEN m.day_before_ms
    WHEN p_day < m.day THEN m.day_before_ms + p_ms
    WHEN p_day = m.day + 1 THEN m.used_ms
    ELSE 0
  END
$$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION charged_day_before_ms(m meters, p_ms integer, p_now timestamptz)
RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT charged_day_before_ms(m, p_ms, utc_day(p_now))
$$;
--> statement-breakpoint
CREATE FUNCTION charge_outcome(m meters, p_ms integer, p_now timestamptz, p_day date)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN used_on(p_day, m.day, m.used_ms, m.day_before_ms) >= daily_ms(m.plan, m.daily_limit_s) THEN 'exhausted'
    WHEN meter_level_ms(m, p_now) < p_ms THEN 'too-early'
    ELSE 'granted'
  END
$$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION charge_outcome(m meters, p_ms integer, p_now timestamptz)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT charge_outcome(m, p_ms, p_now, utc_day(p_now))
$$;
--> statement-breakpoint
-- What the session says to a lease.
--
-- outcome: granted (as far as it can tell) | signed-out | superseded | ended | wrong-track | no-period
CREATE FUNCTION session_outcome(
  s listening_sessions, p_track uuid, p_version integer, p_period integer, p_now timestamptz
) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN s.ended_at IS NOT NULL
      THEN CASE WHEN s.end_reason IN ('signed-out', 'superseded') THEN s.end_reason ELSE 'ended' END
    WHEN s.expires_at <= p_now THEN 'ended'
    WHEN s.track_id <> p_track OR s.version <> p_version THEN 'wrong-track'
    WHEN p_period < 0 OR p_period >= s.period_count THEN 'no-period'
    ELSE 'granted'
  END
$$;
--> statement-breakpoint
-- What the meter says to a lease of p_ms in seat p_seat.
--
-- outcome: granted | again (paid for already) | blocked | superseded | exhausted | too-early
CREATE FUNCTION meter_outcome(
  m meters, p_seat integer, p_session uuid, p_period integer, p_ms integer, p_now timestamptz, p_day date
) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN m.blocked_at IS NOT NULL THEN 'blocked'
    WHEN m.seats[p_seat] IS DISTINCT FROM p_session THEN 'superseded'
    WHEN has_leased(m.leased[p_seat], p_period) THEN 'again'
    ELSE charge_outcome(m, p_ms, p_now, p_day)
  END
$$;
--> statement-breakpoint
DROP FUNCTION lease_outcome(meters, listening_sessions, uuid, integer, integer, timestamptz);--> statement-breakpoint
-- Leases the key of one period inside a live session and debits the day. Idempotent per (session,
-- period): a retry is granted again and costs nothing.
--
-- Answers with {outcome, charged_ms, used_ms, retry_after_s, kid, wrapped}; a lease that is granted
-- without asking for the key, as nearly all are, with {outcome} alone.
--
-- outcome: granted | no-session | signed-out | blocked | superseded | ended | wrong-track
--          | no-period | exhausted | too-early
-- used_ms: on the day of p_now, with this lease.
-- retry_after_s: seconds until the pace has refilled, as far as only that is in the way.
-- kid, wrapped: the wrapped master key, where p_with_key asks for it and the lease is granted.
CREATE OR REPLACE FUNCTION lease_key_period(
  p_session uuid, p_user uuid, p_track uuid, p_version integer, p_period integer, p_now timestamptz,
  p_with_key boolean DEFAULT true
) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  -- A lease lost with a crashed server is twelve seconds in the listener's favour; waiting for the
  -- disk (or for Neon's quorum) on every key is latency in everybody's ear.
  v_commit text := set_config('synchronous_commit', 'off', true);
  v_day date := utc_day(p_now);
  v_seat integer;
  v_charge_ms integer;
  v_has_key boolean := true;
  v_outcome text;
  v_retry_after_s double precision;
  v_kid text;
  v_wrapped bytea;
BEGIN
  IF p_with_key THEN
    SELECT k.kid, k.wrapped INTO v_kid, v_wrapped
    FROM track_keys k WHERE k.track_id = p_track AND k.version = p_version;
    v_has_key := FOUND;
  END IF;

  LOOP
    SELECT s.seat, period_charge_ms(p_period, s.duration_ms) INTO v_seat, v_charge_ms
    FROM listening_sessions s
    WHERE s.id = p_session AND s.user_id = p_user
      AND session_outcome(s, p_track, p_version, p_period, p_now) = 'granted'
      AND s.expires_at > p_now + interval '1500 seconds';

    IF FOUND AND v_has_key THEN
      UPDATE meters m SET
        level_ms = meter_level_ms(m, p_now) - v_charge_ms,
        at = greatest(m.at, p_now),
        day = greatest(m.day, v_day),
        used_ms = charged_used_ms(m, v_charge_ms, v_day),
        day_before_ms = charged_day_before_ms(m, v_charge_ms, v_day),
        leased[v_seat] = with_lease(m.leased[v_seat], p_period)
      WHERE m.user_id = p_user
        AND meter_outcome(m, v_seat, p_session, p_period, v_charge_ms, p_now, v_day) = 'granted';
      IF FOUND THEN
        IF p_with_key THEN
          v_outcome := 'granted';
          EXIT;
        END IF;
        RETURN '{"outcome":"granted"}';
      END IF;
    END IF;

    -- Why not?
    v_charge_ms := 0;
    SELECT
      CASE
        WHEN m.blocked_at IS NOT NULL THEN 'blocked'
        WHEN o.outcome <> 'granted' THEN o.outcome
        ELSE meter_outcome(m, s.seat, s.id, p_period, o.charge_ms, p_now, v_day)
      END,
      charge_wait_s(m, o.charge_ms, p_now)
    INTO v_outcome, v_retry_after_s
    FROM meters m
    JOIN listening_sessions s ON s.user_id = m.user_id
    CROSS JOIN LATERAL (
      SELECT session_outcome(s, p_track, p_version, p_period, p_now) AS outcome,
        period_charge_ms(p_period, s.duration_ms) AS charge_ms
    ) o
    WHERE m.user_id = p_user AND s.id = p_session
    FOR UPDATE OF m;

    EXIT WHEN v_outcome IS DISTINCT FROM 'granted' OR NOT v_has_key;
    -- It only lay still for a while: heartbeats and leases are what keeps a session alive.
    UPDATE listening_sessions s SET expires_at = p_now + interval '1800 seconds'
      WHERE s.id = p_session AND s.ended_at IS NULL;
  END LOOP;

  v_outcome := CASE
    WHEN v_outcome IS NULL THEN 'no-session'
    -- A version's key goes with the version.
    WHEN v_outcome IN ('granted', 'again') AND NOT v_has_key THEN 'ended'
    WHEN v_outcome = 'again' THEN 'granted'
    ELSE v_outcome
  END;
  RETURN json_build_object(
    'outcome', v_outcome, 'charged_ms', v_charge_ms, 'retry_after_s', v_retry_after_s,
    'used_ms', (SELECT meter_used_ms(m, p_now) FROM meters m WHERE m.user_id = p_user),
    'kid', CASE WHEN v_outcome = 'granted' THEN v_kid END,
    'wrapped', CASE WHEN v_outcome = 'granted' THEN v_wrapped END
  );
END $$;
