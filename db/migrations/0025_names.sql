-- Artists and albums by who they are, not by how they are spelled.
--
-- The key of a name (`nameKey` in the contract) is computed by the programs, for no Postgres of today folds case
-- as Unicode says. This is the nearest that SQL has: for the rows of before, and for those of programs that do not
-- know of keys yet. Where the two differ, the alias of a program is added when it first meets the name.
CREATE FUNCTION name_key_v1(p_name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT coalesce(
    nullif(btrim(regexp_replace(
      normalize(translate(replace(
        lower(normalize(rtrim(p_name, U&'\2063'), NFKC) COLLATE pg_c_utf8), 'ß', 'ss'), 'ς', 'σ'), NFKC),
      '\s+', ' ', 'g'
    )), ''),
    btrim(p_name)
  )
$$;--> statement-breakpoint
CREATE TABLE "artist_aliases" (
	"folded" text PRIMARY KEY NOT NULL,
	"artist_id" uuid NOT NULL,
	CONSTRAINT "artist_aliases_artist_id_artists_id_fk" FOREIGN KEY ("artist_id") REFERENCES "public"."artists"("id") ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX "artist_aliases_artist_idx" ON "artist_aliases" USING btree ("artist_id");--> statement-breakpoint
CREATE TABLE "album_aliases" (
	"artist_id" uuid NOT NULL,
	"folded" text NOT NULL,
	"album_id" uuid NOT NULL,
	CONSTRAINT "album_aliases_artist_id_folded_album_id_pk" PRIMARY KEY("artist_id","folded","album_id"),
	CONSTRAINT "album_aliases_artist_id_artists_id_fk" FOREIGN KEY ("artist_id") REFERENCES "public"."artists"("id") ON DELETE cascade,
	CONSTRAINT "album_aliases_album_id_albums_id_fk" FOREIGN KEY ("album_id") REFERENCES "public"."albums"("id") ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX "album_aliases_album_idx" ON "album_aliases" USING btree ("album_id");--> statement-breakpoint
CREATE TABLE "album_artists" (
	"album_id" uuid NOT NULL,
	"artist_id" uuid NOT NULL,
	"position" integer NOT NULL,
	CONSTRAINT "album_artists_album_id_artist_id_pk" PRIMARY KEY("album_id","artist_id"),
	CONSTRAINT "album_artists_album_id_albums_id_fk" FOREIGN KEY ("album_id") REFERENCES "public"."albums"("id") ON DELETE cascade,
	CONSTRAINT "album_artists_artist_id_artists_id_fk" FOREIGN KEY ("artist_id") REFERENCES "public"."artists"("id")
);
--> statement-breakpoint
CREATE INDEX "album_artists_artist_idx" ON "album_artists" USING btree ("artist_id");--> statement-breakpoint
CREATE TABLE "artist_mbids" (
	"mbid" uuid PRIMARY KEY NOT NULL,
	"artist_id" uuid NOT NULL,
	CONSTRAINT "artist_mbids_artist_id_artists_id_fk" FOREIGN KEY ("artist_id") REFERENCES "public"."artists"("id") ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX "artist_mbids_artist_idx" ON "artist_mbids" USING btree ("artist_id");--> statement-breakpoint
CREATE TABLE "album_mbids" (
	"mbid" uuid PRIMARY KEY NOT NULL,
	"album_id" uuid NOT NULL,
	CONSTRAINT "album_mbids_album_id_albums_id_fk" FOREIGN KEY ("album_id") REFERENCES "public"."albums"("id") ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX "album_mbids_album_idx" ON "album_mbids" USING btree ("album_id");--> statement-breakpoint
ALTER TABLE "artists" ADD COLUMN "sort_name" text;--> statement-breakpoint
ALTER TABLE "artists" ADD COLUMN "merged_into" uuid;--> statement-breakpoint
ALTER TABLE "artists" ADD CONSTRAINT "artists_merged_into_artists_id_fk" FOREIGN KEY ("merged_into") REFERENCES "public"."artists"("id");--> statement-breakpoint
ALTER TABLE "albums" ADD COLUMN "kind" text;--> statement-breakpoint
ALTER TABLE "albums" ADD COLUMN "merged_into" uuid;--> statement-breakpoint
ALTER TABLE "albums" ADD CONSTRAINT "albums_merged_into_albums_id_fk" FOREIGN KEY ("merged_into") REFERENCES "public"."albums"("id");--> statement-breakpoint
ALTER TABLE "albums" ADD COLUMN "cover_track_id" uuid;--> statement-breakpoint
ALTER TABLE "albums" ADD CONSTRAINT "albums_kind_check" CHECK ("kind" in ('album', 'ep', 'single', 'compilation'));--> statement-breakpoint
ALTER TABLE "albums" ADD CONSTRAINT "albums_cover_track_id_tracks_id_fk" FOREIGN KEY ("cover_track_id") REFERENCES "public"."tracks"("id") ON DELETE set null;--> statement-breakpoint
ALTER TABLE "tracks" ADD COLUMN "disc_number" integer;--> statement-breakpoint
ALTER TABLE "track_artists" ADD COLUMN "role" text DEFAULT 'main' NOT NULL;--> statement-breakpoint
ALTER TABLE "track_artists" ADD CONSTRAINT "track_artists_role_check" CHECK ("role" in ('main', 'featured', 'remixer', 'composer'));--> statement-breakpoint
ALTER TABLE "track_artists" DROP CONSTRAINT "track_artists_track_id_artist_id_pk";--> statement-breakpoint
ALTER TABLE "track_artists" ADD CONSTRAINT "track_artists_track_id_artist_id_role_pk" PRIMARY KEY("track_id","artist_id","role");--> statement-breakpoint
INSERT INTO "artist_aliases" ("folded", "artist_id")
SELECT DISTINCT ON (name_key_v1("name")) name_key_v1("name"), "id" FROM "artists"
ORDER BY name_key_v1("name"), "created_at", "id";--> statement-breakpoint
INSERT INTO "album_artists" ("album_id", "artist_id", "position") SELECT "id", "artist_id", 0 FROM "albums";--> statement-breakpoint
INSERT INTO "album_aliases" ("artist_id", "folded", "album_id")
SELECT "artist_id", name_key_v1("title"), "id" FROM "albums";--> statement-breakpoint
-- Most tracks are on a first disc and say nothing of it.
ALTER TABLE "tracks" DISABLE TRIGGER USER;--> statement-breakpoint
UPDATE "tracks" SET "disc_number" = ("tags"->>'discNumber')::integer WHERE ("tags"->>'discNumber') IS NOT NULL;--> statement-breakpoint
ALTER TABLE "tracks" ENABLE TRIGGER USER;
