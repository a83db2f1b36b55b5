-- Lets one try at an account through, and answers with the account where there is one; or refuses. An
-- account that does not exist is counted like any other.
--
-- A network that has signed in to the account, and a browser that holds a live refresh token of it, are
-- counted by themselves: whatever others try, the owner gets in from there. Everybody else is counted by
-- network and by account; and at the account those who come for the first time stand in a line of their
-- own, so that who keeps knocking does not keep them out.
--
-- Rows are locked in the order wide-network, network, pair, newcomers or account.
--
-- lane: what was counted besides the network: known | newcomers | account; null: refused
-- wait_s: seconds to wait, where it is refused
create or replace function reserve_sign_in(
  p_email text, p_account integer, p_wide integer, p_network integer, p_pair integer, p_network_hash bytea,
  p_refresh_hash bytea, p_factor double precision, p_now timestamptz,
  out lane text, out wait_s double precision, out id uuid, out email text, out username text, out role text,
  out plan text, out password_hash text, out blocked_at timestamptz
) language plpgsql as $$
declare
  -- A count that is lost with a crashed server is one guess more.
  v_commit text := set_config('synchronous_commit', 'off', true);
  v_user users%rowtype;
begin
  select * into v_user from users u where lower(u.email) = p_email;

  if exists (
    select from known_networks k where k.user_id = v_user.id and k.network_hash = p_network_hash
  ) or exists (
    select from refresh_tokens r join refresh_families f on f.id = r.family_id
    where r.token_hash = p_refresh_hash and f.user_id = v_user.id and f.revoked_at is null and f.expires_at > p_now
  ) then
    lane := 'known';
    wait_s := take_guess(lane, p_pair, p_now);
  else
    wait_s := take_network_guess('wide-network', p_wide, 'network', p_network, p_now, p_factor);
    if wait_s = 0 then
      lane := case when take_guess('pair', p_pair, p_now) = 0 then 'newcomers' else 'account' end;
      wait_s := take_guess(lane, p_account, p_now);
      if wait_s > 0 then
        perform give_guess_back('wide-network', p_wide);
        perform give_guess_back('network', p_network);
      end if;
    end if;
  end if;

  if wait_s > 0 then
    lane := null;
    return;
  end if;
  id := v_user.id;
  email := v_user.email;
  username := v_user.username;
  role := v_user.role;
  plan := v_user.plan;
  password_hash := v_user.password_hash;
  blocked_at := v_user.blocked_at;
end $$;

-- The password was right: gives back what reserve_sign_in counted, and knows the network from now on.
-- p_network_hash: null where networks can't be told apart.
create or replace function accept_sign_in(
  p_user uuid, p_lane text, p_account integer, p_wide integer, p_network integer, p_pair integer,
  p_network_hash bytea, p_now timestamptz
) returns void language plpgsql as $$
begin
  if p_lane = 'known' then
    perform give_guess_back('known', p_pair);
  else
    perform give_guess_back('wide-network', p_wide);
    perform give_guess_back('network', p_network);
    if p_lane = 'newcomers' then
      perform give_guess_back('pair', p_pair);
    end if;
    perform give_guess_back(p_lane, p_account);
  end if;
  insert into known_networks (user_id, network_hash, seen_at)
    select p_user, p_network_hash, p_now where p_network_hash is not null
    on conflict (user_id, network_hash) do update
    set seen_at = greatest(known_networks.seen_at, excluded.seen_at);
end $$;

-- Counts a try at the current password of an account by who is signed in to it, and answers with its hash.
--
-- wait_s: seconds to wait where it is refused; else 0
create or replace function reserve_password_check(
  p_user uuid, p_slot integer, p_now timestamptz, out wait_s double precision, out password_hash text
) language plpgsql as $$
begin
  wait_s := take_guess('password', p_slot, p_now);
  if wait_s = 0 then
    select u.password_hash into password_hash from users u where u.id = p_user;
  end if;
end $$;
