-- Genres with one spelling each. `tracks.genres` stays what a file or an admin wrote; what is listed, filtered and
-- shown is here, kept by a trigger.

-- What makes two spellings one genre: "Hip Hop", "hip-hop" and "HipHop"; "Drum & Bass" and "drum and bass".
CREATE FUNCTION genre_slug_v1(p_name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT replace(spaced_v1(regexp_replace(p_name, '\s*[&+]\s*', ' and ', 'g')), ' ', '-')
$$;--> statement-breakpoint
CREATE TABLE "genres" (
	"slug" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "genre_aliases" (
	"folded" text PRIMARY KEY NOT NULL,
	"slug" text NOT NULL,
	CONSTRAINT "genre_aliases_slug_genres_slug_fk" FOREIGN KEY ("slug") REFERENCES "public"."genres"("slug") ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX "genre_aliases_slug_idx" ON "genre_aliases" USING btree ("slug");--> statement-breakpoint
CREATE TABLE "track_genres" (
	"track_id" uuid NOT NULL,
	"slug" text NOT NULL,
	"position" integer NOT NULL,
	CONSTRAINT "track_genres_track_id_slug_pk" PRIMARY KEY("track_id","slug"),
	CONSTRAINT "track_genres_track_id_tracks_id_fk" FOREIGN KEY ("track_id") REFERENCES "public"."tracks"("id") ON DELETE cascade,
	CONSTRAINT "track_genres_slug_genres_slug_fk" FOREIGN KEY ("slug") REFERENCES "public"."genres"("slug")
);
--> statement-breakpoint
CREATE TEMPORARY TABLE "t_spellings" ON COMMIT DROP AS
SELECT s.name, count(*) AS tracks, genre_slug_v1(s.name) AS slug, replace(genre_slug_v1(s.name), '-', '') AS folded
FROM "tracks" t CROSS JOIN LATERAL unnest(t."genres") AS s(name)
GROUP BY s.name;--> statement-breakpoint
-- The spelling that most tracks have.
INSERT INTO "genres" ("slug", "name")
SELECT DISTINCT ON (folded) slug, name FROM t_spellings WHERE slug <> '' ORDER BY folded, tracks DESC, name;--> statement-breakpoint
INSERT INTO "genre_aliases" ("folded", "slug") SELECT replace("slug", '-', ''), "slug" FROM "genres";--> statement-breakpoint
INSERT INTO "track_genres" ("track_id", "slug", "position")
SELECT t."id", a."slug", min(s.at) - 1
FROM "tracks" t
CROSS JOIN LATERAL unnest(t."genres") WITH ORDINALITY AS s(name, at)
JOIN t_spellings p ON p.name = s.name
JOIN "genre_aliases" a ON a."folded" = p.folded
GROUP BY t."id", a."slug";--> statement-breakpoint
CREATE INDEX "track_genres_slug_idx" ON "track_genres" USING btree ("slug","track_id");--> statement-breakpoint
DROP TABLE "t_spellings";
