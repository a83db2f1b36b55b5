-- Starts a listening session, or resumes the live one that the same sign-in has on the track, and
-- leases its first period, so that pressing play is one statement.
--
-- outcome: started | resumed | not-found | not-ready | signed-out | blocked | exhausted | too-early
-- renditions: [{name, bitrate, peakBandwidth, averageBandwidth, codecs, init (base64), ivSeed (base64)}],
-- null where not wanted
create or replace function start_listening_session(
  p_new_session uuid, p_user uuid, p_family uuid, p_track uuid, p_position_s double precision,
  p_now timestamptz, p_with_renditions boolean default true,
  out outcome text, out session_id uuid, out version integer, out plan text, out period integer,
  out kid text, out wrapped bytea, out sample_rate integer, out sample_count bigint,
  out priming_samples integer, out padding_samples integer, out renditions jsonb,
  out position_s double precision, out max_bitrate integer, out limit_ms bigint, out used_ms bigint,
  out retry_after_s double precision, out segments_per_period integer
) language plpgsql as $$
declare
  v_commit text;
  v_meter meters%rowtype;
  v_family record;
  v_track record;
  v_live record;
  v_other record;
  v_devices uuid[] := '{}';
  v_has_own boolean := false;
  v_lease json;
  v_kept uuid[] := '{}';
  v_seats uuid[];
  v_leased bytea[];
  v_seat smallint;
  v_charge integer;
  v_periods integer;
  v_period_ms integer;
  v_duration_ms bigint;
begin
  v_commit := set_config('synchronous_commit', 'off', true);

  select * into v_meter from meters m where m.user_id = p_user for update;
  select f.id, f.revoked_at into v_family
  from refresh_families f where f.id = p_family and f.user_id = p_user;

  select t.id, t.version, t.published_at into v_track
  from tracks t where t.id = p_track and t.deleted_at is null;

  retry_after_s := 0;
  v_seats := v_meter.seats;
  v_leased := v_meter.leased;
  plan := v_meter.plan;
  max_bitrate := v_meter.max_bitrate;
  limit_ms := v_meter.limit_ms;
  used_ms := meter_used_ms(v_meter, p_now);
  outcome := case
    when v_family.id is null or v_family.revoked_at is not null then 'signed-out'
    when v_meter.blocked_at is not null then 'blocked'
    when v_track.id is null then 'not-found'
    when v_track.version is null or v_track.published_at is null then 'not-ready'
  end;
  if outcome is not null then
    return;
  end if;

  select s.id, s.version, s.position_s into v_live
  from listening_sessions s
  where s.user_id = p_user and s.family_id = p_family and s.track_id = p_track
    and session_is_live(s, p_now)
  order by s.started_at desc limit 1;

  version := coalesce(v_live.version, v_track.version);
  select m.sample_rate, m.sample_count, m.priming_samples, m.padding_samples,
         m.segments_per_period, k.kid, k.wrapped
  into sample_rate, sample_count, priming_samples, padding_samples, segments_per_period, kid, wrapped
  from track_versions m
  join track_keys k on k.track_id = m.track_id and k.version = m.version
  where m.track_id = p_track and m.version = start_listening_session.version;

  v_periods := period_count(sample_rate, sample_count, segments_per_period);
  v_period_ms := 4000 * segments_per_period;
  v_duration_ms := round(sample_count * 1000.0 / sample_rate);
  period := least(floor(greatest(p_position_s, 0) * 1000 / v_period_ms)::integer, v_periods - 1);

  if v_live.id is not null then
    v_lease := lease_key_periods(v_live.id, p_user, p_track, version, period, 1, p_now);
    if v_lease ->> 'outcome' <> 'granted' then
      -- The place to resume at is not paid for and cannot be now: resume at the start, which is.
      period := 0;
      v_lease := lease_key_periods(v_live.id, p_user, p_track, version, period, 1, p_now);
    end if;
    outcome := replace(v_lease ->> 'outcome', 'granted', 'resumed');
    used_ms := v_lease ->> 'used_ms';
    retry_after_s := v_lease ->> 'retry_after_s';
    session_id := v_live.id;
    perform touch_session(v_live.id, p_now, interval '1920 seconds');
  else
    v_charge := period_charge_ms(period, v_duration_ms, v_period_ms);
    outcome := charge_outcome(v_meter, v_charge, p_now);
    if outcome = 'exhausted' then
      perform meet_late_day(p_user, utc_day(p_now));
    elsif outcome = 'too-early' then
      retry_after_s := charge_wait_s(v_meter, v_charge, p_now);
    elsif outcome = 'granted' then
      outcome := 'started';
      session_id := p_new_session;
      used_ms := used_ms + v_charge;
      -- A device, which is an auth session, has two listening sessions: the one that plays and the next. So
      -- of its own the newest stays beside the new one; and of the other devices those that started something
      -- last, so that with this one they are as many as the plan allows.
      for v_other in
        select o.id, o.family_id from listening_sessions o
        where o.user_id = p_user and session_is_live(o, p_now)
        order by o.started_at desc, o.id desc
      loop
        if v_other.family_id = p_family then
          continue when v_has_own;
          v_has_own := true;
        elsif v_other.family_id <> all (v_devices) then
          continue when cardinality(v_devices) >= v_meter.devices - 1;
          v_devices := v_devices || v_other.family_id;
        end if;
        v_kept := v_kept || v_other.id;
      end loop;
      update listening_sessions s
      set ended_at = p_now,
          end_reason = case when session_is_live(s, p_now) then 'superseded' else 'expired' end
      where s.user_id = p_user and s.ended_at is null and s.id <> all (v_kept);
      -- One that a clock ahead has started lives half an hour from now, unless somebody listens to it.
      update listening_sessions s set late_expires_at = p_now + interval '1800 seconds'
      where s.id = any (v_kept) and session_is_ahead(s, p_now) and s.late_expires_at is null;
      -- The lowest place that is free now. Others that are free forget what was paid for there.
      for n in reverse greatest(2 * v_meter.devices, cardinality(v_seats)) .. 1 loop
        if v_seats[n] is null or v_seats[n] <> all (v_kept) then
          v_seat := n;
          if n <= cardinality(v_seats) then
            v_seats[n] := null;
            v_leased[n] := '';
          end if;
        end if;
      end loop;
      v_seats[v_seat] := p_new_session;
      v_leased[v_seat] := with_lease('', period);
      insert into listening_sessions
        (id, user_id, family_id, track_id, version, period_count, period_ms, duration_ms, seat,
         started_at, expires_at, heartbeat_at)
        values (p_new_session, p_user, p_family, p_track, start_listening_session.version, v_periods,
                v_period_ms, v_duration_ms, v_seat, p_now, p_now + interval '1800 seconds', p_now);
      update meters m set
        (level_ms, at, late_at, day, used_ms, late_day, day_before_ms) = (
          select c.level_ms, c.at, c.late_at, c.day, c.used_ms, c.late_day, c.day_before_ms
          from charged(m, v_charge, p_now) c
        ),
        seats = v_seats,
        leased = v_leased
      where m.user_id = p_user;
    end if;
  end if;

  if outcome not in ('started', 'resumed') then
    kid := null;
    wrapped := null;
    return;
  end if;

  position_s := coalesce(v_live.position_s, 0);
  if p_with_renditions then
    select jsonb_agg(jsonb_build_object(
        'name', r.name, 'bitrate', r.bitrate, 'peakBandwidth', r.peak_bandwidth,
        'averageBandwidth', r.average_bandwidth, 'codecs', r.codecs,
        'init', translate(encode(r.init, 'base64'), E'\n', ''),
        'ivSeed', encode(r.iv_seed, 'base64')
      ) order by r.bitrate)
    into renditions
    from renditions r
    where r.track_id = p_track and r.version = start_listening_session.version;
  end if;
end $$;

-- Nothing is charged before all that can fail has succeeded. What can fail when play is pressed is the
-- opening of the track's master key: its key-encryption key may be missing from the Worker's
-- configuration, or the bytes be damaged. So a Worker says which versions of the track it has opened the
-- keys of, and a start that would need another one changes nothing and answers with that key.
--
-- In a block of its own, since only the start knows which version it is about, under its locks.
--
-- As start_listening_session, as JSON; or {outcome: 'unopened', version, kid, wrapped} and nothing done.
create or replace function start_session_if_opened(
  p_opened integer[], p_new_session uuid, p_user uuid, p_family uuid, p_track uuid,
  p_position_s double precision, p_now timestamptz, p_with_renditions boolean
) returns json language plpgsql as $$
declare
  v record;
begin
  begin
    select * into v from start_listening_session(
      p_new_session, p_user, p_family, p_track, p_position_s, p_now, p_with_renditions
    );
    if v.outcome in ('started', 'resumed') and v.version <> all (p_opened) then
      raise exception 'the key of version % is not open', v.version using errcode = 'MK001';
    end if;
  exception when sqlstate 'MK001' then
    return json_build_object(
      'outcome', 'unopened', 'version', v.version, 'kid', v.kid, 'wrapped', v.wrapped
    );
  end;
  return to_json(v);
end $$;
