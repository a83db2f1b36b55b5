-- What a listener can find, in the form in which it is looked for. Kept by triggers (db/sql/catalogue/search.sql).
CREATE TABLE "search_entries" (
	"type" text NOT NULL,
	"id" uuid NOT NULL,
	"name" text NOT NULL,
	"squeezed" text NOT NULL,
	"context" text NOT NULL,
	"words" "tsvector" NOT NULL,
	"plays" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "search_entries_type_id_pk" PRIMARY KEY("type","id"),
	CONSTRAINT "search_entries_type_check" CHECK ("search_entries"."type" in ('track', 'artist', 'album'))
);
--> statement-breakpoint
-- Every word of every entry. A typo is looked for among the words, of which there are far fewer than titles, and
-- more slowly more.
CREATE TABLE "search_words" (
	"word" text COLLATE "C" PRIMARY KEY NOT NULL,
	"deletions" text[] NOT NULL
);
--> statement-breakpoint
INSERT INTO "search_entries" ("type", "id", "name", "squeezed", "context", "words", "plays")
SELECT 'track', t."id", spaced_v1(t."title"), squeezed_v1(t."title"), spaced_v1(c.text),
  array_to_tsvector(words_v1(t."title" || ' ' || c.text)), coalesce(n."plays", 0)
FROM "tracks" t
LEFT JOIN "albums" al ON al."id" = t."album_id"
LEFT JOIN "track_totals" n ON n."track_id" = t."id"
CROSS JOIN LATERAL (
  SELECT concat_ws(' ', string_agg(a."name", ' ' ORDER BY ta."position"), al."title") AS text
  FROM "track_artists" ta JOIN "artists" a ON a."id" = ta."artist_id"
  WHERE ta."track_id" = t."id"
) c
WHERE t."published_at" IS NOT NULL AND t."deleted_at" IS NULL;--> statement-breakpoint
INSERT INTO "search_entries" ("type", "id", "name", "squeezed", "context", "words", "plays")
SELECT 'album', al."id", spaced_v1(al."title"), squeezed_v1(al."title"), spaced_v1(a."name"),
  array_to_tsvector(words_v1(al."title" || ' ' || a."name")), coalesce(sum(n."plays"), 0)
FROM "albums" al
JOIN "artists" a ON a."id" = al."artist_id"
JOIN "tracks" t ON t."album_id" = al."id" AND t."published_at" IS NOT NULL AND t."deleted_at" IS NULL
LEFT JOIN "track_totals" n ON n."track_id" = t."id"
GROUP BY al."id", a."id";--> statement-breakpoint
INSERT INTO "search_entries" ("type", "id", "name", "squeezed", "context", "words", "plays")
SELECT 'artist', a."id", spaced_v1(a."name"), squeezed_v1(a."name"), '',
  array_to_tsvector(words_v1(a."name") || squeezed_v1(a."name")), coalesce(sum(n."plays"), 0)
FROM "artists" a
JOIN "track_artists" ta ON ta."artist_id" = a."id"
JOIN "tracks" t ON t."id" = ta."track_id" AND t."published_at" IS NOT NULL AND t."deleted_at" IS NULL
LEFT JOIN "track_totals" n ON n."track_id" = t."id"
GROUP BY a."id";--> statement-breakpoint
INSERT INTO "search_words" ("word", "deletions")
SELECT w.word, deletions_v1(w.word)
FROM (SELECT DISTINCT unnest(tsvector_to_array("words")) AS word FROM "search_entries") w
WHERE length(w.word) <= 40;--> statement-breakpoint
CREATE EXTENSION IF NOT EXISTS pg_trgm;--> statement-breakpoint
CREATE INDEX "search_entries_track_words_idx" ON "search_entries" USING gin ("words") WHERE "type" = 'track';--> statement-breakpoint
CREATE INDEX "search_entries_artist_words_idx" ON "search_entries" USING gin ("words") WHERE "type" = 'artist';--> statement-breakpoint
CREATE INDEX "search_entries_album_words_idx" ON "search_entries" USING gin ("words") WHERE "type" = 'album';--> statement-breakpoint
CREATE INDEX "search_entries_squeezed_idx" ON "search_entries" USING btree ("type", "squeezed" COLLATE "C");--> statement-breakpoint
CREATE INDEX "search_entries_plays_idx" ON "search_entries" USING btree ("type", "plays" DESC);--> statement-breakpoint
CREATE INDEX "search_words_deletions_idx" ON "search_words" USING gin ("deletions");--> statement-breakpoint
CREATE INDEX "search_words_trigrams_idx" ON "search_words" USING gin ("word" gin_trgm_ops);
