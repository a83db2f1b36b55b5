-- A session carries what a lease needs to know of its track: how many key periods there are, and how
-- many milliseconds of sound. A version of a track never changes, so the copy can't become wrong, and
-- a lease reads four rows instead of six. The wrapped master key is read only for a Worker that does
-- not hold it opened already.

ALTER TABLE "listening_sessions" ADD COLUMN "period_count" integer, ADD COLUMN "duration_ms" bigint;--> statement-breakpoint
UPDATE listening_sessions s SET
  period_count = period_count(a.sample_rate, a.sample_count, a.priming_samples),
  duration_ms = round(a.sample_count * 1000.0 / a.sample_rate)
FROM track_versions a WHERE a.track_id = s.track_id AND a.version = s.version;--> statement-breakpoint
-- A session of a version that was deleted since opens nothing any more.
DELETE FROM listening_sessions WHERE period_count IS NULL;--> statement-breakpoint
ALTER TABLE "listening_sessions" ALTER COLUMN "period_count" SET NOT NULL, ALTER COLUMN "duration_ms" SET NOT NULL;--> statement-breakpoint
DROP FUNCTION lease_key_period(uuid, uuid, uuid, integer, integer, timestamptz);--> statement-breakpoint
DROP FUNCTION period_charge_ms(integer, integer, bigint);--> statement-breakpoint
-- What a period is charged, in milliseconds: twelve seconds, or what is left of the track.
CREATE FUNCTION period_charge_ms(p_period integer, p_duration_ms bigint)
RETURNS integer LANGUAGE sql IMMUTABLE AS $$
  SELECT greatest(0, least(12000, p_duration_ms - p_period::bigint * 12000))::integer
$$;
--> statement-breakpoint
-- Leases the key of one period inside a live session, debits the day and answers with the wrapped
-- master key. Idempotent per (session, period): a retry is granted again and costs nothing.
--
-- outcome: granted | no-session | signed-out | blocked | superseded | ended | wrong-track
--          | no-period | exhausted | too-early
--
-- p_with_key: whether to answer with the wrapped master key, too.
CREATE FUNCTION lease_key_period(
  p_session uuid, p_user uuid, p_track uuid, p_version integer, p_period integer, p_now timestamptz,
  p_with_key boolean DEFAULT true,
  OUT outcome text, OUT kid text, OUT wrapped bytea, OUT charged_ms integer,
  OUT limit_ms bigint, OUT used_ms bigint, OUT retry_after_s double precision
) LANGUAGE plpgsql AS $$
DECLARE
  v_commit text;
  v_day date := (p_now AT TIME ZONE 'UTC')::date;
  v_level double precision;
  v record;
BEGIN
  -- A lease lost with a crashed server is twelve seconds in the listener's favour; waiting for the
  -- disk (or for Neon's quorum) on every key is latency in everybody's ear.
  -- As an expression, which plpgsql evaluates without the executor.
  v_commit := set_config('synchronous_commit', 'off', true);

  SELECT
    s.track_id, s.version, s.ended_at, s.end_reason, s.expires_at, u.blocked_at, f.revoked_at,
    t.daily_ms, t.depth_ms, t.rate,
    used_on(v_day, m.day, m.used_ms, m.day_before_ms) AS used_ms,
    has_leased(s.leased, p_period) AS is_leased,
    s.period_count,
    period_charge_ms(p_period, s.duration_ms) AS charge_ms,
    m.level_ms, m.at
  INTO v
  FROM meters m
  JOIN listening_sessions s ON s.user_id = m.user_id
  JOIN users u ON u.id = m.user_id
  JOIN refresh_families f ON f.id = s.family_id
  CROSS JOIN LATERAL plan_terms(u.plan, u.daily_limit_s) t
  WHERE m.user_id = p_user AND s.id = p_session
  FOR UPDATE OF m, s;

  charged_ms := 0;
  retry_after_s := 0;
  IF NOT FOUND THEN
    outcome := 'no-session';
    RETURN;
  END IF;

  outcome := CASE
    WHEN v.blocked_at IS NOT NULL OR v.end_reason = 'blocked' THEN 'blocked'
    WHEN v.revoked_at IS NOT NULL OR v.end_reason = 'signed-out' THEN 'signed-out'
    WHEN v.end_reason = 'superseded' THEN 'superseded'
    WHEN v.ended_at IS NOT NULL OR v.expires_at <= p_now THEN 'ended'
    WHEN v.track_id <> p_track OR v.version <> p_version THEN 'wrong-track'
    WHEN p_period < 0 OR p_period >= v.period_count THEN 'no-period'
    WHEN v.is_leased THEN 'granted'
    WHEN v.daily_ms IS NOT NULL AND v.used_ms >= v.daily_ms THEN 'exhausted'
  END;
  limit_ms := v.daily_ms;
  used_ms := v.used_ms;

  IF p_with_key AND (outcome IS NULL OR outcome = 'granted') THEN
    SELECT k.kid, k.wrapped INTO kid, wrapped
    FROM track_keys k WHERE k.track_id = p_track AND k.version = p_version;
    -- Nothing is charged for a key that is gone with its version.
    IF NOT FOUND THEN
      outcome := 'ended';
    END IF;
  END IF;

  IF outcome IS NULL THEN
    v_level := pace_level(v.level_ms, v.at, p_now, v.depth_ms, v.rate);
    IF v_level < v.charge_ms THEN
      outcome := 'too-early';
      retry_after_s := (v.charge_ms - v_level) / 1000 / v.rate;
    ELSE
      outcome := 'granted';
      charged_ms := v.charge_ms;
      used_ms := v.used_ms + v.charge_ms;
      UPDATE meters m SET
        level_ms = v_level - v.charge_ms,
        at = greatest(m.at, p_now),
        day = greatest(m.day, v_day),
        used_ms = CASE WHEN v_day < m.day THEN m.used_ms ELSE lease_key_period.used_ms END,
        day_before_ms = CASE
          WHEN v_day < m.day THEN lease_key_period.used_ms
          WHEN v_day = m.day THEN m.day_before_ms
          WHEN v_day = m.day + 1 THEN m.used_ms
          ELSE 0
        END
      WHERE m.user_id = p_user;
      UPDATE listening_sessions s SET
        leased = with_lease(s.leased, p_period),
        last_period = greatest(s.last_period, p_period),
        expires_at = p_now + interval '1800 seconds'
      WHERE s.id = p_session;
    END IF;
  END IF;

  IF outcome <> 'granted' THEN
    kid := NULL;
    wrapped := NULL;
  END IF;
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
  v_day date := (p_now AT TIME ZONE 'UTC')::date;
  v_meter meters%ROWTYPE;
  v_who record;
  v_track record;
  v_live record;
  v_lease record;
  v_level double precision;
  v_charge integer;
  v_periods integer;
  v_duration_ms bigint;
BEGIN
  v_commit := set_config('synchronous_commit', 'off', true);

  SELECT * INTO v_meter FROM meters m WHERE m.user_id = p_user FOR UPDATE;
  IF NOT FOUND THEN
    -- First play ever. The bucket starts full; a lease caps the level at the plan's depth.
    INSERT INTO meters (user_id, level_ms, at, day)
      SELECT u.id, 540000, p_now, v_day FROM users u WHERE u.id = p_user
      ON CONFLICT (user_id) DO NOTHING;
    SELECT * INTO v_meter FROM meters m WHERE m.user_id = p_user FOR UPDATE;
  END IF;

  SELECT u.plan, u.blocked_at, f.revoked_at, f.id AS family_id,
         t.daily_ms, t.sessions, t.depth_ms, t.rate,
         used_on(v_day, v_meter.day, v_meter.used_ms, v_meter.day_before_ms) AS used_ms
  INTO v_who
  FROM users u
  CROSS JOIN LATERAL plan_terms(u.plan, u.daily_limit_s) t
  LEFT JOIN refresh_families f ON f.id = p_family AND f.user_id = u.id
  WHERE u.id = p_user;

  SELECT t.id, t.version, t.published_at INTO v_track
  FROM tracks t WHERE t.id = p_track AND t.deleted_at IS NULL;

  retry_after_s := 0;
  plan := v_who.plan;
  limit_ms := v_who.daily_ms;
  used_ms := v_who.used_ms;
  outcome := CASE
    WHEN v_who.plan IS NULL OR v_who.family_id IS NULL OR v_who.revoked_at IS NOT NULL THEN 'signed-out'
    WHEN v_who.blocked_at IS NOT NULL THEN 'blocked'
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
    SELECT * INTO v_lease
      FROM lease_key_period(v_live.id, p_user, p_track, start_listening_session.version, period, p_now, false);
    IF v_lease.outcome <> 'granted' THEN
      -- The place to resume at is not paid for and cannot be now: resume at the start, which is.
      period := 0;
      SELECT * INTO v_lease
        FROM lease_key_period(v_live.id, p_user, p_track, start_listening_session.version, 0, p_now, false);
    END IF;
    outcome := CASE WHEN v_lease.outcome = 'granted' THEN 'resumed' ELSE v_lease.outcome END;
    used_ms := v_lease.used_ms;
    retry_after_s := v_lease.retry_after_s;
    session_id := v_live.id;
    UPDATE listening_sessions s SET expires_at = p_now + interval '1800 seconds' WHERE s.id = v_live.id;
  ELSE
    v_charge := period_charge_ms(period, v_duration_ms);
    v_level := pace_level(v_meter.level_ms, v_meter.at, p_now, v_who.depth_ms, v_who.rate);
    IF v_who.daily_ms IS NOT NULL AND v_who.used_ms >= v_who.daily_ms THEN
      outcome := 'exhausted';
    ELSIF v_level < v_charge THEN
      outcome := 'too-early';
      retry_after_s := (v_charge - v_level) / 1000 / v_who.rate;
    ELSE
      outcome := 'started';
      session_id := p_new_session;
      used_ms := v_who.used_ms + v_charge;
      -- The newest stay; with the new one they are as many as the plan allows.
      UPDATE listening_sessions s
      SET ended_at = p_now,
          end_reason = CASE WHEN s.expires_at <= p_now THEN 'expired' ELSE 'superseded' END
      WHERE s.user_id = p_user AND s.ended_at IS NULL AND s.id NOT IN (
        SELECT o.id FROM listening_sessions o
        WHERE o.user_id = p_user AND o.ended_at IS NULL AND o.expires_at > p_now
        ORDER BY o.started_at DESC, o.id DESC LIMIT v_who.sessions - 1
      );
      INSERT INTO listening_sessions
        (id, user_id, family_id, track_id, version, period_count, duration_ms,
         started_at, expires_at, heartbeat_at, leased, last_period)
        VALUES (p_new_session, p_user, p_family, p_track, start_listening_session.version, v_periods,
                v_duration_ms, p_now, p_now + interval '1800 seconds', p_now,
                with_lease('', start_listening_session.period), start_listening_session.period);
      UPDATE meters m SET
        level_ms = v_level - v_charge,
        at = greatest(m.at, p_now),
        day = greatest(m.day, v_day),
        used_ms = CASE WHEN v_day < m.day THEN m.used_ms ELSE start_listening_session.used_ms END,
        day_before_ms = CASE
          WHEN v_day < m.day THEN start_listening_session.used_ms
          WHEN v_day = m.day THEN m.day_before_ms
          WHEN v_day = m.day + 1 THEN m.used_ms
          ELSE 0
        END
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

  SELECT s.*, u.blocked_at, u.plan, f.revoked_at, t.daily_ms,
         s.duration_ms::double precision / 1000 AS duration_s,
         used_on((p_now AT TIME ZONE 'UTC')::date, m.day, m.used_ms, m.day_before_ms) AS used_today_ms
  INTO v
  FROM listening_sessions s
  JOIN users u ON u.id = s.user_id
  JOIN refresh_families f ON f.id = s.family_id
  CROSS JOIN LATERAL plan_terms(u.plan, u.daily_limit_s) t
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
  limit_ms := v.daily_ms;
  used_ms := v.used_today_ms;
  v_frontier_s := (v.last_period + 1) * 12;

  outcome := CASE
    WHEN v.blocked_at IS NOT NULL OR v.end_reason = 'blocked' THEN 'blocked'
    WHEN v.revoked_at IS NOT NULL OR v.end_reason = 'signed-out' THEN 'signed-out'
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
