-- Nothing is charged before all that can fail has succeeded. What can fail when play is pressed is the
-- opening of the track's master key: its key-encryption key may be missing from the Worker's
-- configuration, or the bytes be damaged. So a Worker says which versions of the track it has opened the
-- keys of, and a start that would need another one changes nothing and answers with that key.
--
-- In a block of its own, since only the start knows which version it is about, under its locks.

-- As start_listening_session, as JSON; or {outcome: 'unopened', version, kid, wrapped} and nothing done.
CREATE FUNCTION start_listening_session_if_opened(
  p_opened integer[], p_new_session uuid, p_user uuid, p_family uuid, p_track uuid,
  p_position_s double precision, p_now timestamptz, p_with_renditions boolean
) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  v record;
BEGIN
  BEGIN
    SELECT * INTO v FROM start_listening_session(
      p_new_session, p_user, p_family, p_track, p_position_s, p_now, p_with_renditions
    );
    IF v.outcome IN ('started', 'resumed') AND v.version <> ALL (p_opened) THEN
      RAISE EXCEPTION 'the key of version % is not open', v.version USING ERRCODE = 'MK001';
    END IF;
  EXCEPTION WHEN SQLSTATE 'MK001' THEN
    RETURN json_build_object(
      'outcome', 'unopened', 'version', v.version, 'kid', v.kid, 'wrapped', v.wrapped
    );
  END;
  RETURN to_json(v);
END $$;
