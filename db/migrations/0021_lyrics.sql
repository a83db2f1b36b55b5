CREATE TABLE "track_lyrics" (
	"track_id" uuid NOT NULL,
	"source" text NOT NULL,
	"language" text,
	"synced" boolean NOT NULL,
	"lines" jsonb NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "track_lyrics_track_id_source_pk" PRIMARY KEY("track_id","source"),
	CONSTRAINT "track_lyrics_source_check" CHECK ("track_lyrics"."source" in ('file', 'admin')),
	CONSTRAINT "track_lyrics_track_id_tracks_id_fk" FOREIGN KEY ("track_id") REFERENCES "public"."tracks"("id") ON DELETE cascade
);
