-- A file's tags as it has them, and what of a track's description an admin wrote: tags that are read anew
-- never replace that.
ALTER TABLE "tracks" ADD COLUMN "edited_fields" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
CREATE TABLE "track_file_tags" (
	"track_id" uuid PRIMARY KEY NOT NULL,
	"reader" integer NOT NULL,
	"read_at" timestamp with time zone DEFAULT now() NOT NULL,
	"fields" jsonb NOT NULL,
	"cut" text[] NOT NULL,
	CONSTRAINT "track_file_tags_track_id_tracks_id_fk" FOREIGN KEY ("track_id") REFERENCES "public"."tracks"("id") ON DELETE cascade
);
--> statement-breakpoint
ALTER TABLE "tracks" DISABLE TRIGGER USER;--> statement-breakpoint
-- Nobody noted so far what an admin wrote. What a track says otherwise than its file's tags did counts as
-- written, and all that is said where those are not known; an upload's own words count in any case.
UPDATE "tracks" t SET "edited_fields" = array(
  SELECT f.name
  FROM (SELECT) one
  LEFT JOIN uploads u ON u.id = t.upload_id
  CROSS JOIN LATERAL (VALUES
    ('title', true,
      t.title = coalesce(t.tags->>'title',
        btrim(replace(regexp_replace(u.filename, '\.[A-Za-z0-9]{1,5}$', ''), '_', ' ')))),
    ('artists',
      exists (SELECT FROM track_artists ta JOIN artists a ON a.id = ta.artist_id
               WHERE ta.track_id = t.id AND a.name <> 'Unknown artist'),
      (SELECT jsonb_agg(lower(a.name) ORDER BY ta.position)
         FROM track_artists ta JOIN artists a ON a.id = ta.artist_id WHERE ta.track_id = t.id)
        = (SELECT jsonb_agg(lower(n.name) ORDER BY n.at)
             FROM jsonb_array_elements_text(t.tags->'artists') WITH ORDINALITY n(name, at))),
    ('album', t.album_id IS NOT NULL,
      (SELECT lower(al.title) FROM albums al WHERE al.id = t.album_id) = lower(t.tags->>'album')),
    ('genres', cardinality(t.genres) > 0, to_jsonb(t.genres) = t.tags->'genres'),
    ('year', t.year IS NOT NULL, t.year = (t.tags->>'year')::integer),
    ('trackNumber', t.track_number IS NOT NULL,
      t.track_number = (t.tags->>'trackNumber')::integer),
    ('attribution', t.attribution IS NOT NULL, false)
  ) AS f(name, is_said, is_as_tagged)
  WHERE f.is_said AND NOT coalesce(f.is_as_tagged, false) OR coalesce(u.metadata ? f.name, false)
  ORDER BY f.name
)
WHERE t.published_at IS NOT NULL;--> statement-breakpoint
ALTER TABLE "tracks" ENABLE TRIGGER USER;
