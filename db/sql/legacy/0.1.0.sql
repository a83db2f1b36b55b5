-- What release 0.1.0 calls and nobody calls any more. The release after the next may drop it.

-- A day's budget, milliseconds; null: none.
create or replace function daily_ms(p_plan text, p_daily_limit_s integer) returns bigint language sql stable as $$
  select case
    when p_daily_limit_s is not null then p_daily_limit_s::bigint * 1000
    else (select p.daily_ms from plans p where p.id = p_plan)
  end
$$;

-- The release never asks for the key: p_with_key is of no account.
create or replace function lease_key_period(
  p_session uuid, p_user uuid, p_track uuid, p_version integer, p_period integer, p_now timestamptz,
  p_with_key boolean default true
) returns json language sql as $$
  select lease_key_periods(p_session, p_user, p_track, p_version, p_period, 1, p_now)
$$;

-- The release takes three segments to a key for granted: in its playlists a version with another grain would be
-- noise, which somebody pays for. To it such a track is being prepared, until the newer Worker is there.
create or replace function start_listening_session_if_opened(
  p_opened integer[], p_new_session uuid, p_user uuid, p_family uuid, p_track uuid,
  p_position_s double precision, p_now timestamptz, p_with_renditions boolean
) returns json language plpgsql as $$
declare
  v json;
begin
  begin
    v := start_session_if_opened(
      p_opened, p_new_session, p_user, p_family, p_track, p_position_s, p_now, p_with_renditions
    );
    if (v ->> 'segments_per_period')::integer <> 3 then
      raise exception 'a grain that release 0.1.0 does not know' using errcode = 'MK002';
    end if;
  exception when sqlstate 'MK002' then
    return json_build_object('outcome', 'not-ready', 'retry_after_s', 0);
  end;
  return v;
end $$;

create or replace function record_listening(
  p_session uuid, p_user uuid, p_position_s double precision, p_complete boolean, p_now timestamptz,
  out outcome text, out track_id uuid, out version integer, out duration_s double precision,
  out plan text, out heard_s double precision, out counted boolean,
  out limit_ms bigint, out used_ms bigint
) language sql as $$
  select r.*
  from json_to_record(record_position(p_session, p_user, p_position_s, p_complete, p_now)) as r (
    outcome text, track_id uuid, version integer, duration_s double precision, plan text,
    heard_s double precision, counted boolean, limit_ms bigint, used_ms bigint
  )
$$;
