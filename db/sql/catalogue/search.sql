-- Keeps what is searched in step with the catalogue. Everything of an entry is made anew when anything of it has
-- changed: first its rows are locked, and then, in statements of their own, which see what others have committed
-- by then, read and written. So two who change one entry at once don't undo one another.

-- Notes words that no entry had.
create or replace function keep_search_words(p_words text[]) returns void language sql as $$
  insert into search_words (word, deletions)
  select distinct n.word, deletions_v1(n.word) from unnest(p_words) as n (word)
  where length(n.word) <= 40 and not exists (select from search_words w where w.word = n.word)
  order by n.word
  on conflict (word) do nothing
$$;

create or replace function refresh_search_tracks(p_ids uuid[]) returns void language plpgsql as $$
begin
  perform from search_entries e where e.type = 'track' and e.id = any (p_ids) order by e.id for update;
  delete from search_entries e
  where e.type = 'track' and e.id = any (p_ids) and not exists (
    select from tracks t where t.id = e.id and t.published_at is not null and t.deleted_at is null
  );
  insert into search_entries as e (type, id, name, squeezed, context, words)
  select 'track', t.id, spaced_v1(t.title), squeezed_v1(t.title), spaced_v1(c.text),
    array_to_tsvector(words_v1(t.title || ' ' || c.text))
  from tracks t
  left join albums al on al.id = t.album_id
  cross join lateral (
    select concat_ws(' ', string_agg(a.name, ' ' order by ta.position), al.title) as text
    from track_artists ta join artists a on a.id = ta.artist_id
    where ta.track_id = t.id
  ) c
  where t.id = any (p_ids) and t.published_at is not null and t.deleted_at is null
  order by t.id
  on conflict (type, id) do update
  set name = excluded.name, squeezed = excluded.squeezed, context = excluded.context, words = excluded.words;
  perform keep_search_words(array(
    select distinct unnest(tsvector_to_array(e.words)) from search_entries e
    where e.type = 'track' and e.id = any (p_ids)
  ));
end $$;

create or replace function refresh_search_albums(p_ids uuid[]) returns void language plpgsql as $$
begin
  perform from search_entries e where e.type = 'album' and e.id = any (p_ids) order by e.id for update;
  delete from search_entries e
  where e.type = 'album' and e.id = any (p_ids) and not exists (
    select from tracks t where t.album_id = e.id and t.published_at is not null and t.deleted_at is null
  );
  insert into search_entries as e (type, id, name, squeezed, context, words)
  select 'album', al.id, spaced_v1(al.title), squeezed_v1(al.title), spaced_v1(c.text),
    array_to_tsvector(words_v1(al.title || ' ' || c.text))
  from albums al
  cross join lateral (
    select coalesce(string_agg(a.name, ' ' order by aa.position), '') as text
    from album_artists aa join artists a on a.id = aa.artist_id
    where aa.album_id = al.id
  ) c
  where al.id = any (p_ids) and exists (
    select from tracks t where t.album_id = al.id and t.published_at is not null and t.deleted_at is null
  )
  order by al.id
  on conflict (type, id) do update
  set name = excluded.name, squeezed = excluded.squeezed, context = excluded.context, words = excluded.words;
  perform keep_search_words(array(
    select distinct unnest(tsvector_to_array(e.words)) from search_entries e
    where e.type = 'album' and e.id = any (p_ids)
  ));
end $$;

-- An artist is found by every name that means them, the old ones too, and by each in one piece.
create or replace function refresh_search_artists(p_ids uuid[]) returns void language plpgsql as $$
begin
  perform from search_entries e where e.type = 'artist' and e.id = any (p_ids) order by e.id for update;
  delete from search_entries e
  where e.type = 'artist' and e.id = any (p_ids) and not exists (
    select from track_artists ta join tracks t on t.id = ta.track_id
    where ta.artist_id = e.id and t.published_at is not null and t.deleted_at is null
  );
  insert into search_entries as e (type, id, name, squeezed, context, words)
  select 'artist', a.id, spaced_v1(a.name), squeezed_v1(a.name), spaced_v1(n.names),
    array_to_tsvector(words_v1(a.name || ' ' || n.names) || squeezed_v1(a.name) || n.pieces)
  from artists a
  cross join lateral (
    select coalesce(string_agg(o.folded, ' ' order by o.folded), '') as names,
      coalesce(array_agg(squeezed_v1(o.folded)), '{}') as pieces
    from artist_aliases o where o.artist_id = a.id and spaced_v1(o.folded) <> spaced_v1(a.name)
  ) n
  where a.id = any (p_ids) and exists (
    select from track_artists ta join tracks t on t.id = ta.track_id
    where ta.artist_id = a.id and t.published_at is not null and t.deleted_at is null
  )
  order by a.id
  on conflict (type, id) do update
  set name = excluded.name, squeezed = excluded.squeezed, context = excluded.context, words = excluded.words;
  perform keep_search_words(array(
    select distinct unnest(tsvector_to_array(e.words)) from search_entries e
    where e.type = 'artist' and e.id = any (p_ids)
  ));
end $$;

-- What a change of some tracks changes: themselves, their albums (the old and the new) and their artists.
create or replace function refresh_search_of(p_tracks uuid[], p_albums uuid[], p_artists uuid[]) returns void language plpgsql as $$
begin
  perform refresh_search_artists(array(
    select distinct id from (
      select unnest(p_artists) as id
      union all select ta.artist_id from track_artists ta where ta.track_id = any (p_tracks)
    ) x where id is not null order by id
  ));
  perform refresh_search_albums(array(
    select distinct id from (
      select unnest(p_albums) as id
      union all select t.album_id from tracks t where t.id = any (p_tracks)
    ) x where id is not null order by id
  ));
  perform refresh_search_tracks(p_tracks);
end $$;

create or replace function search_tracks_inserted() returns trigger language plpgsql as $$
declare
  v_ids uuid[] := array(select id from new_rows where published_at is not null and deleted_at is null order by id);
begin
  if cardinality(v_ids) > 0 then
    perform refresh_search_of(v_ids, '{}', '{}');
  end if;
  return null;
end $$;

create or replace trigger tracks_insert_search
after insert on tracks referencing new table as new_rows
for each statement execute function search_tracks_inserted();

create or replace function search_tracks_updated() returns trigger language plpgsql as $$
declare
  v_ids uuid[];
  v_albums uuid[];
begin
  select array_agg(n.id order by n.id), array_agg(o.album_id)
  into v_ids, v_albums
  from new_rows n join old_rows o on o.id = n.id
  where (n.title, n.album_id, n.published_at is null, n.deleted_at is null)
    is distinct from (o.title, o.album_id, o.published_at is null, o.deleted_at is null);
  if v_ids is not null then
    perform refresh_search_of(v_ids, v_albums, '{}');
  end if;
  return null;
end $$;

create or replace trigger tracks_update_search
after update on tracks referencing old table as old_rows new table as new_rows
for each statement execute function search_tracks_updated();

create or replace function search_credits_changed() returns trigger language plpgsql as $$
declare
  v_tracks uuid[];
  v_artists uuid[];
begin
  if tg_op = 'INSERT' then
    select array_agg(distinct track_id), array_agg(distinct artist_id) into v_tracks, v_artists from new_rows;
  elsif tg_op = 'DELETE' then
    select array_agg(distinct track_id), array_agg(distinct artist_id) into v_tracks, v_artists from old_rows;
  else
    select array_agg(distinct track_id), array_agg(distinct artist_id) into v_tracks, v_artists
    from (select * from new_rows union all select * from old_rows) x;
  end if;
  if v_tracks is not null then
    perform refresh_search_of(v_tracks, '{}', v_artists);
  end if;
  return null;
end $$;

create or replace trigger track_artists_insert_search
after insert on track_artists referencing new table as new_rows
for each statement execute function search_credits_changed();
create or replace trigger track_artists_delete_search
after delete on track_artists referencing old table as old_rows
for each statement execute function search_credits_changed();
create or replace trigger track_artists_update_search
after update on track_artists referencing old table as old_rows new table as new_rows
for each statement execute function search_credits_changed();

create or replace function search_artist_renamed() returns trigger language plpgsql as $$
begin
  perform refresh_search_of(
    array(select distinct ta.track_id from track_artists ta where ta.artist_id = new.id),
    array(select aa.album_id from album_artists aa where aa.artist_id = new.id),
    array[new.id]
  );
  return null;
end $$;

create or replace trigger artists_rename_search
after update of name on artists
for each row when (old.name is distinct from new.name) execute function search_artist_renamed();

create or replace function search_album_renamed() returns trigger language plpgsql as $$
begin
  perform refresh_search_albums(array[new.id]);
  perform refresh_search_tracks(array(select t.id from tracks t where t.album_id = new.id order by t.id));
  return null;
end $$;

create or replace trigger albums_rename_search
after update of title on albums
for each row when (old.title is distinct from new.title) execute function search_album_renamed();

create or replace function search_album_artists_changed() returns trigger language plpgsql as $$
begin
  perform refresh_search_albums(array(
    select distinct album_id from changed_rows order by album_id
  ));
  return null;
end $$;

create or replace trigger album_artists_insert_search
after insert on album_artists referencing new table as changed_rows
for each statement execute function search_album_artists_changed();
create or replace trigger album_artists_delete_search
after delete on album_artists referencing old table as changed_rows
for each statement execute function search_album_artists_changed();

create or replace function search_alias_added() returns trigger language plpgsql as $$
begin
  perform refresh_search_artists(array[new.artist_id]);
  return null;
end $$;

create or replace trigger artist_aliases_search
after insert or update on artist_aliases
for each row execute function search_alias_added();
