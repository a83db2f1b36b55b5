-- Exchanges a refresh token for the next one of its family, of which the caller gives the hash. The
-- next token must be derived from the old one, so that whoever asks twice names the same one.
--
-- A token that was exchanged may come again: the answer was lost on its way, or two tabs asked at
-- once. It is answered with the same next token, and nothing is written, if all of this holds: it was
-- exchanged within p_grace_s seconds of p_now; the token that it was exchanged for is p_new_hash, and
-- has not itself been exchanged. Every other token that was exchanged kills the family, and a trigger
-- the listening of that sign-in. So after A → B → C, A kills at once, however young it is, and B is
-- accepted for the rest of its own grace, which no repetition prolongs.
--
-- A thief who repeats a token within the grace gets what the owner got, not a second chain of tokens:
-- as soon as one of the two exchanges it, the other's turn, later than the grace, kills the family.
--
-- All calls for one token, then all for one family, run one after another: the token's row is locked
-- before the family's.
--
-- outcome: rotated | repeated | unknown | expired | revoked | blocked | reused
-- expires_at: when the family ends; null where there is none
create or replace function refresh_sign_in(
  p_old_hash bytea, p_new_hash bytea, p_now timestamptz, p_expires_at timestamptz, p_grace_s integer
) returns table (outcome text, user_id uuid, family_id uuid, expires_at timestamptz)
language plpgsql as $$
#variable_conflict use_column
declare
  v_grace interval := make_interval(secs => p_grace_s);
  v_used_at timestamptz;
  v_family refresh_families;
  v_is_blocked boolean;
  v_is_repeated boolean;
begin
  select r.family_id, r.used_at into family_id, v_used_at
    from refresh_tokens r where r.token_hash = p_old_hash for update;
  if not found then
    outcome := 'unknown';
    return next;
    return;
  end if;
  -- The family first, then what is read of it: what committed while this waited is seen.
  select f.* into v_family from refresh_families f where f.id = family_id for no key update;
  select u.blocked_at is not null into v_is_blocked from users u where u.id = v_family.user_id;
  -- The clocks of two Workers differ a little, so the exchange may seem to lie ahead.
  v_is_repeated := v_used_at is not null
    and v_used_at > p_now - v_grace and v_used_at < p_now + v_grace
    and exists (
      select from refresh_tokens n
      where n.token_hash = p_new_hash and n.family_id = v_family.id and n.used_at is null
    );
  user_id := v_family.user_id;
  expires_at := v_family.expires_at;
  outcome := case
    when v_used_at is not null and not v_is_repeated then 'reused'
    when v_family.revoked_at is not null then 'revoked'
    when v_family.expires_at <= p_now then 'expired'
    when v_is_blocked then 'blocked'
    when v_is_repeated then 'repeated'
    else 'rotated'
  end;

  if outcome = 'rotated' then
    expires_at := p_expires_at;
    update refresh_tokens r set used_at = p_now where r.token_hash = p_old_hash;
    insert into refresh_tokens (token_hash, family_id, created_at)
      values (p_new_hash, v_family.id, p_now);
    update refresh_families f set last_used_at = p_now, expires_at = p_expires_at
      where f.id = v_family.id;
  elsif outcome = 'reused' then
    update refresh_families f set revoked_at = p_now, revoked_reason = 'reuse'
      where f.id = v_family.id and f.revoked_at is null;
  end if;
  return next;
end $$;
