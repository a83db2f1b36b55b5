-- A lease reads and writes one row, the listener's meter, and reads the session, which it leaves alone.
-- One UPDATE decides, debits and records: its WHERE is the rule. For that
--
-- - the meter carries the account's plan, daily limit and block;
-- - it carries what the live sessions have paid for, each in a seat of its own;
-- - a session that is signed out says so itself.
--
-- Triggers see to the first and the last, so whoever changes an account or revokes a sign-in, and be it
-- by hand, has done all there is to do.
--
-- Concurrency: a start, a revocation and a change of the account take the meter, as a lease does. Under
-- READ COMMITTED a lease that waited for it decides anew with the meter's newest version, but with the
-- session as it was; whose seat is taken or empty is therefore in the meter. Locks are always taken in
-- the order users or refresh_families, meters, listening_sessions.

ALTER TABLE "listening_sessions" ADD COLUMN "seat" smallint;--> statement-breakpoint
ALTER TABLE "meters" ADD COLUMN "plan" text, ADD COLUMN "daily_limit_s" integer,
  ADD COLUMN "blocked_at" timestamp with time zone,
  ADD COLUMN "seats" uuid[] DEFAULT '{}' NOT NULL, ADD COLUMN "leased" bytea[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
UPDATE listening_sessions s SET ended_at = f.revoked_at, end_reason = 'signed-out'
FROM refresh_families f WHERE f.id = s.family_id AND s.ended_at IS NULL AND f.revoked_at IS NOT NULL;--> statement-breakpoint
UPDATE listening_sessions s SET seat = n.seat
FROM (
  SELECT id, row_number() OVER (PARTITION BY user_id, ended_at IS NULL ORDER BY started_at DESC, id) AS seat
  FROM listening_sessions
) n WHERE n.id = s.id AND s.ended_at IS NULL;--> statement-breakpoint
UPDATE listening_sessions s SET seat = 1 WHERE s.seat IS NULL;--> statement-breakpoint
-- Every account has a meter from now on; one that has never been used is full.
INSERT INTO meters (user_id, level_ms, at, day)
  SELECT u.id, 0, 'epoch', 'epoch' FROM users u ON CONFLICT (user_id) DO NOTHING;--> statement-breakpoint
UPDATE meters m SET plan = u.plan, daily_limit_s = u.daily_limit_s, blocked_at = u.blocked_at
FROM users u WHERE u.id = m.user_id;--> statement-breakpoint
UPDATE meters m SET seats = n.seats, leased = n.leased
FROM (
  SELECT s.user_id, array_agg(s.id ORDER BY s.seat) AS seats, array_agg(s.leased ORDER BY s.seat) AS leased
  FROM listening_sessions s WHERE s.ended_at IS NULL GROUP BY s.user_id
) n WHERE n.user_id = m.user_id;--> statement-breakpoint
ALTER TABLE "meters" ALTER COLUMN "plan" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "listening_sessions" ALTER COLUMN "seat" SET NOT NULL,
  DROP COLUMN "leased", DROP COLUMN "last_period";--> statement-breakpoint
CREATE FUNCTION keep_meter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO meters AS m (user_id, level_ms, at, day, plan, daily_limit_s, blocked_at)
    -- The pace has refilled ever since: a first listen starts with a full bucket.
    VALUES (NEW.id, 0, 'epoch', 'epoch', NEW.plan, NEW.daily_limit_s, NEW.blocked_at)
    ON CONFLICT (user_id) DO UPDATE
    SET plan = excluded.plan, daily_limit_s = excluded.daily_limit_s, blocked_at = excluded.blocked_at;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER users_keep_meter
AFTER INSERT OR UPDATE OF plan, daily_limit_s, blocked_at ON users
FOR EACH ROW EXECUTE FUNCTION keep_meter();--> statement-breakpoint
CREATE FUNCTION end_sessions_of_family() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- First the lock, then, in statements of their own, what a start that had it may have written.
  PERFORM FROM meters m WHERE m.user_id = NEW.user_id FOR UPDATE;
  UPDATE meters m SET seats = ARRAY(
    SELECT s.id
    FROM unnest(m.seats) WITH ORDINALITY AS o (id, seat)
    LEFT JOIN listening_sessions s ON s.id = o.id AND s.family_id <> NEW.id
    ORDER BY o.seat
  ) WHERE m.user_id = NEW.user_id;
  UPDATE listening_sessions s SET ended_at = NEW.revoked_at, end_reason = 'signed-out'
    WHERE s.family_id = NEW.id AND s.ended_at IS NULL;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER refresh_families_end_sessions
AFTER UPDATE OF revoked_at ON refresh_families
FOR EACH ROW WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL)
EXECUTE FUNCTION end_sessions_of_family();--> statement-breakpoint
-- The plans, term by term: an UPDATE can't join a function of the row it updates.
CREATE FUNCTION daily_ms(p_plan text, p_daily_limit_s integer) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN p_daily_limit_s IS NOT NULL THEN p_daily_limit_s::bigint * 1000
    WHEN p_plan = 'premium' THEN NULL
    ELSE 300000
  END
$$;
--> statement-breakpoint
CREATE FUNCTION pace_depth_ms(p_plan text) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN p_plan = 'premium' THEN 540000 ELSE 180000 END::double precision
$$;
--> statement-breakpoint
CREATE FUNCTION pace_rate(p_plan text) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN p_plan = 'premium' THEN double precision '3.75' ELSE double precision '1.25' END
$$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION plan_terms(p_plan text, p_daily_limit_s integer)
RETURNS TABLE (daily_ms bigint, sessions integer, depth_ms double precision, rate double precision)
LANGUAGE sql IMMUTABLE AS $$
  SELECT daily_ms(p_plan, p_daily_limit_s), CASE WHEN p_plan = 'premium' THEN 3 ELSE 1 END,
    pace_depth_ms(p_plan), pace_rate(p_plan)
$$;
--> statement-breakpoint
-- Level of a token bucket at p_now. A clock that steps back refills nothing. (date_part, since extract
-- reckons in numeric.)
CREATE OR REPLACE FUNCTION pace_level(
  p_level_ms double precision, p_at timestamptz, p_now timestamptz,
  p_depth_ms double precision, p_rate double precision
) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
  SELECT least(p_depth_ms, p_level_ms + greatest(0, date_part('epoch', p_now - p_at)) * 1000 * p_rate)
$$;
--> statement-breakpoint
CREATE FUNCTION utc_day(p_now timestamptz) RETURNS date LANGUAGE sql IMMUTABLE AS $$
  SELECT (p_now AT TIME ZONE 'UTC')::date
$$;
--> statement-breakpoint
-- What was used on the day of p_now.
CREATE FUNCTION meter_used_ms(m meters, p_now timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT used_on(utc_day(p_now), m.day, m.used_ms, m.day_before_ms)
$$;
--> statement-breakpoint
-- What the pace lets through at p_now.
CREATE FUNCTION meter_level_ms(m meters, p_now timestamptz) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
  SELECT pace_level(m.level_ms, m.at, p_now, pace_depth_ms(m.plan), pace_rate(m.plan))
$$;
--> statement-breakpoint
-- Whether a charge of p_ms can be paid at p_now: granted while anything of the day remains.
-- outcome: granted | exhausted | too-early
CREATE FUNCTION charge_outcome(m meters, p_ms integer, p_now timestamptz) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN meter_used_ms(m, p_now) >= daily_ms(m.plan, m.daily_limit_s) THEN 'exhausted'
    WHEN meter_level_ms(m, p_now) < p_ms THEN 'too-early'
    ELSE 'granted'
  END
$$;
--> statement-breakpoint
-- Seconds until the pace lets a charge of p_ms through.
CREATE FUNCTION charge_wait_s(m meters, p_ms integer, p_now timestamptz) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
  SELECT greatest(0, p_ms - meter_level_ms(m, p_now)) / 1000 / pace_rate(m.plan)
$$;
--> statement-breakpoint
-- The two days of a meter after a charge of p_ms at p_now: what is late counts to its own day.
CREATE FUNCTION charged_used_ms(m meters, p_ms integer, p_now timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN utc_day(p_now) < m.day THEN m.used_ms ELSE meter_used_ms(m, p_now) + p_ms END
$$;
--> statement-breakpoint
CREATE FUNCTION charged_day_before_ms(m meters, p_ms integer, p_now timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN utc_day(p_now) < m.day THEN meter_used_ms(m, p_now) + p_ms
    WHEN utc_day(p_now) = m.day THEN m.day_before_ms
    WHEN utc_day(p_now) = m.day + 1 THEN m.used_ms
    ELSE 0
  END
$$;
--> statement-breakpoint
-- The highest period that was leased; -1: none. Its bit is in the last byte.
CREATE FUNCTION last_leased(p_leased bytea) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN length(p_leased) > 0
      THEN 8 * length(p_leased) - position('1' IN get_byte(p_leased, length(p_leased) - 1)::bit(8)::text)
    ELSE -1
  END
$$;
--> statement-breakpoint
-- What the meter says to a lease. All rules are here.
--
-- outcome: granted | again (paid for already) | signed-out | blocked | superseded | ended | wrong-track
--          | no-period | exhausted | too-early
CREATE FUNCTION lease_outcome(
  m meters, s listening_sessions, p_track uuid, p_version integer, p_period integer, p_now timestamptz
) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN m.blocked_at IS NOT NULL THEN 'blocked'
    WHEN s.end_reason = 'signed-out' THEN 'signed-out'
    WHEN s.end_reason = 'superseded' THEN 'superseded'
    WHEN s.ended_at IS NOT NULL OR s.expires_at <= p_now THEN 'ended'
    -- Its end is younger than the session that this statement sees.
    WHEN m.seats[s.seat] IS DISTINCT FROM s.id THEN 'superseded'
    WHEN s.track_id <> p_track OR s.version <> p_version THEN 'wrong-track'
    WHEN p_period < 0 OR p_period >= s.period_count THEN 'no-period'
    WHEN has_leased(m.leased[s.seat], p_period) THEN 'again'
    ELSE charge_outcome(m, period_charge_ms(p_period, s.duration_ms), p_now)
  END
$$;
--> statement-breakpoint
DROP FUNCTION lease_key_period(uuid, uuid, uuid, integer, integer, timestamptz, boolean);--> statement-breakpoint
-- Leases the key of one period inside a live session and debits the day. Idempotent per (session,
-- period): a retry is granted again and costs nothing.
--
-- Answers with {outcome, charged_ms, used_ms, retry_after_s, kid, wrapped}, of which null ones may be
-- missing.
--
-- outcome: granted | no-session | signed-out | blocked | superseded | ended | wrong-track
--          | no-period | exhausted | too-early
-- used_ms: on the day of p_now, with this lease.
-- retry_after_s: seconds until the pace has refilled, as far as only that is in the way.
-- kid, wrapped: the wrapped master key, where p_with_key asks for it and the lease is granted.
CREATE FUNCTION lease_key_period(
  p_session uuid, p_user uuid, p_track uuid, p_version integer, p_period integer, p_now timestamptz,
  p_with_key boolean DEFAULT true
) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  -- A lease lost with a crashed server is twelve seconds in the listener's favour; waiting for the
  -- disk (or for Neon's quorum) on every key is latency in everybody's ear.
  v_commit text := set_config('synchronous_commit', 'off', true);
  v_has_key boolean := true;
  v_outcome text;
  v_charged_ms integer;
  v_used_ms bigint;
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
    UPDATE meters m SET
      level_ms = meter_level_ms(m, p_now) - period_charge_ms(p_period, s.duration_ms),
      at = greatest(m.at, p_now),
      day = greatest(m.day, utc_day(p_now)),
      used_ms = charged_used_ms(m, period_charge_ms(p_period, s.duration_ms), p_now),
      day_before_ms = charged_day_before_ms(m, period_charge_ms(p_period, s.duration_ms), p_now),
      leased[s.seat] = with_lease(m.leased[s.seat], p_period)
    FROM listening_sessions s
    WHERE m.user_id = p_user AND s.id = p_session AND s.user_id = p_user
      AND lease_outcome(m, s, p_track, p_version, p_period, p_now) = 'granted'
      AND s.expires_at > p_now + interval '1500 seconds' AND v_has_key
    RETURNING period_charge_ms(p_period, s.duration_ms), meter_used_ms(m, p_now)
    INTO v_charged_ms, v_used_ms;
    IF FOUND THEN
      IF p_with_key THEN
        v_outcome := 'granted';
        EXIT;
      END IF;
      -- What nearly every lease is told, so in the cheapest way.
      RETURN '{"outcome":"granted","charged_ms":' || v_charged_ms || ',"used_ms":' || v_used_ms || '}';
    END IF;

    -- Why not?
    SELECT
      lease_outcome(m, s, p_track, p_version, p_period, p_now), 0, meter_used_ms(m, p_now),
      charge_wait_s(m, period_charge_ms(p_period, s.duration_ms), p_now)
    INTO v_outcome, v_charged_ms, v_used_ms, v_retry_after_s
    FROM meters m
    JOIN listening_sessions s ON s.user_id = m.user_id
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
    'outcome', v_outcome, 'charged_ms', coalesce(v_charged_ms, 0), 'used_ms', v_used_ms,
    'retry_after_s', v_retry_after_s,
    'kid', CASE WHEN v_outcome = 'granted' THEN v_kid END,
    'wrapped', CASE WHEN v_outcome = 'granted' THEN v_wrapped END
  );
END $$;
--> statement-breakpoint
-- Starts a listening session, or resumes the live one that the same sign-in has on the track, and
-- leases its first period, so that pressing play is one statement.
--
-- outcome: started | resumed | not-found | not-ready | signed-out | blocked | exhausted | too-early
-- renditions: [{name, bitrate, peakBandwidth, averageBandwidth, codecs, init (base64), ivSeed (base64)}],
-- null where not wanted
CREATE OR REPLACE FUNCTION start_listening_session(
  p_new_session uuid, p_user uuid, p_family uuid, p_track uuid, p_position_s double precision,
  p_now timestamptz, p_with_renditions boolean DEFAULT true,
  OUT outcome text, OUT session_id uuid, OUT version integer, OUT plan text, OUT period integer,
  OUT kid text, OUT wrapped bytea, OUT sample_rate integer, OUT sample_count bigint,
  OUT priming_samples integer, OUT padding_samples integer, OUT renditions jsonb,
  OUT position_s double precision, OUT limit_ms bigint, OUT used_ms bigint, OUT retry_after_s double precision
) LANGUAGE plpgsql AS $$
DECLARE
  v_commit text;
  v_meter meters%ROWTYPE;
  v_who record;
  v_track record;
  v_live record;
  v_lease json;
  v_kept uuid[];
  v_seats uuid[];
  v_seat smallint;
  v_charge integer;
  v_periods integer;
  v_duration_ms bigint;
BEGIN
  v_commit := set_config('synchronous_commit', 'off', true);

  SELECT * INTO v_meter FROM meters m WHERE m.user_id = p_user FOR UPDATE;
  SELECT f.id AS family_id, f.revoked_at, t.daily_ms, t.sessions
  INTO v_who
  FROM plan_terms(v_meter.plan, v_meter.daily_limit_s) t
  LEFT JOIN refresh_families f ON f.id = p_family AND f.user_id = v_meter.user_id;

  SELECT t.id, t.version, t.published_at INTO v_track
  FROM tracks t WHERE t.id = p_track AND t.deleted_at IS NULL;

  retry_after_s := 0;
  v_seats := v_meter.seats;
  plan := v_meter.plan;
  limit_ms := v_who.daily_ms;
  used_ms := meter_used_ms(v_meter, p_now);
  outcome := CASE
    WHEN v_who.family_id IS NULL OR v_who.revoked_at IS NOT NULL THEN 'signed-out'
    WHEN v_meter.blocked_at IS NOT NULL THEN 'blocked'
    WHEN v_track.id IS NULL THEN 'not-found'
    WHEN v_track.version IS NULL OR v_track.published_at IS NULL THEN 'not-ready'
  END;
  IF outcome IS NOT NULL THEN
    RETURN;
  END IF;

  SELECT s.id, s.version, s.position_s INTO v_live
  FROM listening_sessions s
  WHERE s.user_id = p_user AND s.family_id = p_family AND s.track_id = p_track
    AND s.ended_at IS NULL AND s.expires_at > p_now
  ORDER BY s.started_at DESC LIMIT 1;

  version := coalesce(v_live.version, v_track.version);
  SELECT m.sample_rate, m.sample_count, m.priming_samples, m.padding_samples,
         k.kid, k.wrapped
  INTO sample_rate, sample_count, priming_samples, padding_samples, kid, wrapped
  FROM track_versions m
  JOIN track_keys k ON k.track_id = m.track_id AND k.version = m.version
  WHERE m.track_id = p_track AND m.version = start_listening_session.version;

  v_periods := period_count(sample_rate, sample_count, priming_samples);
  v_duration_ms := round(sample_count * 1000.0 / sample_rate);
  period := least(floor(greatest(p_position_s, 0) / 12)::integer, v_periods - 1);

  IF v_live.id IS NOT NULL THEN
    v_lease := lease_key_period(v_live.id, p_user, p_track, version, period, p_now, false);
    IF v_lease ->> 'outcome' <> 'granted' THEN
      -- The place to resume at is not paid for and cannot be now: resume at the start, which is.
      period := 0;
      v_lease := lease_key_period(v_live.id, p_user, p_track, version, period, p_now, false);
    END IF;
    outcome := replace(v_lease ->> 'outcome', 'granted', 'resumed');
    used_ms := v_lease ->> 'used_ms';
    retry_after_s := v_lease ->> 'retry_after_s';
    session_id := v_live.id;
    UPDATE listening_sessions s SET expires_at = p_now + interval '1800 seconds' WHERE s.id = v_live.id;
  ELSE
    v_charge := period_charge_ms(period, v_duration_ms);
    outcome := charge_outcome(v_meter, v_charge, p_now);
    IF outcome = 'too-early' THEN
      retry_after_s := charge_wait_s(v_meter, v_charge, p_now);
    ELSIF outcome = 'granted' THEN
      outcome := 'started';
      session_id := p_new_session;
      used_ms := used_ms + v_charge;
      -- The newest stay; with the new one they are as many as the plan allows.
      v_kept := ARRAY(
        SELECT o.id FROM listening_sessions o
        WHERE o.user_id = p_user AND o.ended_at IS NULL AND o.expires_at > p_now
        ORDER BY o.started_at DESC, o.id DESC LIMIT v_who.sessions - 1
      );
      UPDATE listening_sessions s
      SET ended_at = p_now,
          end_reason = CASE WHEN s.expires_at <= p_now THEN 'expired' ELSE 'superseded' END
      WHERE s.user_id = p_user AND s.ended_at IS NULL AND s.id <> ALL (v_kept);
      -- The lowest seat that is free now.
      FOR n IN REVERSE greatest(v_who.sessions, cardinality(v_seats)) .. 1 LOOP
        IF v_seats[n] IS NULL OR v_seats[n] <> ALL (v_kept) THEN
          v_seats[n] := NULL;
          v_seat := n;
        END IF;
      END LOOP;
      v_seats[v_seat] := p_new_session;
      INSERT INTO listening_sessions
        (id, user_id, family_id, track_id, version, period_count, duration_ms, seat,
         started_at, expires_at, heartbeat_at)
        VALUES (p_new_session, p_user, p_family, p_track, start_listening_session.version, v_periods,
                v_duration_ms, v_seat, p_now, p_now + interval '1800 seconds', p_now);
      UPDATE meters m SET
        level_ms = meter_level_ms(m, p_now) - v_charge,
        at = greatest(m.at, p_now),
        day = greatest(m.day, utc_day(p_now)),
        used_ms = charged_used_ms(m, v_charge, p_now),
        day_before_ms = charged_day_before_ms(m, v_charge, p_now),
        seats = v_seats,
        leased[v_seat] = with_lease('', start_listening_session.period)
      WHERE m.user_id = p_user;
    END IF;
  END IF;

  IF outcome NOT IN ('started', 'resumed') THEN
    kid := NULL;
    wrapped := NULL;
    RETURN;
  END IF;

  position_s := coalesce(v_live.position_s, 0);
  IF p_with_renditions THEN
    SELECT jsonb_agg(jsonb_build_object(
        'name', r.name, 'bitrate', r.bitrate, 'peakBandwidth', r.peak_bandwidth,
        'averageBandwidth', r.average_bandwidth, 'codecs', r.codecs,
        'init', translate(encode(r.init, 'base64'), E'\n', ''),
        'ivSeed', encode(r.iv_seed, 'base64')
      ) ORDER BY r.bitrate)
    INTO renditions
    FROM renditions r
    WHERE r.track_id = p_track AND r.version = start_listening_session.version;
  END IF;
END $$;
--> statement-breakpoint
-- Records a position, and with p_complete ends the session. History only: nothing here bills.
-- Heard seconds grow with the highest position, never faster than the clock. A play counts once,
-- after 30 s or half the track; a completion once, when 90 % was reached and the play counted.
--
-- outcome: recorded | no-session | blocked | signed-out | superseded | ended | beyond-track | not-leased
CREATE OR REPLACE FUNCTION record_listening(
  p_session uuid, p_user uuid, p_position_s double precision, p_complete boolean, p_now timestamptz,
  OUT outcome text, OUT track_id uuid, OUT version integer, OUT duration_s double precision,
  OUT plan text, OUT heard_s double precision, OUT counted boolean,
  OUT limit_ms bigint, OUT used_ms bigint
) LANGUAGE plpgsql AS $$
DECLARE
  v_commit text;
  v record;
  v_frontier_s double precision;
  v_counts boolean;
  v_completes boolean;
  v_position_s double precision;
BEGIN
  v_commit := set_config('synchronous_commit', 'off', true);

  SELECT s.*, m.blocked_at, m.plan, daily_ms(m.plan, m.daily_limit_s) AS limit_ms,
         s.duration_ms::double precision / 1000 AS duration_s,
         meter_used_ms(m, p_now) AS used_today_ms,
         last_leased(m.leased[s.seat]) AS last_period
  INTO v
  FROM listening_sessions s
  JOIN meters m ON m.user_id = s.user_id
  WHERE s.id = p_session AND s.user_id = p_user
  FOR UPDATE OF s;

  IF NOT FOUND THEN
    outcome := 'no-session';
    RETURN;
  END IF;

  track_id := v.track_id;
  version := v.version;
  duration_s := v.duration_s;
  plan := v.plan;
  heard_s := v.heard_s;
  counted := v.counted_at IS NOT NULL;
  limit_ms := v.limit_ms;
  used_ms := v.used_today_ms;
  v_frontier_s := (v.last_period + 1) * 12;

  outcome := CASE
    WHEN v.blocked_at IS NOT NULL THEN 'blocked'
    WHEN v.end_reason = 'signed-out' THEN 'signed-out'
    WHEN v.end_reason = 'superseded' THEN 'superseded'
    -- The answer to a completion may have been lost: the same again is the same answer.
    WHEN v.end_reason = 'completed' AND p_complete THEN 'recorded'
    WHEN v.ended_at IS NOT NULL OR v.expires_at <= p_now THEN 'ended'
    -- One second of grace: players round, and report the end of the last frame.
    WHEN p_position_s > v.duration_s + 1 THEN 'beyond-track'
    WHEN p_position_s > v_frontier_s + 1 THEN 'not-leased'
  END;
  IF outcome IS NOT NULL THEN
    RETURN;
  END IF;

  outcome := 'recorded';
  v_position_s := greatest(v.position_s, least(p_position_s, v.duration_s));
  heard_s := v.heard_s + least(
    v_position_s - v.position_s,
    greatest(0, extract(epoch FROM p_now - v.heartbeat_at)::double precision)
  );
  v_counts := heard_s >= least(30, v.duration_s / 2);
  v_completes := v_counts AND p_complete AND v_position_s >= v.duration_s * 0.9;
  counted := counted OR v_counts;

  UPDATE listening_sessions s
  SET position_s = v_position_s,
      heard_s = record_listening.heard_s,
      heartbeat_at = greatest(s.heartbeat_at, p_now),
      expires_at = p_now + interval '1800 seconds',
      counted_at = CASE WHEN v_counts THEN coalesce(s.counted_at, p_now) END,
      ended_at = CASE WHEN p_complete THEN p_now END,
      end_reason = CASE WHEN p_complete THEN 'completed' END
  WHERE s.id = p_session;

  IF v_counts THEN
    INSERT INTO play_history AS h (session_id, user_id, track_id, started_at, heard_s, completed)
      VALUES (p_session, p_user, v.track_id, v.started_at, record_listening.heard_s, v_completes)
      ON CONFLICT (session_id) DO UPDATE
      SET heard_s = excluded.heard_s, completed = h.completed OR excluded.completed;
    IF v.counted_at IS NULL OR v_completes THEN
      INSERT INTO track_totals AS n (track_id, plays, completions)
        VALUES (v.track_id, (v.counted_at IS NULL)::int, v_completes::int)
        ON CONFLICT ON CONSTRAINT track_totals_pkey DO UPDATE
        SET plays = n.plays + excluded.plays, completions = n.completions + excluded.completions;
      INSERT INTO user_totals AS n (user_id, plays, completions)
        VALUES (p_user, (v.counted_at IS NULL)::int, v_completes::int)
        ON CONFLICT (user_id) DO UPDATE
        SET plays = n.plays + excluded.plays, completions = n.completions + excluded.completions;
    END IF;
  END IF;
END $$;
--> statement-breakpoint
-- Exchanges a refresh token for the next one of its family. A token that was exchanged before, or
-- one of a dead family, kills the family, and a trigger the listening of that sign-in.
--
-- outcome: rotated | unknown | expired | revoked | blocked | reused
CREATE OR REPLACE FUNCTION rotate_refresh_token(
  p_old_hash bytea, p_new_hash bytea, p_now timestamptz, p_expires_at timestamptz
) RETURNS TABLE (outcome text, user_id uuid, family_id uuid) LANGUAGE plpgsql AS $$
DECLARE
  v record;
BEGIN
  SELECT r.used_at, f.id, f.user_id, f.expires_at, f.revoked_at, u.blocked_at INTO v
  FROM refresh_tokens r
  JOIN refresh_families f ON f.id = r.family_id
  JOIN users u ON u.id = f.user_id
  WHERE r.token_hash = p_old_hash
  FOR UPDATE OF r;

  IF NOT FOUND THEN
    outcome := 'unknown';
    RETURN NEXT;
    RETURN;
  END IF;
  user_id := v.user_id;
  family_id := v.id;
  outcome := CASE
    WHEN v.used_at IS NOT NULL THEN 'reused'
    WHEN v.revoked_at IS NOT NULL THEN 'revoked'
    WHEN v.expires_at <= p_now THEN 'expired'
    WHEN v.blocked_at IS NOT NULL THEN 'blocked'
    ELSE 'rotated'
  END;

  IF outcome = 'rotated' THEN
    UPDATE refresh_tokens r SET used_at = p_now WHERE r.token_hash = p_old_hash;
    INSERT INTO refresh_tokens (token_hash, family_id, created_at) VALUES (p_new_hash, v.id, p_now);
    UPDATE refresh_families f SET last_used_at = p_now, expires_at = p_expires_at WHERE f.id = v.id;
  ELSIF outcome = 'reused' THEN
    UPDATE refresh_families f SET revoked_at = p_now, revoked_reason = 'reuse'
      WHERE f.id = v.id AND f.revoked_at IS NULL;
  END IF;
  RETURN NEXT;
END $$;
