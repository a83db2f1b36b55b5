-- The meter. Each function is one statement to its caller, so that a lease or a session start is one
-- round trip. Rules that must hold together live together here; the numbers of the plans and the
-- arithmetic of periods also live in src/contract, and tests hold the two together.
--
-- Concurrency: READ COMMITTED gives every statement inside a function a fresh snapshot. The first
-- statement locks the listener's row in `paces`, so all that follows sees what earlier leases and
-- session starts of the same listener committed. Locks are always taken in the order
-- paces, listening_sessions, daily_usage.

CREATE FUNCTION plan_terms(p_plan text, p_daily_limit_s integer)
RETURNS TABLE (daily_ms bigint, sessions integer, depth_ms double precision, rate double precision)
LANGUAGE sql IMMUTABLE AS $$
  SELECT
    CASE
      WHEN p_daily_limit_s IS NOT NULL THEN p_daily_limit_s::bigint * 1000
      WHEN p_plan = 'premium' THEN NULL
      ELSE 300000
    END,
    CASE WHEN p_plan = 'premium' THEN 3 ELSE 1 END,
    CASE WHEN p_plan = 'premium' THEN 540000.0 ELSE 180000.0 END,
    CASE WHEN p_plan = 'premium' THEN 3.75 ELSE 1.25 END
$$;
--> statement-breakpoint
-- Number of key periods: three segments each, on a grid of four seconds, enough to hold priming and
-- sound in whole AAC frames of 1024 samples.
CREATE FUNCTION period_count(
  p_sample_rate integer, p_sample_count bigint, p_priming_samples integer
) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
  SELECT ((((p_sample_count + p_priming_samples + 1023) / 1024 - 1) * 1024 / (4 * p_sample_rate) + 1 + 2) / 3)::integer
$$;
--> statement-breakpoint
-- What a period is charged, in milliseconds: twelve seconds, or what is left of the track.
CREATE FUNCTION period_charge_ms(
  p_period integer, p_sample_rate integer, p_sample_count bigint
) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
  SELECT (
    least((p_period + 1)::bigint * 12000, round(p_sample_count * 1000.0 / p_sample_rate))
    - least(p_period::bigint * 12000, round(p_sample_count * 1000.0 / p_sample_rate))
  )::integer
$$;
--> statement-breakpoint
-- Level of a token bucket at p_now. A clock that steps back refills nothing.
CREATE FUNCTION pace_level(
  p_level_ms double precision, p_at timestamptz, p_now timestamptz,
  p_depth_ms double precision, p_rate double precision
) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
  SELECT least(
    p_depth_ms,
    p_level_ms + greatest(0, extract(epoch FROM p_now - p_at)::double precision) * 1000 * p_rate
  )
$$;
--> statement-breakpoint
-- Leases the key of one period inside a live session, debits the day and answers with the wrapped
-- master key. Idempotent per (session, period): a retry is granted again and costs nothing.
--
-- outcome: granted | no-session | signed-out | blocked | superseded | ended | wrong-track
--          | no-period | exhausted | too-early
CREATE FUNCTION lease_key_period(
  p_session uuid, p_user uuid, p_track uuid, p_version integer, p_period integer, p_now timestamptz
) RETURNS TABLE (
  outcome text, kid text, wrapped bytea, charged_ms integer,
  limit_ms bigint, used_ms bigint, retry_after_s double precision
) LANGUAGE plpgsql AS $$
DECLARE
  v_day date := (p_now AT TIME ZONE 'UTC')::date;
  v_pace paces%ROWTYPE;
  v_level double precision;
  v record;
BEGIN
  -- A lease lost with a crashed server is twelve seconds in the listener's favour; waiting for the
  -- disk (or for Neon's quorum) on every key is latency in everybody's ear.
  PERFORM set_config('synchronous_commit', 'off', true);

  SELECT * INTO v_pace FROM paces p WHERE p.user_id = p_user FOR UPDATE;

  SELECT
    s.track_id, s.version, s.ended_at, s.end_reason, s.expires_at, u.blocked_at, f.revoked_at,
    k.kid, k.wrapped, t.daily_ms, t.depth_ms, t.rate,
    coalesce(d.used_ms, 0) AS used_ms,
    l.charged_ms AS leased_ms,
    period_count(m.sample_rate, m.sample_count, m.priming_samples) AS periods,
    period_charge_ms(p_period, m.sample_rate, m.sample_count) AS charge_ms
  INTO v
  FROM listening_sessions s
  JOIN users u ON u.id = s.user_id
  JOIN refresh_families f ON f.id = s.family_id
  CROSS JOIN LATERAL plan_terms(u.plan, u.daily_limit_s) t
  JOIN track_versions m ON m.track_id = s.track_id AND m.version = s.version
  JOIN track_keys k ON k.track_id = s.track_id AND k.version = s.version
  LEFT JOIN leases l ON l.session_id = s.id AND l.period = p_period
  LEFT JOIN daily_usage d ON d.user_id = s.user_id AND d.day = v_day
  WHERE s.id = p_session AND s.user_id = p_user;

  IF NOT FOUND THEN
    RETURN QUERY SELECT 'no-session', NULL::text, NULL::bytea, 0, NULL::bigint, 0::bigint, 0.0::float8;
    RETURN;
  END IF;

  outcome := CASE
    WHEN v.blocked_at IS NOT NULL OR v.end_reason = 'blocked' THEN 'blocked'
    WHEN v.revoked_at IS NOT NULL OR v.end_reason = 'signed-out' THEN 'signed-out'
    WHEN v.end_reason = 'superseded' THEN 'superseded'
    WHEN v.ended_at IS NOT NULL OR v.expires_at <= p_now THEN 'ended'
    WHEN v.track_id <> p_track OR v.version <> p_version THEN 'wrong-track'
    WHEN p_period < 0 OR p_period >= v.periods THEN 'no-period'
    WHEN v.leased_ms IS NOT NULL THEN 'granted'
    WHEN v.daily_ms IS NOT NULL AND v.used_ms >= v.daily_ms THEN 'exhausted'
  END;
  charged_ms := 0;
  limit_ms := v.daily_ms;
  used_ms := v.used_ms;
  retry_after_s := 0;

  IF outcome IS NULL THEN
    v_level := pace_level(v_pace.level_ms, v_pace.at, p_now, v.depth_ms, v.rate);
    IF v_level < v.charge_ms THEN
      outcome := 'too-early';
      retry_after_s := (v.charge_ms - v_level) / 1000 / v.rate;
    ELSE
      outcome := 'granted';
      charged_ms := v.charge_ms;
      used_ms := v.used_ms + v.charge_ms;
      UPDATE paces p SET level_ms = v_level - v.charge_ms, at = greatest(p.at, p_now)
        WHERE p.user_id = p_user;
      UPDATE listening_sessions s SET expires_at = p_now + interval '1800 seconds'
        WHERE s.id = p_session;
      INSERT INTO leases (session_id, period, charged_ms, day, leased_at)
        VALUES (p_session, p_period, v.charge_ms, v_day, p_now);
      INSERT INTO daily_usage AS d (user_id, day, used_ms)
        VALUES (p_user, v_day, v.charge_ms)
        ON CONFLICT (user_id, day) DO UPDATE SET used_ms = d.used_ms + excluded.used_ms;
    END IF;
  END IF;

  IF outcome = 'granted' THEN
    kid := v.kid;
    wrapped := v.wrapped;
  END IF;
  RETURN NEXT;
END $$;
--> statement-breakpoint
-- Starts a listening session, or resumes the live one that the same sign-in has on the track, and
-- leases its first period, so that pressing play is one statement.
--
-- outcome: started | resumed | not-found | not-ready | signed-out | blocked | exhausted | too-early
-- renditions: [{name, bitrate, peakBandwidth, averageBandwidth, codecs, init (base64), ivSeed (base64)}]
CREATE FUNCTION start_listening_session(
  p_new_session uuid, p_user uuid, p_family uuid, p_track uuid, p_position_s double precision,
  p_now timestamptz
) RETURNS TABLE (
  outcome text, session_id uuid, expires_at timestamptz, version integer, plan text, period integer,
  kid text, wrapped bytea, sample_rate integer, sample_count bigint,
  priming_samples integer, padding_samples integer, renditions jsonb,
  limit_ms bigint, used_ms bigint, retry_after_s double precision
) LANGUAGE plpgsql AS $$
DECLARE
  v_day date := (p_now AT TIME ZONE 'UTC')::date;
  v_pace paces%ROWTYPE;
  v_who record;
  v_track record;
  v_live record;
  v_lease record;
  v_level double precision;
  v_charge integer;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);

  SELECT * INTO v_pace FROM paces p WHERE p.user_id = p_user FOR UPDATE;
  IF NOT FOUND THEN
    -- First play ever. The bucket starts full; a lease caps the level at the plan's depth.
    INSERT INTO paces (user_id, level_ms, at)
      SELECT u.id, 540000, p_now FROM users u WHERE u.id = p_user
      ON CONFLICT (user_id) DO NOTHING;
    SELECT * INTO v_pace FROM paces p WHERE p.user_id = p_user FOR UPDATE;
  END IF;

  SELECT u.plan, u.blocked_at, f.revoked_at, f.id AS family_id,
         t.daily_ms, t.sessions, t.depth_ms, t.rate, coalesce(d.used_ms, 0) AS used_ms
  INTO v_who
  FROM users u
  CROSS JOIN LATERAL plan_terms(u.plan, u.daily_limit_s) t
  LEFT JOIN refresh_families f ON f.id = p_family AND f.user_id = u.id
  LEFT JOIN daily_usage d ON d.user_id = u.id AND d.day = v_day
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
    RETURN NEXT;
    RETURN;
  END IF;

  SELECT s.id, s.version INTO v_live
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

  period := least(
    floor(greatest(p_position_s, 0) / 12)::integer,
    period_count(sample_rate, sample_count, priming_samples) - 1
  );

  IF v_live.id IS NOT NULL THEN
    SELECT * INTO v_lease
      FROM lease_key_period(v_live.id, p_user, p_track, start_listening_session.version, period, p_now);
    IF v_lease.outcome <> 'granted' THEN
      -- The place to resume at is not paid for and cannot be now: resume at the start, which is.
      period := 0;
      SELECT * INTO v_lease
        FROM lease_key_period(v_live.id, p_user, p_track, start_listening_session.version, 0, p_now);
    END IF;
    outcome := CASE WHEN v_lease.outcome = 'granted' THEN 'resumed' ELSE v_lease.outcome END;
    used_ms := v_lease.used_ms;
    retry_after_s := v_lease.retry_after_s;
    session_id := v_live.id;
    UPDATE listening_sessions s SET expires_at = p_now + interval '1800 seconds' WHERE s.id = v_live.id;
  ELSE
    v_charge := period_charge_ms(period, sample_rate, sample_count);
    v_level := pace_level(v_pace.level_ms, v_pace.at, p_now, v_who.depth_ms, v_who.rate);
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
        (id, user_id, family_id, track_id, version, started_at, expires_at, heartbeat_at)
        VALUES (p_new_session, p_user, p_family, p_track, start_listening_session.version, p_now,
                p_now + interval '1800 seconds', p_now);
      UPDATE paces p SET level_ms = v_level - v_charge, at = greatest(p.at, p_now)
        WHERE p.user_id = p_user;
      INSERT INTO leases (session_id, period, charged_ms, day, leased_at)
        VALUES (p_new_session, start_listening_session.period, v_charge, v_day, p_now);
      INSERT INTO daily_usage AS d (user_id, day, used_ms)
        VALUES (p_user, v_day, v_charge)
        ON CONFLICT (user_id, day) DO UPDATE SET used_ms = d.used_ms + excluded.used_ms;
    END IF;
  END IF;

  IF outcome NOT IN ('started', 'resumed') THEN
    kid := NULL;
    wrapped := NULL;
    RETURN NEXT;
    RETURN;
  END IF;

  expires_at := p_now + interval '1800 seconds';
  SELECT jsonb_agg(jsonb_build_object(
      'name', r.name, 'bitrate', r.bitrate, 'peakBandwidth', r.peak_bandwidth,
      'averageBandwidth', r.average_bandwidth, 'codecs', r.codecs,
      'init', translate(encode(r.init, 'base64'), E'\n', ''),
      'ivSeed', encode(r.iv_seed, 'base64')
    ) ORDER BY r.bitrate)
  INTO renditions
  FROM renditions r
  WHERE r.track_id = p_track AND r.version = start_listening_session.version;
  RETURN NEXT;
END $$;
--> statement-breakpoint
-- Records a position, and with p_complete ends the session. History only: nothing here bills.
-- Heard seconds grow with the highest position, never faster than the clock. A play counts once,
-- after 30 s or half the track; a completion once, when 90 % was reached and the play counted.
--
-- outcome: recorded | no-session | blocked | signed-out | superseded | ended | beyond-track | not-leased
CREATE FUNCTION record_listening(
  p_session uuid, p_user uuid, p_position_s double precision, p_complete boolean, p_now timestamptz
) RETURNS TABLE (
  outcome text, track_id uuid, version integer, heard_s double precision, counted boolean,
  expires_at timestamptz, limit_ms bigint, used_ms bigint
) LANGUAGE plpgsql AS $$
DECLARE
  v record;
  v_frontier_s double precision;
  v_counts boolean;
  v_completes boolean;
  v_position_s double precision;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);

  PERFORM 1 FROM listening_sessions s WHERE s.id = p_session AND s.user_id = p_user FOR UPDATE;
  SELECT s.*, u.blocked_at, f.revoked_at, m.sample_count::double precision / m.sample_rate AS duration_s,
         t.daily_ms, coalesce(d.used_ms, 0) AS used_today_ms,
         (SELECT max(l.period) FROM leases l WHERE l.session_id = s.id) AS last_period,
         h.completed
  INTO v
  FROM listening_sessions s
  JOIN users u ON u.id = s.user_id
  JOIN refresh_families f ON f.id = s.family_id
  CROSS JOIN LATERAL plan_terms(u.plan, u.daily_limit_s) t
  JOIN track_versions m ON m.track_id = s.track_id AND m.version = s.version
  LEFT JOIN daily_usage d ON d.user_id = s.user_id AND d.day = (p_now AT TIME ZONE 'UTC')::date
  LEFT JOIN play_history h ON h.session_id = s.id
  WHERE s.id = p_session AND s.user_id = p_user;

  IF NOT FOUND THEN
    outcome := 'no-session';
    RETURN NEXT;
    RETURN;
  END IF;

  track_id := v.track_id;
  version := v.version;
  heard_s := v.heard_s;
  counted := v.counted_at IS NOT NULL;
  expires_at := v.expires_at;
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
    RETURN NEXT;
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
  expires_at := p_now + interval '1800 seconds';

  UPDATE listening_sessions s
  SET position_s = v_position_s,
      heard_s = record_listening.heard_s,
      heartbeat_at = greatest(s.heartbeat_at, p_now),
      expires_at = record_listening.expires_at,
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
  RETURN NEXT;
END $$;
--> statement-breakpoint
-- Exchanges a refresh token for the next one of its family. A token that was exchanged before, or
-- one of a dead family, kills the family and the listening sessions of that sign-in.
--
-- outcome: rotated | unknown | expired | revoked | blocked | reused
CREATE FUNCTION rotate_refresh_token(
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
    UPDATE listening_sessions s SET ended_at = p_now, end_reason = 'signed-out'
      WHERE s.family_id = v.id AND s.ended_at IS NULL;
  END IF;
  RETURN NEXT;
END $$;
