-- What belongs to every artist and album, whoever makes them: release 0.1.0 knows of no aliases, and of one
-- artist to an album.

-- A name that has a meaning already keeps it: then the new artist is a namesake, found by other things.
create or replace function keep_artist_alias() returns trigger language plpgsql as $$
begin
  insert into artist_aliases (folded, artist_id) values (name_key_v1(new.name), new.id)
  on conflict (folded) do nothing;
  return null;
end $$;

create or replace trigger artists_keep_alias
after insert or update of name on artists
for each row execute function keep_artist_alias();

create or replace function keep_album_alias() returns trigger language plpgsql as $$
begin
  insert into album_artists (album_id, artist_id, position) values (new.id, new.artist_id, 0)
  on conflict (album_id, artist_id) do nothing;
  insert into album_aliases (artist_id, folded, album_id)
  values (new.artist_id, name_key_v1(new.title), new.id)
  on conflict (artist_id, folded, album_id) do nothing;
  return null;
end $$;

create or replace trigger albums_keep_alias
after insert or update of title, artist_id on albums
for each row execute function keep_album_alias();
