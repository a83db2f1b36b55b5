-- Who a name means, and which album a title, for all who credit tracks. An identifier of MusicBrainz's beats a
-- name, and a name means whom its alias says, whatever they are called now. Each makes what is not there yet, and
-- answers the same when asked again.

-- `p_id` is that of the artist who may have to be made; `p_key` the name's (`nameKey` in the contract).
create or replace function artist_of(p_id uuid, p_name text, p_key text, p_mbid uuid) returns uuid language plpgsql as $$
declare
  v_id uuid;
  v_name text := p_name;
begin
  select m.artist_id into v_id from artist_mbids m where m.mbid = p_mbid;
  if v_id is not null then
    return v_id;
  end if;
  select a.artist_id into v_id from artist_aliases a where a.folded = p_key;
  if v_id is null then
    insert into artists (id, name) values (p_id, p_name) on conflict (lower(name)) do nothing;
    -- Of two who make one at once the second waits above, and finds the first's here.
    insert into artist_aliases (folded, artist_id)
    select p_key, a.id from artists a where lower(a.name) = lower(p_name)
    on conflict (folded) do nothing;
    select a.artist_id into v_id from artist_aliases a where a.folded = p_key;
  end if;
  if p_mbid is null then
    return v_id;
  end if;
  if exists (select from artist_mbids m where m.artist_id = v_id) then
    -- Somebody else of the same name (`NAMESAKE_MARK` in the contract).
    v_id := null;
    while v_id is null loop
      v_name := v_name || U&'\2063';
      insert into artists (id, name) values (p_id, v_name) on conflict (lower(name)) do nothing returning id into v_id;
    end loop;
  end if;
  insert into artist_mbids (mbid, artist_id) values (p_mbid, v_id) on conflict (mbid) do nothing;
  return (select m.artist_id from artist_mbids m where m.mbid = p_mbid);
end $$;

-- The same of an album, within its artist; the year is kept where it has none yet.
create or replace function album_of(
  p_id uuid, p_artist uuid, p_title text, p_key text, p_mbid uuid, p_year integer
) returns uuid language plpgsql as $$
declare
  v_id uuid;
  v_title text := p_title;
begin
  select m.album_id into v_id from album_mbids m where m.mbid = p_mbid;
  if v_id is null then
    -- Several have the title: the one that MusicBrainz says nothing of, for it may be any.
    select a.album_id into v_id from album_aliases a
    where a.artist_id = p_artist and a.folded = p_key
      and (p_mbid is null or not exists (select from album_mbids m where m.album_id = a.album_id))
    order by exists (select from album_mbids m where m.album_id = a.album_id), a.album_id limit 1;
    while v_id is null loop
      insert into albums (id, title, artist_id) values (p_id, v_title, p_artist)
      on conflict (artist_id, lower(title)) do nothing returning id into v_id;
      if v_id is null and p_mbid is null then
        select al.id into v_id from albums al
        where al.artist_id = p_artist and lower(al.title) = lower(p_title);
      end if;
      v_title := v_title || U&'\2063';
    end loop;
    insert into album_aliases (artist_id, folded, album_id) values (p_artist, p_key, v_id) on conflict do nothing;
    if p_mbid is not null then
      insert into album_mbids (mbid, album_id) values (p_mbid, v_id) on conflict (mbid) do nothing;
      select m.album_id into v_id from album_mbids m where m.mbid = p_mbid;
    end if;
  end if;
  update albums set year = p_year where id = v_id and year is null and p_year is not null;
  return v_id;
end $$;
