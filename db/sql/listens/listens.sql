-- A session that ended is a listen. A trigger writes it, so whatever ends a session, in whichever release, has done
-- all there is to do: completion, another session in its place, the clock, a sign-out, a deleted track.

-- Whether the listener went on to something else within ten seconds.
create or replace function is_skip(s listening_sessions) returns boolean language sql immutable as $$
  select s.end_reason in ('completed', 'superseded') and s.counted_at is null
    and greatest(s.position_s, s.heard_s) < 10 and s.duration_ms > 20000
$$;

-- Whether it was heard to the end: 90 % of it, of a play that counted.
create or replace function is_completion(s listening_sessions) returns boolean language sql immutable as $$
  select s.end_reason is not distinct from 'completed' and s.counted_at is not null
    and s.position_s >= s.duration_ms::double precision / 1000 * 0.9
$$;

create or replace function write_listen(s listening_sessions) returns void language sql as $$
  insert into listens as l (
    started_at, session_id, user_id, track_id, ended_at, heard_s, position_s, counted, skipped, completed, client, country
  )
  values (
    s.started_at, s.id, s.user_id, s.track_id, coalesce(s.ended_at, s.heartbeat_at), s.heard_s, s.position_s,
    s.counted_at is not null, coalesce(is_skip(s), false), is_completion(s), s.client, s.country
  )
  on conflict (started_at, session_id) do update
  set ended_at = excluded.ended_at, heard_s = excluded.heard_s, position_s = excluded.position_s,
      counted = l.counted or excluded.counted, skipped = excluded.skipped,
      completed = l.completed or excluded.completed
$$;

create or replace function keep_listen() returns trigger language plpgsql as $$
begin
  perform write_listen(new);
  return null;
end $$;

create or replace trigger listening_sessions_keep_listen
after update of ended_at on listening_sessions
for each row when (old.ended_at is null and new.ended_at is not null)
execute function keep_listen();

-- One that is deleted while it is live, with its auth session. Not with its listener or its track: they take the
-- listen with them, and are gone already.
create or replace function keep_listen_of_deleted() returns trigger language plpgsql as $$
begin
  if exists (select from users u where u.id = old.user_id) and exists (select from tracks t where t.id = old.track_id) then
    perform write_listen(old);
  end if;
  return null;
end $$;

create or replace trigger listening_sessions_keep_listen_of_deleted
after delete on listening_sessions
for each row when (old.ended_at is null)
execute function keep_listen_of_deleted();

-- Makes the table of the month of p_now and of the next two, each once, and moves into it what began in that month
-- before there was one.
create or replace function keep_listen_months(p_now timestamptz) returns integer language plpgsql as $$
declare
  v_month date;
  v_name text;
  v_from text;
  v_to text;
  v_made integer := 0;
begin
  for n in 0 .. 2 loop
    v_month := date_trunc('month', p_now at time zone 'UTC') + make_interval(months => n);
    v_name := 'listens_' || to_char(v_month, 'YYYY_MM');
    continue when to_regclass('public.' || v_name) is not null;
    v_from := to_char(v_month, 'YYYY-MM-DD') || ' 00:00:00+00';
    v_to := to_char(v_month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00';
    execute format('create table %I (like listens including defaults including constraints)', v_name);
    execute format(
      'with moved as (delete from listens_other where started_at >= %L and started_at < %L returning *)
       insert into %I select * from moved', v_from, v_to, v_name
    );
    execute format('alter table listens attach partition %I for values from (%L) to (%L)', v_name, v_from, v_to);
    v_made := v_made + 1;
  end loop;
  return v_made;
end $$;
